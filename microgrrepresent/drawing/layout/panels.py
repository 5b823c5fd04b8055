"""The frames around the steps, and what they are called."""

from __future__ import annotations

from collections.abc import Sequence

from microgrrepresent.drawing.layout.blocks import Block
from microgrrepresent.drawing.layout.grid import MARGIN, Grid
from microgrrepresent.drawing.layout.rows import TITLE, has_room
from microgrrepresent.drawing.marks.labels import Line, Run, raised, text, width
from microgrrepresent.drawing.marks.picture import FONT, Panel
from microgrrepresent.drawing.time.layers import layers_in

CLEAR = 4.0
"""Between a title and a line."""
GRADIENT = 9.0
"""So much farther from a line reaches the gradient that runs back beside it."""

Times = Sequence[int | str | None]


def title_of(t: int | str, is_short: bool = False) -> Line:
    """``t = 3``, or ``each step t``, in short ``step t``."""
    if isinstance(t, str):
        return (Run("step " if is_short else "each step "), Run(t, True))
    return (Run("t", True), Run(f" = {t}"))


def panels(grid: Grid, times: Times) -> list[Panel]:
    """A frame around each recurrence at each step; its title says the step and the scope."""
    framed = {level: row for level, row in grid.rows.items() if row.framed}
    made = []
    scopes = _scopes([block for level in framed for block in grid.blocks.rows[level]])
    for level, row in framed.items():
        for block in grid.blocks.rows[level]:
            t = times[block.column - 1] if 0 < block.column <= len(times) else None
            if t is None:
                continue
            title = title_of(t)
            scope = scopes[block]
            if any(box.backward for box in block.boxes):
                scope = (Run("backward"),)
            left = grid.at[block][0] - MARGIN
            right = left + grid.tiles[block].width + 2 * MARGIN
            long = (*title, Run(", "), *scope)
            fits = width((long,), FONT) <= right - left - MARGIN
            if row.roof - MARGIN - grid.at[block][1] < TITLE + grid.tiles[block].height:
                top = row.roof - MARGIN - grid.at[block][1]
                fits = fits and has_room(grid, block, top, width((long,), FONT))
            right = max(right, left + width((title,), FONT) + MARGIN)
            titles = [long] if len(framed) > 1 and scope and fits else []
            for words in (*titles, title, title_of(t, is_short=True)):
                at = _title_left(grid, block, left, right, width((words,), FONT))
                if at is not None:
                    title = words
                    break
            at = left + 8 if at is None else at
            name = f"t{block.column}/{level}"
            made.append(Panel(name, (title,), left, row.floor, right, row.roof, at, block.column))
    return made


def _title_left(grid: Grid, block: Block, left: float, right: float, wide: float) -> float | None:
    """Where in its panel a title begins: as far to the left as no arrow crosses it, or nowhere."""
    up = [grid.at[block][0] + x for c, (x, _) in grid.ports(block) if c.side == "above"]
    last = right - 10 - wide
    near = CLEAR + GRADIENT * grid.traced[block].sketch.is_double
    places = (left + 8, *(x + near + 2 for x in sorted(up) if left + 4 < x < last - near), last)
    clear = (x for x in places if not any(x - near < other < x + wide + near for other in up))
    return next(clear, None)


def _scopes(blocks: Sequence[Block]) -> dict[Block, Line]:
    """What a title says of each block: the scope that its operations have in common.

    A layer is called what its network is, with its mark: rnn^(2)→.
    """
    layers = layers_in(node for block in blocks for box in block.boxes for node in box.nodes)
    words: dict[Block, Line] = {}
    for block in blocks:
        scope = _scope(block)
        network, mark = layers.network(scope), layers.mark(scope)
        name = network.rpartition("/")[2] if network != scope else scope
        words[block] = (*text(name), *raised(mark[1:])) if name else ()
    return words


def _scope(block: Block) -> str:
    """The outermost scope of the operations of a block, or what they have in common of it."""
    scopes = {n.scope for b in block.boxes if b.kind != "chip" for n in b.nodes if n.op is not None}
    return min(scopes, key=len, default="")
