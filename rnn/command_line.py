"""The command line: ``python -m rnn demo``, ``train``, ``sample``, ``draw``, ``flow``, ``bptt``.

Exit status: 0 if all went well; 1 if a training broke down; 2 if something was asked for that
cannot be done, with one line that says what; 130 after Ctrl-C, which saves first.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np

from microgrrepresent import backward
from microgrrepresent.drawing import save
from microgrrepresent.drawing.themes import THEMES
from microgrrepresent.drawing.views import VIEWS
from microgrrepresent.errors import DrawingError
from rnn.checkpoint import load_checkpoint
from rnn.decoding import prompt, sample
from rnn.errors import CheckpointError, DataError, NonFiniteError, StateDictError
from rnn.illustration import ILLUSTRATED, illustration
from rnn.optim import Adam
from rnn.tasks import CELLS, TASKS, LanguageTask, Settings, load_task
from rnn.training import fit

_REFUSALS = (CheckpointError, DataError, DrawingError, StateDictError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, and return its exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default, those of the command line.
    """
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
        return status
    except _REFUSALS as error:
        return _said(options, error, 2)
    except NonFiniteError as error:
        return _said(options, error, 1)
    except KeyboardInterrupt:
        return _said(options, "interrupted", 130)
    except BrokenPipeError:  # such as in `python -m rnn sample ... | head`
        sys.stderr.close()
        return 1
    except OSError as error:
        return _said(options, f"{error.filename or 'a file'}: {error.strerror or error}", 2)


def _said(options: argparse.Namespace, message: object, status: int) -> int:
    print(f"{options.prog}: {message}", file=sys.stderr)
    return status


# --- the commands --------------------------------------------------------------------------------


def _demo(options: argparse.Namespace) -> int:
    from rnn.demo import demo

    return 0 if demo(options.out, options.steps, options.seed, not options.quiet) else 130


def _train(options: argparse.Namespace) -> int:
    settings = Settings(options.cell, options.hidden, options.length, options.batch, options.text)
    rng = np.random.default_rng(options.seed)
    task = TASKS[options.task](settings, rng)
    optimizer = Adam(task.model.parameters(), options.lr)
    out, extra = Path(options.out), task.extra()
    if options.resume:
        before = load_checkpoint(out).get("extra")
        if before != extra:
            raise CheckpointError(
                f"{out} is a checkpoint of another training ({_told_apart(before, extra)}); give "
                "the arguments that it was made with, or another --out"
            )
    history = fit(
        task.model,
        task.batches,
        task.loss,
        optimizer,
        rng,
        steps=options.steps,
        carry=task.carry,
        clip=options.clip,
        validate=task.validate,
        patience=options.patience,
        every=options.every,
        checkpoint=out,
        resume=options.resume,
        extra=extra,
        log=options.log,
        show=task.show,
        progress=not options.quiet,
    )
    ended = {"done": "", "early": ", stopped early", "interrupted": ", interrupted"}
    print(f"{task.name}, {history.steps} steps{ended[history.stopped]}: {task.verdict()}")
    again = f"python -m rnn train {task.name} ... --out {out} --resume"
    if history.stopped == "interrupted":
        print(f"Saved: {out}. To go on, add --resume to the same command: {again}")
        return 130
    more = f"; try: python -m rnn sample {out}" if isinstance(task, LanguageTask) else ""
    print(f"Saved: {out}{more}")
    return 0


def _told_apart(before: object, now: object) -> str:
    """In what two trainings differ, in a few words."""
    if not isinstance(before, dict) or not isinstance(now, dict):
        return "not made by `python -m rnn train`"
    a, b = ({"task": d.get("task")} | d.get("settings", {}) for d in (before, now))
    different = [f"{key} {a.get(key)}, not {b[key]}" for key in b if a.get(key) != b[key]]
    return "; ".join(different) or "its text was another"


def _sample(options: argparse.Namespace) -> int:
    task = load_task(options.checkpoint)
    if not isinstance(task, LanguageTask):
        raise CheckpointError(
            f"{options.checkpoint} is a model of the task {task.name!r}, which writes no text; "
            "train one of characters or words"
        )
    vocabulary, model = task.vocabulary, task.model
    opening = vocabulary.encode(options.prompt)[:, None]
    if not len(opening):
        raise DataError("--prompt needs at least one character or word to go on from")
    rng = np.random.default_rng(options.seed)
    state = prompt(model.step, opening[:-1])
    drawn = sample(
        model.step,
        opening[-1],
        options.length,
        rng,
        state=state,
        temperature=options.temperature,
    )[0]
    between = "" if vocabulary.unit == "character" else " "
    print(options.prompt + between + vocabulary.decode(drawn.tokens))
    return 0


def _draw(options: argparse.Namespace) -> int:
    L, _ = illustration(options.cell, options.steps, seed=options.seed)
    Path(options.out).parent.mkdir(parents=True, exist_ok=True)
    save(
        L,
        options.out,
        view=options.view,
        gradients=backward(L) if options.gradients else None,
        theme=options.theme,
    )
    print(f"Written: {options.out}")
    return 0


def _flow(options: argparse.Namespace) -> int:
    from rnn.diagnose import gradient_flow

    rng = np.random.default_rng(options.seed)
    cells = {name: CELLS[name](options.inputs, options.hidden, rng=rng) for name in options.cells}
    xs = rng.standard_normal((options.length, options.batch, options.inputs))
    flow = gradient_flow(cells, xs)
    print(f"Size of the gradient of the last output with respect to the states, by step:\n\n{flow}")
    Path(options.out).parent.mkdir(parents=True, exist_ok=True)
    try:
        flow.save(options.out)
    except ModuleNotFoundError as error:
        raise DrawingError(str(error)) from error
    print(f"\nWritten: {options.out}")
    return 0


# --- the arguments -------------------------------------------------------------------------------


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


def _parser() -> _Parser:
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
        _demo,
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
        _train,
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
        _sample,
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
        _draw,
        "draw the unrolled graph of a cell",
        "Runs a cell over a few random inputs and draws the computation graph that this makes, "
        "with a loss at every step.",
    )
    draw.add_argument(
        "--cell",
        choices=list(ILLUSTRATED),
        default="lstm",
        metavar="CELL",
        help=f"{', '.join(ILLUSTRATED)} (default: lstm)",
    )
    _add(draw, "--steps", _count, 4, "how many steps")
    draw.add_argument(
        "--view", choices=list(VIEWS), default="gates", help="what a box is (default: gates)"
    )
    draw.add_argument(
        "--gradients", action="store_true", help="draw what flows back through the graph, too"
    )
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

    flow = _command(
        commands,
        "flow",
        _flow,
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
    run: Callable[[argparse.Namespace], int],
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
    parser.set_defaults(run=run, prog=parser.prog)
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
