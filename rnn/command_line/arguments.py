"""What the command line takes: commands, their arguments, and a refusal of everything else.

A refusal is one line and ends the program with exit status 2. The help is written for a student who
has not read the code.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, TypeAlias

from microgrrepresent.drawing.marks.themes import THEMES
from microgrrepresent.drawing.views.choices import view_names
from rnn.command_line.illustration import ILLUSTRATED
from rnn.command_line.loop_arguments import add_loops
from rnn.command_line.tasks import CELLS, TASKS

LONGEST_PAGE = 100
"""Steps; the page of an LSTM has 43 kB a step."""


class _Parser(argparse.ArgumentParser):
    """A parser that refuses in one line."""

    def error(self, message: str) -> NoReturn:
        line = " ".join(message.splitlines())
        self.exit(2, f"{self.prog}: {line}; see {self.prog} --help\n")


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
            raise argparse.ArgumentTypeError(f"must be {what}, got {text!r}")
        return value

    return read


def _cells(text: str) -> list[str]:
    names = [name for name in text.split(",") if name]
    unknown = [name for name in names if name not in ILLUSTRATED]
    if unknown or not names:
        what = f"unknown cell {unknown[0]!r}" if unknown else "no cell"
        raise argparse.ArgumentTypeError(f"{what}; there are {', '.join(ILLUSTRATED)}")
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise argparse.ArgumentTypeError(
            f"{twice[0]} is there twice, and would be drawn with one curve; name each cell once"
        )
    return names


def _window(text: str) -> tuple[int, int]:
    first, comma, last = text.partition(",")
    if not (comma and first.strip().isdigit() and last.strip().isdigit()):
        raise argparse.ArgumentTypeError(f"must be two integers such as 3,2, got {text!r}")
    return int(first), int(last)


def _steps_of_a_page(text: str) -> float:
    steps = _count(text)
    if steps > LONGEST_PAGE:
        raise argparse.ArgumentTypeError(
            f"a page has at most {LONGEST_PAGE} steps, got {text!r}: what it shows repeats itself "
            "from step to step, and it grows with each; for how far back gradients reach: "
            f"python -m rnn flow --length {text}"
        )
    return steps


_count = _number(int, 1, "an integer >= 1")
_seed = _number(int, 0, "an integer >= 0")
_positive = _number(float, 0, "a number > 0", open_end=True)
_temperature = _number(float, 0, "a number >= 0")


def parser() -> _Parser:
    """The parser; ``parse_args`` gives options, with the command's name as ``command``."""
    parser = _Parser(
        prog="python -m rnn",
        description="Train small recurrent networks, and see what backpropagation through time "
        "does in them.",
        epilog="To begin with: python -m rnn demo",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in (_add_demo, _add_train, _add_sample, _add_draw, _add_bptt, _add_flow):
        add(commands)
    add_loops(commands, _count, _seed, _positive)
    _add_systems(commands)
    return parser


Commands: TypeAlias = "argparse._SubParsersAction[_Parser]"


def _add_demo(commands: Commands) -> None:
    demo = _command(
        commands,
        "demo",
        "train on the Declaration of Independence, sample, and draw the unrolled graph",
        "Trains a character-level LSTM on the United States' Declaration of Independence, prints\n"
        "what it writes before and after, and draws the unrolled computation graph of a few steps\n"
        "with the gradients that flow back through it.",
    )
    _add_out(demo, str, "demo", "the folder to write to", "FOLDER")
    _add(demo, "--steps", _count, 1200, "steps of the training")
    _add(demo, "--seed", _seed, 0, "same seed, same numbers")
    _add_flag(demo, "--quiet", "no progress bar")


def _add_train(commands: Commands) -> None:
    train = _command(
        commands,
        "train",
        "train a network on a task, and save it",
        "Trains a network on a task. Ctrl-C saves and stops; the same command with --resume goes\n"
        "on from there, with exactly the numbers that it would have had.",
        """tasks:
  characters   the next character of a text (--text, by default the Declaration)
  words        the next word of a text
  adding       the sum of two marked numbers in a sequence of --length
  digit-sum    the sum of the first two digits of a sequence of --length

example:
  python -m rnn train characters --text poems.txt --cell gru --out poems.npz
  python -m rnn sample poems.npz --prompt 'The '""",
    )
    train.add_argument("task", choices=list(TASKS), metavar="TASK", help="one of those below")
    train.add_argument("--text", metavar="FILE", help="a UTF-8 text, for characters and words")
    _add_choice(train, "--cell", list(CELLS), "lstm", "the kind of recurrent cell")
    _add(train, "--hidden", _count, 64, "number of hidden units: the length of the state h")
    _add(train, "--length", _count, 32, "steps of a sequence; of a text, between two cuts of BPTT")
    _add(train, "--batch", _count, 16, "sequences side by side")
    _add(train, "--steps", _count, 1000, "steps of the training, those before --resume included")
    _add(train, "--lr", _positive, 5e-3, "learning rate, of Adam")
    _add(train, "--clip", _positive, 1.0, "largest norm of the gradient")
    _add(train, "--every", _count, 100, "validate and save every so many steps")
    _add(train, "--patience", _count, None, "stop after so many validations without improvement")
    _add(train, "--seed", _seed, 0, "same seed, same numbers")
    _add_out(train, str, "model.npz", "the checkpoint")
    train.add_argument("--log", metavar="FILE", help="write a CSV file with one row a step")
    begin = train.add_mutually_exclusive_group()
    begin.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    begin.add_argument(
        "--overwrite", action="store_true", help="start anew, whatever the checkpoint keeps"
    )
    _add_flag(train, "--quiet", "no progress bar")


def _add_sample(commands: Commands) -> None:
    sample = _command(
        commands,
        "sample",
        "let a trained language model write",
        "Lets a language model that `train characters` or `train words` saved write text: each\n"
        "token is drawn from what the model says, and read as the next input.",
        "example:\n  python -m rnn sample model.npz --prompt 'We hold ' --temperature 0.5",
    )
    sample.add_argument("checkpoint", metavar="CHECKPOINT", help="a file that train has written")
    sample.add_argument(
        "--prompt",
        metavar="TEXT",
        help="what the text begins with (default: The, if the model knows it)",
    )
    _add(sample, "--length", _count, 300, "how many characters or words to write")
    _add(sample, "--temperature", _temperature, 0.7, "low: likely tokens; 0: always the likeliest")
    _add(sample, "--seed", _seed, 0, "same seed, same text")


_CELLS_HELP = """cells:
  rnn            h_t = tanh(W x_t + U h_{t-1} + b)
  gru            reset gate after the product, as in PyTorch
  gru-before     reset gate before the product, as in Cho et al. 2014
  gru-simple     no reset gate
  lstm           input, forget and output gate, as in PyTorch
  lstm-1997      no forget gate, as in Hochreiter and Schmidhuber 1997
  lstm-coupled   forget gate 1 - i
  lstm-peephole  gates that also see the cell state c
  linear         h_t = h_{t-1} + tanh(W x_t + b)
  residual       h_t = h_{t-1} + tanh(W x_t + U h_{t-1} + b)
  ctrnn          neurons in continuous time, in Euler steps"""


def _add_draw(commands: Commands) -> None:
    draw = _command(
        commands,
        "draw",
        "draw the unrolled graph of a cell",
        "Runs a cell over a few random inputs and draws the computation graph that this makes,\n"
        "with a loss at every step.",
        f"""{_CELLS_HELP}

views:
  operations     a box for every operation
  variables      a box for every variable; arrows say by which operation it came about
  gates          a box for every gate, with its formula
  cells          a box for the cell at every step
  layers         a box for the layer over all steps

example:
  python -m rnn draw --cell gru --steps 3 --gradients -o gru.svg""",
    )
    _add_choice(draw, "--cell", list(ILLUSTRATED), "lstm", "one of the cells below", "CELL")
    _add(draw, "--steps", _count, 4, "how many steps")
    _add_choice(draw, "--view", view_names(), "gates", "one of the views below", "VIEW")
    _add_choice(
        draw,
        "--time",
        ["unrolled", "folded", "both"],
        "unrolled",
        "one column a step, the cell once with its delays, or both",
    )
    draw.add_argument(
        "--window",
        type=_window,
        metavar="A,B",
        help="of a long sequence, draw only the first A steps and the last B",
    )
    _add_flag(draw, "--gradients", "draw what flows back through the graph, too")
    _add_flag(draw, "--rails", "draw each shared parameter once, as a rail")
    _add_flag(draw, "--values", "show the values, or their shapes")
    _add_choice(draw, "--theme", list(THEMES), "light", "colors")
    _add(draw, "--seed", _seed, 0, "of the random numbers")
    _add_picture(draw, "unrolled.svg", "svg", "png", "pdf", "html", "tex", "dot")


def _add_bptt(commands: Commands) -> None:
    bptt = _command(
        commands,
        "bptt",
        "make a page on which to step through backpropagation through time",
        "Runs a cell over a few random inputs and writes one HTML file on which to follow every\n"
        "step of the forward pass and of the reverse sweep, with all numbers, in a browser. It\n"
        "needs no network.",
        f"{_CELLS_HELP}\n\nexample:\n  python -m rnn bptt --cell lstm --steps 6 -o bptt.html",
    )
    _add_choice(bptt, "--cell", list(ILLUSTRATED), "lstm", "one of the cells below", "CELL")
    _add(bptt, "--steps", _steps_of_a_page, 4, f"how many steps, up to {LONGEST_PAGE}")
    _add(bptt, "--seed", _seed, 0, "of the random numbers")
    _add_picture(bptt, "bptt.html", "html")


def _add_flow(commands: Commands) -> None:
    flow = _command(
        commands,
        "flow",
        "compare how far back the gradients of several cells reach",
        "Runs untrained cells on random inputs, differentiates the last output with respect to\n"
        "the state at every step, prints a table, and draws it on a logarithmic axis.",
        f"{_CELLS_HELP}\n\nexample:\n  python -m rnn flow --cells rnn,lstm --length 50 -o flow.svg",
    )
    flow.add_argument(
        "--cells",
        type=_cells,
        default=list(CELLS),
        metavar="A,B,...",
        help=f"which cells to compare, of those below (default: {','.join(CELLS)})",
    )
    _add(flow, "--length", _count, 100, "steps of the sequence")
    _add(flow, "--hidden", _count, 32, "number of hidden units: the length of the state h")
    _add(flow, "--inputs", _count, 4, "length of an input x")
    _add(flow, "--batch", _count, 8, "sequences side by side")
    _add(flow, "--seed", _seed, 0, "same seed, same numbers")
    _add_picture(flow, "flow.svg", "svg", "png", "pdf")


def _add_systems(commands: Commands) -> None:
    systems = _command(
        commands,
        "systems",
        "find a system of the lecture notes by its English or Chinese name",
        "Lists the systems of the lecture notes; with a word, shows those that are called so:\n"
        "formula, call, picture, example and test.",
        "examples:\n  python -m rnn systems peephole\n  python -m rnn systems 窥视孔",
    )
    systems.add_argument("word", metavar="WORD", nargs="?", help="part of a name")


# --- arguments that several commands have --------------------------------------------------------


def _command(
    commands: Commands, name: str, short: str, description: str, epilog: str = ""
) -> _Parser:
    parser = commands.add_parser(
        name,
        help=short,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=name, prog=parser.prog)
    return parser


def _add(
    parser: _Parser,
    name: str,
    kind: Callable[[str], float],
    default: float | None,
    text: str,
) -> None:
    shown = "" if default is None else f" (default: {default:g})"
    parser.add_argument(name, type=kind, default=default, metavar="N", help=text + shown)


def _add_choice(
    parser: _Parser,
    name: str,
    choices: Sequence[str],
    default: str,
    text: str,
    metavar: str | None = None,
) -> None:
    parser.add_argument(
        name, choices=choices, default=default, metavar=metavar, help=f"{text} (default: {default})"
    )


def _add_flag(parser: _Parser, name: str, text: str) -> None:
    parser.add_argument(name, action="store_true", help=text)


def _add_out(
    parser: _Parser, kind: Callable[[str], str], default: str, text: str, metavar: str = "FILE"
) -> None:
    parser.add_argument(
        "-o",
        "--out",
        type=kind,
        default=default,
        metavar=metavar,
        help=f"{text} (default: {default})",
    )


def _add_picture(parser: _Parser, default: str, *endings: str) -> None:
    known = ", ".join(f".{ending}" for ending in endings)

    def read(text: str) -> str:
        if Path(text).suffix.lstrip(".") not in endings:
            raise argparse.ArgumentTypeError(f"{text!r} must end in one of {known}")
        return text

    _add_out(parser, read, default, f"the file to write: {known}")
