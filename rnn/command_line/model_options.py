"""The options of ``draw``, ``bptt``, ``explain`` and ``equations`` that say which model is run."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import fields

from rnn.command_line.illustration import ILLUSTRATED
from rnn.command_line.models import MODELS, Choices, Model, Recorded
from rnn.command_line.options import Parser, add, count, seed
from rnn.errors import DataError

MODELS_HELP = "models:\n" + "\n".join(
    f"  {name:<16}{model.about}" for name, model in MODELS.items()
)


def add_model_options(parser: Parser, steps: Callable[[str], float] = count) -> None:
    """Add them to the parser of a command; without a value they are None."""
    parser.add_argument(
        "--model", choices=list(MODELS), metavar="MODEL", default="cell",
        help="one of the models below (default: cell)",
    )  # fmt: skip
    parser.add_argument(
        "--cell", choices=list(ILLUSTRATED), metavar="CELL",
        help="one of the cells below (default: lstm)",
    )  # fmt: skip
    parser.add_argument("--steps", type=steps, metavar="N", help="how many steps (default: 4)")
    parser.add_argument("--layers", type=count, metavar="N", help="how many, one on the other")
    for name, text in (
        ("--bidirectional", "run in two directions"),
        ("--per-gate", "a product for each gate, instead of one for all"),
        ("--free", "a decoder that reads what it has written itself"),
    ):
        parser.add_argument(name, action="store_true", default=None, help=text)
    parser.add_argument(
        "--output", choices=["all", "last"], help="at which steps there is an output"
    )
    for name, text in (("--words", "what is read"), ("--to", "what a decoder writes")):
        parser.add_argument(
            name, type=_words, metavar="TEXT", help=f"{text}: words with spaces between them"
        )
    add(parser, "--seed", seed, 0, "of the random numbers")


def recorded(options: argparse.Namespace) -> tuple[Model, Recorded]:
    """Run the model that was asked for.

    Raises
    ------
    DataError
        If something was said that does not count for this model.
    """
    model = MODELS[options.model]
    known = {field.name for field in fields(Choices)} - {"seed"}
    given = {name: value for name in known if (value := getattr(options, name)) is not None}
    if ignored := sorted(given.keys() - set(model.takes)):
        takes = ", ".join(f"--{name.replace('_', '-')}" for name in model.takes) or "none of these"
        raise DataError(
            f"--model {options.model} takes no --{ignored[0].replace('_', '-')}; it takes {takes}"
        )
    if {"words", "steps"} <= given.keys() and "to" not in model.takes:
        raise DataError("--words has a step for each word; leave out --steps")
    return model, model.record(Choices(**given, seed=options.seed))


def _words(text: str) -> tuple[str, ...]:
    if not text.split():
        raise argparse.ArgumentTypeError("must be at least one word")
    return tuple(text.split())
