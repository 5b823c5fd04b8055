"""What arguments are made of: a parser that refuses in one line, and the kinds of options.

The help is written for a student who has not read the code.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, TypeAlias


class Parser(argparse.ArgumentParser):
    """A parser that refuses in one line."""

    def error(self, message: str) -> NoReturn:
        """End the program with exit status 2."""
        line = " ".join(message.splitlines())
        self.exit(2, f"{self.prog}: {line}; see {self.prog} --help\n")


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"


def number(
    kind: Callable[[str], float], least: float, what: str, open_end: bool = False
) -> Callable[[str], float]:
    """A reader of numbers that says what is wrong with others."""

    def read(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not least <= value < math.inf or (open_end and value == least):
            raise argparse.ArgumentTypeError(f"must be {what}, got {text!r}")
        return value

    return read


count = number(int, 1, "an integer >= 1")
seed = number(int, 0, "an integer >= 0")
positive = number(float, 0, "a number > 0", open_end=True)
temperature = number(float, 0, "a number >= 0")


def command(
    commands: Commands, name: str, short: str, description: str, epilog: str = ""
) -> Parser:
    """A command, with its help."""
    parser = commands.add_parser(
        name,
        help=short,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=name, prog=parser.prog)
    return parser


def add(
    parser: Parser,
    name: str,
    kind: Callable[[str], float],
    default: float | None,
    text: str,
) -> None:
    """An option that is a number."""
    shown = "" if default is None else f" (default: {default:g})"
    parser.add_argument(name, type=kind, default=default, metavar="N", help=text + shown)


def add_choice(
    parser: Parser,
    name: str,
    choices: Sequence[str],
    default: str,
    text: str,
    metavar: str | None = None,
) -> None:
    """An option that is one of some words."""
    parser.add_argument(
        name, choices=choices, default=default, metavar=metavar, help=f"{text} (default: {default})"
    )


def add_flag(parser: Parser, name: str, text: str) -> None:
    """An option that is there or not."""
    parser.add_argument(name, action="store_true", help=text)


def add_out(
    parser: Parser, kind: Callable[[str], str], default: str, text: str, metavar: str = "FILE"
) -> None:
    """The option ``--out``: where to write."""
    parser.add_argument(
        "-o",
        "--out",
        type=kind,
        default=default,
        metavar=metavar,
        help=f"{text} (default: {default})",
    )


def add_picture(parser: Parser, default: str, *endings: str) -> None:
    """The option ``--out`` of a file that ends in one of these."""
    known = ", ".join(f".{ending}" for ending in endings)

    def read(text: str) -> str:
        if Path(text).suffix.lstrip(".") not in endings:
            raise argparse.ArgumentTypeError(f"{text!r} must end in one of {known}")
        return text

    add_out(parser, read, default, f"the file to write: {known}")
