"""Programs for numba: loops over steps and elements that become machine code."""

from microgrrepresent.programs.native.source import native_source, require_numba

__all__ = ["native_source", "require_numba"]
