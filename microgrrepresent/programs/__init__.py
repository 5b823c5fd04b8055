"""Programs: a recorded loss and its gradient as the loop that one would have written by hand."""

from microgrrepresent.programs.compiling import Compiled, compiled
from microgrrepresent.programs.copies import sources_on_copies
from microgrrepresent.programs.description_check import check_primitive
from microgrrepresent.programs.loss_program import Program, program
from microgrrepresent.programs.marking import Marker, StudentError, mark
from microgrrepresent.programs.report import Report

__all__ = [
    "Compiled",
    "Marker",
    "Program",
    "Report",
    "StudentError",
    "check_primitive",
    "compiled",
    "mark",
    "program",
    "sources_on_copies",
]
