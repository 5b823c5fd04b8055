"""The options of ``python -m rnn draw`` that say how a picture looks, and what it points at."""

from __future__ import annotations

import argparse

from microgrrepresent.drawing.layout.page import PAGES
from microgrrepresent.equations import NOTATIONS
from rnn.command_line.options import Parser, add_choice, add_flag, count, positive


def add_picture_options(draw: Parser) -> None:
    """Add them to the parser of a command."""
    draw.add_argument(
        "--size",
        type=_page,
        metavar="PAGE",
        help="fit the picture to a page: slide (1600 x 900), paper (12 x 9 cm), or 1280x720",
    )
    add_choice(draw, "--direction", ["right", "up"], "right", "where time runs to")
    draw.add_argument("--font-size", type=positive, metavar="N", help="points, instead of 14")
    draw.add_argument("--title", metavar="TEXT", help="words above the picture")
    draw.add_argument(
        "--labels",
        type=_letters,
        metavar="A=B,...",
        help=f"other letters, h=s,target=y, or those of a course: {', '.join(NOTATIONS)}",
    )
    add_flag(draw, "--no-legend", "leave out the parameters beside their chips")
    add_flag(draw, "--no-loss", "leave out the loss, and what leads to it alone")
    add_flag(draw, "--no-targets", "leave out what the outputs are compared with")
    draw.add_argument(
        "--highlight",
        type=lambda text: int(text) if text.isdigit() else text,
        metavar="NAME",
        help="point at what has this name, such as a gate f, or is of this step",
    )
    draw.add_argument(
        "--emphasis", type=count, metavar="N", help="thick arrows for what is read N steps later"
    )
    add_flag(draw, "--gate-colors", "each gate in a color of its own")
    add_flag(draw, "--equations", "the equations of a step beside the picture")


def _page(text: str) -> str | tuple[int, int]:
    if text in PAGES:
        return text
    wide, x, high = text.partition("x")
    if not (x and wide.isdigit() and high.isdigit() and int(wide) and int(high)):
        raise argparse.ArgumentTypeError(
            f"must be one of {', '.join(PAGES)}, or pixels such as 1280x720, got {text!r}"
        )
    return int(wide), int(high)


def _letters(text: str) -> str | dict[str, str]:
    if text in NOTATIONS:
        return text
    pairs = [pair.partition("=") for pair in text.split(",")]
    if not all(name and sign and letter for name, sign, letter in pairs):
        raise argparse.ArgumentTypeError(
            f"must be one of {', '.join(NOTATIONS)}, or letters such as h=s,target=y, got {text!r}"
        )
    return {name.strip(): letter.strip() for name, _, letter in pairs}
