"""Gates in colors of their own: every forget gate is recognized as one, at every step."""

from __future__ import annotations

import re
from collections.abc import Mapping

from microgrrepresent.drawing.marks.picture import Picture
from microgrrepresent.errors import DrawingError

TINTS = ("#f7c5a8", "#bfe3c0", "#bcd9f2", "#e3c4e8", "#f4e2a0", "#c9ced6")
"""Light enough for black letters on them."""


def color_gates(picture: Picture, colors: Mapping[str, str] | bool) -> None:
    """Give the boxes of gates their colors, in place.

    Parameters
    ----------
    picture : Picture
        Its boxes know their nodes.
    colors : bool or mapping from str to str
        True for colors that are chosen here, in the order of the gates; or a color for each
        letter: ``{"f": "#ffcc99"}``.

    Raises
    ------
    DrawingError
        If a color is none, or there is no gate of a letter.
    """
    gates: dict[str, list[int]] = {}
    for i, box in enumerate(picture.boxes):
        if box.kind == "function":
            for node in box.nodes:
                if node.name and node.op is not None:
                    gates.setdefault(node.name, []).append(i)
    if colors is True:
        colors = {letter: TINTS[n % len(TINTS)] for n, letter in enumerate(gates)}
    if not isinstance(colors, Mapping):
        raise DrawingError(
            "draw: gate_colors is True, or a dict with a color for each gate: {'f': '#ffcc99'}; "
            f"given {colors!r}"
        )
    for letter, color in colors.items():
        if letter not in gates:
            known = f"it has {', '.join(gates)}" if gates else "it has none"
            raise DrawingError(f"draw: gate_colors: there is no gate {letter!r} here; {known}")
        if not (isinstance(color, str) and re.fullmatch(r"#[0-9a-fA-F]{6}", color)):
            raise DrawingError(
                f"draw: gate_colors: a color is written like '#ffcc99'; given {color!r}"
            )
        for i in gates[letter]:
            picture.boxes[i].tint = color
