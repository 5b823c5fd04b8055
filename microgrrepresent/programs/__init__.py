"""Programs: a recorded loss and its gradient as the loop that one would have written by hand."""

from microgrrepresent.programs.loss_program import Program, program

__all__ = ["Program", "program"]
