"""What the command line takes: commands, their arguments, and a refusal of everything else.

A refusal is one line and ends the program with exit status 2. The help is written for a student who
has not read the code.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, get_args

from microgrrepresent.drawing.scene import View
from microgrrepresent.drawing.themes import THEMES
from rnn.illustration import ILLUSTRATED
from rnn.tasks import CELLS, TASKS


class _Parser(argparse.ArgumentParser):
    """A parser that refuses in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def _number(
    kind: Callable[[str], float], least: float, what: str, open_end: bool = False
) -> Callable[[str], float]:
    """A reader of numbers that says what is wrong with others."""

    def read(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not least <= value < math.inf or (open_end and value == least):
            raise argparse.ArgumentTypeError(f"must be {what}; given {text!r}")
        return value

    return read


def _cells(text: str) -> list[str]:
    names = [name for name in text.split(",") if name]
    unknown = [name for name in names if name not in CELLS]
    if unknown or not names:
        what = f"unknown cell {unknown[0]!r}" if unknown else "no cell"
        raise argparse.ArgumentTypeError(f"{what}; there are {', '.join(CELLS)}")
    return names


def _window(text: str) -> tuple[int, int]:
    first, comma, last = text.partition(",")
    if not (comma and first.strip().isdigit() and last.strip().isdigit()):
        raise argparse.ArgumentTypeError(f"must be two whole numbers such as 3,2; given {text!r}")
    return int(first), int(last)


def _picture(*endings: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if Path(text).suffix.lstrip(".") not in endings:
            known = ", ".join(f".{ending}" for ending in endings)
            raise argparse.ArgumentTypeError(f"{text!r} must end in one of {known}")
        return text

    return read


_count = _number(int, 1, "a whole number from 1 up")
_seed = _number(int, 0, "a whole number from 0 up")
_positive = _number(float, 0, "a number above 0", open_end=True)
_temperature = _number(float, 0, "a number from 0 up")


def parser() -> _Parser:
    """The parser; ``parse_args`` gives options, with the command's name as ``command``."""
    parser = _Parser(
        prog="python -m rnn",
        description="Train small recurrent networks, and see what backpropagation through time "
        "does in them.",
        epilog="To begin with: python -m rnn demo",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    demo = _command(
        commands,
        "demo",
        "train on the Declaration of Independence, sample, and draw the unrolled graph",
        "Trains a character-level LSTM on the United States' Declaration of Independence, prints "
        "what it writes before and after, and draws the unrolled computation graph of a few steps "
        "with the gradients that flow back through it.",
    )
    demo.add_argument(
        "-o", "--out", default="demo", metavar="FOLDER", help="where to write (default: demo)"
    )
    _add(demo, "--steps", _count, 1200, "steps of the training")
    _add(demo, "--seed", _seed, 0, "same seed, same numbers")
    demo.add_argument("--quiet", action="store_true", help="no progress bar")

    train = _command(
        commands,
        "train",
        "train a network on a task, and save it",
        "Trains a network on a task. Ctrl-C saves and stops; the same command with --resume goes\n"
        "on from there, with exactly the numbers that it would have had.",
        epilog="tasks:\n"
        "  characters   the next character of a text (--text, by default the Declaration)\n"
        "  words        the next word of a text\n"
        "  adding       the sum of two marked numbers in a sequence of --length\n"
        "  digit-sum    the sum of the first two digits of a sequence of --length\n\n"
        "example:\n"
        "  python -m rnn train characters --text poems.txt --cell gru --out poems.npz\n"
        "  python -m rnn sample poems.npz --prompt 'The '",
    )
    train.add_argument("task", choices=list(TASKS), metavar="TASK", help=", ".join(TASKS))
    train.add_argument("--text", metavar="FILE", help="a UTF-8 text, for characters and words")
    train.add_argument(
        "--cell", choices=list(CELLS), default="lstm", help="the kind of cell (default: lstm)"
    )
    _add(train, "--hidden", _count, 64, "length of the state h")
    _add(train, "--length", _count, 32, "steps of a sequence, or between two cuts of BPTT")
    _add(train, "--batch", _count, 16, "sequences side by side")
    _add(train, "--steps", _count, 1000, "steps of the training")
    _add(train, "--lr", _positive, 5e-3, "learning rate, of Adam")
    _add(train, "--clip", _positive, 1.0, "largest norm of the gradient")
    _add(train, "--every", _count, 100, "validate and save every so many steps")
    _add(train, "--patience", _count, None, "stop after so many validations without improvement")
    _add(train, "--seed", _seed, 0, "same seed, same numbers")
    train.add_argument(
        "-o",
        "--out",
        default="model.npz",
        metavar="FILE",
        help="the checkpoint (default: model.npz)",
    )
    train.add_argument("--log", metavar="FILE", help="write a CSV file with one row a step")
    train.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    train.add_argument("--quiet", action="store_true", help="no progress bar")

    drawn = _command(
        commands,
        "sample",
        "let a trained language model write",
        "Lets a language model that `train characters` or `train words` saved write text: each "
        "token is drawn from what the model says, and read as the next input.",
    )
    drawn.add_argument("checkpoint", metavar="CHECKPOINT", help="a file that train has written")
    drawn.add_argument("--prompt", default="The ", help="what the text begins with")
    _add(drawn, "--length", _count, 300, "how many tokens to write")
    _add(drawn, "--temperature", _temperature, 0.7, "low: likely tokens; 0: always the likeliest")
    _add(drawn, "--seed", _seed, 0, "same seed, same text")

    draw = _command(
        commands,
        "draw",
        "draw the unrolled graph of a cell",
        "Runs a cell over a few random inputs and draws the computation graph that this makes, "
        "with a loss at every step.",
    )
    _add_cell(draw)
    _add(draw, "--steps", _count, 4, "how many steps")
    draw.add_argument(
        "--view", choices=get_args(View), default="gates", help="what a box is (default: gates)"
    )
    draw.add_argument(
        "--time",
        choices=["unrolled", "folded", "both"],
        default="unrolled",
        help="one column a step, the cell once with its delays, or both (default: unrolled)",
    )
    draw.add_argument(
        "--window",
        type=_window,
        metavar="A,B",
        help="of a long sequence, draw only the first A steps and the last B",
    )
    draw.add_argument(
        "--gradients", action="store_true", help="draw what flows back through the graph, too"
    )
    draw.add_argument(
        "--rails", action="store_true", help="draw each shared parameter once, as a rail"
    )
    draw.add_argument("--values", action="store_true", help="show the values, or their shapes")
    draw.add_argument(
        "--theme", choices=list(THEMES), default="light", help="colours (default: light)"
    )
    _add(draw, "--seed", _seed, 0, "of the random numbers")
    draw.add_argument(
        "-o",
        "--out",
        type=_picture("svg", "png", "pdf", "html", "dot"),
        metavar="FILE",
        default="unrolled.svg",
        help="the picture: .svg, .png, .pdf, .html, .dot (default: unrolled.svg)",
    )

    bptt = _command(
        commands,
        "bptt",
        "make a page on which to step through backpropagation through time",
        "Runs a cell over a few random inputs and writes one HTML file on which to follow every "
        "step of the forward pass and of the reverse sweep, with all numbers. It needs no network.",
    )
    _add_cell(bptt)
    _add(bptt, "--steps", _count, 4, "how many steps")
    _add(bptt, "--seed", _seed, 0, "of the random numbers")
    bptt.add_argument(
        "-o",
        "--out",
        type=_picture("html"),
        metavar="FILE",
        default="bptt.html",
        help="the page (default: bptt.html)",
    )

    flow = _command(
        commands,
        "flow",
        "compare how far back the gradients of several cells reach",
        "Runs untrained cells on random inputs, differentiates the last output with respect to "
        "the state at every step, prints a table, and draws it on a logarithmic axis.",
    )
    flow.add_argument(
        "--cells",
        type=_cells,
        default=list(CELLS),
        metavar="A,B,...",
        help=f"which cells to compare (default: {','.join(CELLS)})",
    )
    _add(flow, "--length", _count, 100, "steps of the sequence")
    _add(flow, "--hidden", _count, 32, "length of the state h")
    _add(flow, "--inputs", _count, 4, "length of an input x")
    _add(flow, "--batch", _count, 8, "sequences side by side")
    _add(flow, "--seed", _seed, 0, "same seed, same numbers")
    flow.add_argument(
        "-o",
        "--out",
        type=_picture("svg", "png", "pdf"),
        default="flow.svg",
        metavar="FILE",
        help="the figure (default: flow.svg)",
    )
    return parser


def _command(
    commands: argparse._SubParsersAction[_Parser],
    name: str,
    short: str,
    description: str,
    epilog: str | None = None,
) -> _Parser:
    parser = commands.add_parser(
        name,
        help=short,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter if epilog else argparse.HelpFormatter,
    )
    parser.set_defaults(command=name, prog=parser.prog)
    return parser


def _add_cell(parser: _Parser) -> None:
    parser.add_argument(
        "--cell",
        choices=list(ILLUSTRATED),
        default="lstm",
        metavar="CELL",
        help=f"{', '.join(ILLUSTRATED)} (default: lstm)",
    )


def _add(
    parser: _Parser,
    name: str,
    kind: Callable[[str], float],
    default: float | None,
    text: str,
) -> None:
    shown = "" if default is None else f" (default: {default:g})"
    parser.add_argument(name, type=kind, default=default, metavar="N", help=text + shown)
