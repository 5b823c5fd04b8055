"""A picture without its loss, its targets, or its legend."""

from __future__ import annotations

from collections import defaultdict

from microgrrepresent.drawing.marks.picture import Arrow, Box, Picture


def leave_out(picture: Picture, loss: bool, targets: bool) -> None:
    """Take boxes away that are not to be shown, with their arrows, in place.

    Parameters
    ----------
    picture : Picture
        Boxes and arrows, before they have their places.
    loss, targets : bool
        Whether to show the loss, and what outputs are compared with.
    """
    if loss and targets:
        return
    model = _model(picture)
    gone = {
        box
        for box in picture.boxes
        if box not in model and (not loss or _is_target(box, picture.arrows))
    }
    remove(picture, gone)


def remove(picture: Picture, gone: set[Box]) -> None:
    """Take some boxes away, and the arrows that touch them."""
    picture.boxes = [box for box in picture.boxes if box not in gone]
    picture.arrows = [a for a in picture.arrows if a.tail not in gone and a.head not in gone]
    picture.legend = [box for box in picture.legend if box not in gone]


def _model(picture: Picture) -> set[Box]:
    """What outputs and states are made of, and they themselves."""
    into: dict[Box, list[Box]] = defaultdict(list)
    for arrow in picture.arrows:
        into[arrow.head].append(arrow.tail)
    used = {node for box in picture.boxes if box.kind == "chip" for node in box.nodes}
    todo = [
        box
        for box in picture.boxes
        if box.kind in ("output", "state", "cell", "parameter") or not used.isdisjoint(box.nodes)
    ]
    found = set(todo)
    for box in todo:
        new = [tail for tail in into[box] if tail not in found]
        found.update(new)
        todo += new
    return found


def _is_target(box: Box, arrows: list[Arrow]) -> bool:
    """Whether a box is an input that only the loss reads."""
    return box.kind == "input" and all(arrow.head is not box for arrow in arrows)
