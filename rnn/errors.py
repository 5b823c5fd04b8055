"""The errors of recurrent networks, beside those of the engine."""

from __future__ import annotations


class StateDictError(ValueError):
    """A state_dict or a file of one that does not fit the module."""
