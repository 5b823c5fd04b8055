"""Parameters of one name: each gets a mark beside its letter, and the legend says what it is for.

Every layer of a stack has a b. Colors alone cannot say which is which: there are only so many that
all readers can tell apart, and none on black and white paper.
"""

from __future__ import annotations

from collections import defaultdict
from string import ascii_lowercase

from microgrrepresent.drawing.marks.labels import SUP, Line, Run, text
from microgrrepresent.drawing.marks.picture import Box, Picture
from microgrrepresent.drawing.marks.sizes import fit
from microgrrepresent.drawing.time.timeline import Timeline
from microgrrepresent.node import Node

WORDS = 0.95
"""Size of the words below the letter of a parameter, relative to it."""


def tell_apart(picture: Picture, time: Timeline) -> None:
    """Mark the boxes and chips of parameters that have one name, in place."""
    boxes: dict[int, list[Box]] = defaultdict(list)
    for i, box in enumerate(picture.boxes):
        if box.color is not None:
            boxes[box.color].append(box)
        elif box.kind == "parameter":  # of a graph without steps, in which none has a color
            boxes[-1 - i].append(box)
    colors: dict[Line, list[int]] = defaultdict(list)
    for color, group in boxes.items():
        for label in dict.fromkeys(box.label[0] for box in group):
            colors[label].append(color)
    for label, rivals in colors.items():
        if len(rivals) < 2:
            continue
        scopes = {color: _scope(boxes[color], time) for color in rivals}
        for i, color in enumerate(rivals):
            for box in boxes[color]:
                if box.label[0] == label:
                    box.label = ((*label[:1], _letter(i), *label[1:]), *box.label[1:])
                    if box.kind != "chip" and scopes[color]:
                        box.label = (*box.label, text(scopes[color], size=WORDS))
                    fit(box)


def _letter(i: int) -> Run:
    n, letter = divmod(i, len(ascii_lowercase))
    return Run(ascii_lowercase[letter] + (str(n) if n else ""), False, "sup", SUP)


def _scope(boxes: list[Box], time: Timeline) -> str:
    """The scope in which a parameter is made, or else the one in which it is first used."""
    todo: list[Node] = [node for box in boxes if box.kind != "chip" for node in box.nodes]
    seen = set(todo)
    for node in todo:
        if node.scope:
            return node.scope
        users = dict.fromkeys(user for user in time.users(node) if user not in seen)
        seen.update(users)
        todo += users
    return ""
