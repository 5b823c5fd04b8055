"""What ``python -m rnn code``, ``exercise`` and ``mark`` take."""

from __future__ import annotations

from rnn.command_line.illustration import ILLUSTRATED
from rnn.command_line.options import (
    Commands,
    Parser,
    add,
    add_choice,
    add_out,
    command,
    count,
    positive,
    seed,
)


def add_loops(commands: Commands) -> None:
    """Add the commands that print a loop, set it as an exercise, and mark it."""

    def blanks(text: str) -> float | None:
        return None if text == "all" else count(text)

    code = command(
        commands,
        "code",
        "print the loop of a cell and of its gradient as NumPy code",
        "Prints a cell with readout and softmax cross-entropy, and the way back through time, as\n"
        "the NumPy loop that one would write by hand, for any number of steps and sequences.",
        "example:\n  python -m rnn code --cell lstm --steps any -o bptt.py",
    )
    _add_cell(code)
    add_choice(
        code, "--style", ["read", "fast"], "read", "read: a line for each equation; fast: what runs"
    )
    add_choice(code, "--steps", ["any"], "any", "the loop is printed for any number of steps")
    code.add_argument("-o", "--out", metavar="FILE", help="a file, instead of the terminal")

    exercise = command(
        commands,
        "exercise",
        "write a file whose backward pass is left out",
        "Writes a file with the forward loop of a cell, the formulas of its gradient, a backward\n"
        "pass in which values are to be written, and the numbers with which it is marked.",
        "examples:\n  python -m rnn exercise --cell gru --blanks 3 -o exercise.py\n"
        "  for n in 1 2 3; do python -m rnn exercise --seed $n -o class/student_$n.py; done",
    )
    _add_cell(exercise)
    exercise.add_argument(
        "--blanks",
        type=blanks,
        default=None,
        metavar="N|all",
        help="how many lines of the loop are left out, or all of the backward pass (default: all)",
    )
    add(exercise, "--seed", seed, 0, "of the numbers, and of which lines are left out")
    add_out(exercise, str, "exercise.py", "the file to write to")

    mark = command(
        commands,
        "mark",
        "mark an exercise: what is right, what is wrong, and why",
        "Runs the function of an exercise in a process of its own, and compares its loss and\n"
        "gradients with the right ones. Exit status 0 if all is right, else 1.",
        "examples:\n  python -m rnn mark exercise.py\n  python -m rnn mark class --csv > class.csv",
    )
    mark.add_argument(
        "file", metavar="FILE", help="written by python -m rnn exercise, or a folder of such files"
    )
    mark.add_argument("--csv", action="store_true", help="a table, with a row for each file")
    add(mark, "--limit", positive, 60, "seconds that a file may run")


def _add_cell(parser: Parser) -> None:
    add_choice(
        parser, "--cell", list(ILLUSTRATED), "lstm", f"one of {', '.join(ILLUSTRATED)}", "CELL"
    )
