"""The command line, ``python -m rnn``, and the small graph that it draws."""

from rnn.command_line.commands import main
from rnn.command_line.illustration import ILLUSTRATED, illustration

__all__ = ["ILLUSTRATED", "illustration", "main"]
