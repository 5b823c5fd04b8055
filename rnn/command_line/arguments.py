"""What the command line takes: commands, their arguments, and a refusal of everything else.

A refusal is one line and ends the program with exit status 2.
"""

from __future__ import annotations

import argparse
import math

from microgrrepresent import __version__
from microgrrepresent.drawing.marks.themes import THEMES
from microgrrepresent.drawing.views.choices import view_names
from microgrrepresent.equations import NOTATIONS
from rnn.command_line.flows import FORGETFUL, INITS
from rnn.command_line.illustration import ILLUSTRATED
from rnn.command_line.loop_arguments import add_loops
from rnn.command_line.model_options import MODELS_HELP, add_model_options
from rnn.command_line.options import (
    Commands,
    Parser,
    add,
    add_choice,
    add_flag,
    add_out,
    add_picture,
    command,
    count,
    positive,
    seed,
    temperature,
)
from rnn.command_line.picture_options import add_picture_options
from rnn.command_line.task import CELLS
from rnn.command_line.tasks import TASKS

LONGEST_PAGE = 100
"""Steps; the page of an LSTM has 43 kB a step."""


def parser() -> Parser:
    """The parser; ``parse_args`` gives options: ``command`` is the command's name, or None."""
    parser = Parser(
        prog="python -m rnn",
        description="Train small recurrent networks, and see what backpropagation through time "
        "does in them.",
        epilog="To begin with: python -m rnn demo",
    )
    parser.add_argument(
        "--version", action="version", version=f"microgrrepresent {__version__}", help="show it"
    )
    parser.set_defaults(command=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for add_command in (
        *(_add_demo, _add_train, _add_sample),
        *(_add_draw, _add_bptt, _add_equations, _add_flow, _add_connectivity),
    ):
        add_command(commands)
    add_loops(commands)
    _add_systems(commands)
    return parser


def _add_demo(commands: Commands) -> None:
    demo = command(
        commands,
        "demo",
        "train on a text, sample, and draw the unrolled graph",
        "Trains a character-level LSTM on the United States' Declaration of Independence, prints\n"
        "what it writes before and after, and draws the unrolled computation graph of a few steps\n"
        "with the gradients that flow back through it.",
    )
    add_out(demo, str, "demo", "the folder to write to", "FOLDER")
    add(demo, "--steps", count, 1200, "steps of the training")
    add(demo, "--seed", seed, 0, "same seed, same numbers")
    add_flag(demo, "--quiet", "no progress bar")


def _add_train(commands: Commands) -> None:
    train = command(
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
  series       the next value of a time series, a column of a CSV file (--csv)

examples:
  python -m rnn train characters --text poems.txt --cell gru --out poems.npz
  python -m rnn sample poems.npz --prompt 'The '
  python -m rnn train series --csv weather.csv --column temperature""",
    )
    train.add_argument("task", choices=list(TASKS), metavar="TASK", help="one of those below")
    train.add_argument("--text", metavar="FILE", help="a UTF-8 text, for characters and words")
    train.add_argument("--csv", metavar="FILE", help="a table, a row for each time, for series")
    train.add_argument("--column", metavar="NAME", help="which of its columns, by name or number")
    add_choice(train, "--cell", list(CELLS), "lstm", "the kind of recurrent cell")
    add(train, "--hidden", count, 64, "number of hidden units: the length of the state h")
    add(train, "--length", count, 32, "steps of a sequence; of a text, between two cuts of BPTT")
    add(train, "--batch", count, 16, "sequences side by side")
    add(train, "--steps", count, 1000, "steps of the training, those before --resume included")
    add(train, "--lr", positive, 5e-3, "learning rate, of Adam")
    add(train, "--clip", positive, 1.0, "largest norm of the gradient")
    add(train, "--every", count, 100, "validate and save every so many steps")
    add(train, "--patience", count, None, "stop after so many validations without improvement")
    add(train, "--seed", seed, 0, "same seed, same numbers")
    add_out(train, str, "model.npz", "the checkpoint")
    train.add_argument("--log", metavar="FILE", help="write a CSV file with one row a step")
    begin = train.add_mutually_exclusive_group()
    begin.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    begin.add_argument(
        "--overwrite", action="store_true", help="start anew, whatever the checkpoint keeps"
    )
    add_flag(train, "--quiet", "no progress bar")


def _add_sample(commands: Commands) -> None:
    sample = command(
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
    add(sample, "--length", count, 300, "how many characters or words to write")
    add(sample, "--temperature", temperature, 0.7, "low: likely tokens; 0: always the likeliest")
    add(sample, "--seed", seed, 0, "same seed, same text")


_CELLS_HELP = """cells:
  rnn            h_t = tanh(W x_t + U h_{t-1} + b)
  gru            reset gate after the product, as in PyTorch
  gru-before     reset gate before the product, as in Cho et al. 2014
  gru-ng         reset gate before the product, and an update gate that writes, as Ng has it
  gru-simple     no reset gate
  lstm           input, forget and output gate, as in PyTorch
  lstm-1997      no forget gate, as in Hochreiter and Schmidhuber 1997
  lstm-coupled   forget gate 1 - i
  lstm-peephole  gates that also see the cell state c
  linear         h_t = h_{t-1} + tanh(W x_t + b)
  residual       h_t = h_{t-1} + tanh(W x_t + U h_{t-1} + b)
  ctrnn          neurons in continuous time, in Euler steps"""


def _add_draw(commands: Commands) -> None:
    draw = command(
        commands,
        "draw",
        "draw the unrolled graph of a cell or a model",
        "Runs a cell, or a model, over a few random inputs or over words, and draws the\n"
        "computation graph that this makes, with its loss.",
        f"""{_CELLS_HELP}

{MODELS_HELP}

views:
  operations     a box for every operation
  variables      a box for every variable; arrows say by which operation it came about
  gates          a box for every gate, with its formula
  cells          a box for the cell at every step
  layers         a box for the layer over all steps

examples:
  python -m rnn draw --cell gru --steps 3 --gradients -o gru.svg
  python -m rnn draw --cell lstm --layers 2 --bidirectional --view cells
  python -m rnn draw --model attention --words "I went home" --to "我 回 家"
  python -m rnn draw --cell rnn --steps 3 --size slide --frames -o bptt.pptx""",
    )
    add_model_options(draw)
    draw.add_argument(
        "--types",
        action="store_const",
        const="types",
        dest="model",
        help="the five types of inputs and outputs: --model types",
    )
    draw.add_argument(
        "--view",
        choices=view_names(),
        metavar="VIEW",
        help="one of the views below (default: gates for a cell, cells for a model)",
    )
    add_choice(
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
    add_flag(draw, "--gradients", "draw what flows back through the graph, too")
    add_flag(draw, "--frames", "frame by frame, forward and back: .gif, .pdf, .pptx or .html")
    add_flag(draw, "--rails", "draw each shared parameter once, as a rail")
    add_flag(draw, "--values", "show the values, or their shapes")
    add_choice(draw, "--theme", list(THEMES), "light", "colors")
    add_picture_options(draw)
    formats = "svg", "png", "pdf", "html", "pptx", "gif", "tex", "dot"
    add_picture(draw, "unrolled.svg", *formats)


def _add_bptt(commands: Commands) -> None:
    bptt = command(
        commands,
        "bptt",
        "make a page that steps through backpropagation",
        "Runs a cell over a few random inputs and writes one HTML file on which to follow every\n"
        "step of the forward pass and of the reverse sweep, with all numbers, in a browser. It\n"
        "needs no network.",
        f"{_CELLS_HELP}\n\n{MODELS_HELP}\n\nexample:\n"
        "  python -m rnn bptt --cell lstm --steps 6 -o bptt.html",
    )
    add_model_options(bptt, _steps_of_a_page)
    add_picture(bptt, "bptt.html", "html")


def _add_equations(commands: Commands) -> None:
    equations = command(
        commands,
        "equations",
        "print the equations of a cell, in the letters of a course",
        "Prints the equations of one step, read off the graph that it records.",
        f"{_CELLS_HELP}\n\n{MODELS_HELP}\n\nexample:\n"
        "  python -m rnn equations --cell gru --notation ng",
    )
    explain = command(
        commands,
        "explain",
        "print the chain rule of a gradient, step by step",
        "Prints how the gradient of the loss with respect to a parameter comes about: the forward\n"
        "pass, the way back, and the sum over time.",
        f"{_CELLS_HELP}\n\n{MODELS_HELP}\n\nexample:\n"
        "  python -m rnn explain --cell rnn --of W_hh --notation nndl",
    )
    explain.add_argument(
        "--of", metavar="NAME", help="the parameter (default: W_hh, or else the first)"
    )
    for parser in (equations, explain):
        add_model_options(parser)
        add_choice(parser, "--notation", list(NOTATIONS), "pytorch", "whose letters")


def _add_flow(commands: Commands) -> None:
    flow = command(
        commands,
        "flow",
        "compare how far back the gradients of several cells reach",
        "Runs untrained cells on random inputs, differentiates the last output with respect to\n"
        "the state at every step, prints a table, and draws it on a logarithmic axis.",
        f"{_CELLS_HELP}\n\nexamples:\n"
        "  python -m rnn flow --cells rnn,lstm --length 50 -o flow.svg\n"
        "  python -m rnn flow --cells all -o flow.png\n"
        "  python -m rnn flow --cells lstm --forget-bias 0,1,3\n"
        "  python -m rnn flow --cells gru --layers 2 --bidirectional --units",
    )
    flow.add_argument(
        "--cells",
        type=_cells,
        default=list(CELLS),
        metavar="A,B,...",
        help=f"which cells to compare, of those below, or all (default: {','.join(CELLS)})",
    )
    add(flow, "--length", count, 100, "steps of the sequence")
    add(flow, "--hidden", count, 32, "number of hidden units: the length of the state h")
    add(flow, "--layers", count, 1, "layers, one on the other")
    add_flag(flow, "--bidirectional", "run in two directions")
    flow.add_argument(
        "--forget-bias",
        type=_numbers,
        metavar="B,...",
        help=f"first value of the forget gate's bias, a network for each ({', '.join(FORGETFUL)})",
    )
    add_choice(flow, "--init", INITS, "default", "first values of the matrices from state to state")
    add_choice(flow, "--output", ["last", "all"], "last", "which outputs are differentiated")
    add_flag(flow, "--units", "of one cell: gates and gradients of every unit, as heat maps")
    add(flow, "--inputs", count, 4, "length of an input x")
    add(flow, "--batch", count, 8, "sequences side by side")
    add(flow, "--seed", seed, 0, "same seed, same numbers")
    add_picture(flow, "flow.svg", "svg", "png", "pdf")


def _add_connectivity(commands: Commands) -> None:
    heard = command(
        commands,
        "connectivity",
        "show to which earlier letters a language model listens",
        "Lets a language model that `train characters` or `train words` saved read a text, and\n"
        "draws how much the loss of each prediction depends on each token that was read: the norm\n"
        "of dL_t/dx_k. On the page, .html, point at a letter.",
        "example:\n  python -m rnn connectivity model.npz --text 'We hold these truths'",
    )
    heard.add_argument("checkpoint", metavar="CHECKPOINT", help="a file that train has written")
    heard.add_argument(
        "--text", metavar="TEXT", help="what is read (default: the beginning of the Declaration)"
    )
    add_picture(heard, "connectivity.html", "html", "svg", "png", "pdf")


def _add_systems(commands: Commands) -> None:
    systems = command(
        commands,
        "systems",
        "find a system of the notes by its English or Chinese name",
        "Lists the systems of the lecture notes; with words, shows those that are called so:\n"
        "formula, call, picture, example and test.",
        "examples:\n  python -m rnn systems peephole\n  python -m rnn systems vanishing gradient\n"
        "  python -m rnn systems 窥视孔",
    )
    systems.add_argument("word", metavar="WORD", nargs="*", help="a name, or words of it")


def _cells(text: str) -> list[str]:
    names = list(ILLUSTRATED) if text == "all" else [name for name in text.split(",") if name]
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


def _numbers(text: str) -> list[float]:
    try:
        numbers = [float(number) for number in text.split(",")]
    except ValueError:
        numbers = []
    if not numbers or not all(map(math.isfinite, numbers)) or len(set(numbers)) < len(numbers):
        raise argparse.ArgumentTypeError(f"must be numbers such as 0,1,3, got {text!r}")
    return numbers


def _window(text: str) -> tuple[int, int]:
    first, comma, last = text.partition(",")
    if not (comma and first.strip().isdigit() and last.strip().isdigit()):
        raise argparse.ArgumentTypeError(f"must be two integers such as 3,2, got {text!r}")
    return int(first), int(last)


def _steps_of_a_page(text: str) -> float:
    steps = count(text)
    if steps > LONGEST_PAGE:
        raise argparse.ArgumentTypeError(
            f"a page has at most {LONGEST_PAGE} steps, got {text!r}: what it shows repeats itself "
            "from step to step, and it grows with each; for how far back gradients reach: "
            f"python -m rnn flow --length {text}"
        )
    return steps
