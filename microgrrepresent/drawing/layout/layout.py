"""The layout of a whole picture.

A picture is cut into blocks, one for each step and level (`blocks`); blocks are sketched, and equal
sketches laid out once (`sketch`, `layered`); the tiles are put down in rows and columns
(`grid`), and the pieces of the arrows joined (`routes`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import replace

from microgrrepresent.drawing.layout.blocks import Block, Blocks, blocks
from microgrrepresent.drawing.layout.common_sketch import common_sketch
from microgrrepresent.drawing.layout.grid import MARGIN, Grid
from microgrrepresent.drawing.layout.layered import layered
from microgrrepresent.drawing.layout.outlines import Crossing, Port, Side
from microgrrepresent.drawing.layout.routes import collector, route
from microgrrepresent.drawing.layout.single_box import is_single_box, single_box
from microgrrepresent.drawing.layout.sketch import Sketch, Traced
from microgrrepresent.drawing.layout.tile import Tile
from microgrrepresent.drawing.layout.tracing import trace
from microgrrepresent.drawing.marks.labels import Line, Run, printable, width
from microgrrepresent.drawing.marks.picture import FONT, Arrow, Panel, Picture
from microgrrepresent.errors import DrawingError
from microgrrepresent.node import Node

TANGLED = 5_000_000
"""How many ranks the arrows of one block may pass in all."""


def arrange(picture: Picture, times: Sequence[int | str | None], advice: str) -> None:
    """Give every box its place and every arrow its path.

    Parameters
    ----------
    picture : Picture
        Changed in place.
    times : sequence of int, str or None
        The time index of each column from 1 on, None for a column of hidden steps; column 0 comes
        before, one more after them.
    advice : str
        What to do instead where a block is too tangled to be laid out.

    Raises
    ------
    DrawingError
        If it is.
    """
    T = len(times)
    cut = blocks(picture, range(1, T + 1))
    crossing = _Crossings(picture, T, cut)
    traced = {
        block: trace(block, crossing, crossing.passing if 0 < block.column <= T else {})
        for block in cut
    }
    known: dict[Sketch, Sketch] = {}  # equal ones are one, and ranked once
    for block, one in traced.items():
        traced[block] = replace(one, sketch=known.setdefault(one.sketch, one.sketch))
    recurrences = [block for block in cut if block.level % 2]
    beside = {b: forward for b in recurrences if (forward := _forward(b, cut)) is not None}
    laid = _lay({b: traced[b] for b in cut if b not in beside}, advice)
    for row in cut.rows.values():
        traced |= common_sketch([b for b in row if b in beside and 0 < b.column <= T], traced)
    hints: dict[Sketch, dict[int, float]] = {}  # of all steps, so that they have one tile
    for block, forward in beside.items():
        mine = _hints(block, traced, forward, laid[forward])
        hints[traced[block].sketch] = mine | hints.get(traced[block].sketch, {})
    hinted = {block: _with_hints(traced[block], hints) for block in beside}
    traced |= hinted
    laid |= _lay(hinted, advice)
    for block in cut:
        if 0 < block.column <= T and times[block.column - 1] is None:
            laid[block] = _elided(block, cut, traced, laid)
    grid = Grid(picture, T, cut, traced, laid, beside)
    route(grid)
    picture.panels += _panels(grid, times)
    picture.legend = [box for block in cut.legend for box in block.boxes]


def _lay(traced: dict[Block, Traced], advice: str) -> dict[Block, Tile]:
    """Lay out the sketches of blocks, equal ones once."""
    sketches = dict.fromkeys(one.sketch for one in traced.values())
    for sketch in sketches:
        passed = sum(abs(sketch.rank[e.tail] - sketch.rank[e.head]) for e in sketch.edges)
        if passed > TANGLED:
            raise DrawingError(
                f"draw: {len(sketch.outlines):,} boxes in one block, whose arrows pass one another "
                f"{passed:,} times, are too tangled for a picture; {advice}"
            )
    made = {s: single_box(s) if is_single_box(s) else layered(s) for s in sketches}
    return {block: made[one.sketch] for block, one in traced.items()}


def _forward(block: Block, cut: Blocks) -> Block | None:
    """For a block of a symbolic backward pass, the block whose derivatives it computes."""
    found: Counter[Block] = Counter()
    where = cut.node_block(block.column)
    for box in block.boxes:
        forward = box.nodes[0].forward if box.backward else None
        if forward is not None and forward in where:
            found[where[forward]] += 1
    found.pop(block, None)
    return max(found, key=lambda b: found[b]) if found else None


def _hints(
    block: Block, traced: dict[Block, Traced], forward: Block, tile: Tile
) -> dict[int, float]:
    """Where the outlines of a block would like to be: above their forward nodes."""
    at: dict[Node, float] = {}
    for box, (i, dx) in zip(forward.boxes, traced[forward].outline, strict=True):
        at.update((node, tile.places[i][0] + dx) for node in box.nodes)
    hints: dict[int, float] = {}
    for box, (i, _) in zip(block.boxes, traced[block].outline, strict=True):
        node = box.nodes[0].forward if box.backward else None
        if node is not None and node in at:
            hints[i] = at[node]
    return hints


def _with_hints(one: Traced, hints: dict[Sketch, dict[int, float]]) -> Traced:
    return replace(one, sketch=replace(one.sketch, hints=tuple(hints[one.sketch].items())))


def _elided(
    block: Block, cut: Blocks, traced: dict[Block, Traced], laid: dict[Block, Tile]
) -> Tile:
    """The tile of hidden steps: their states run on at the heights of the steps beside them."""
    sketch = traced[block].sketch
    heights: dict[Port, float] = {}
    for other in cut.rows[block.level]:
        for crossing, port in traced[other].port.items():
            mine = traced[block].port.get(crossing)
            if other is not block and mine is not None:
                heights.setdefault(mine, laid[other].ports[port][1])
    return single_box(sketch, heights) if is_single_box(sketch) else laid[block]


class _Crossings:
    """Where arrows cross the borders of blocks.

    Attributes
    ----------
    passing : dict
        The slots of what goes straight from a column to the next, and to which side.
    """

    def __init__(self, picture: Picture, T: int, cut: Blocks) -> None:
        self._blocks, self._T = cut, T
        self.passing: dict[Hashable, Side] = {}
        self._gathered: set[Hashable] = set()  # what the end uses of several steps
        for arrow in picture.arrows:
            tail, head = arrow.tail, arrow.head
            inside = 0 < tail.column <= T and not tail.between
            if inside and 0 < tail.column < T < head.column:
                self._gathered.add(tail.slot)
            elif inside and tail.column != head.column and not head.between:
                self.passing[tail.slot] = "right" if head.column > tail.column else "left"
        for slot in self._gathered:
            self.passing.pop(slot, None)

    def __call__(self, block: Block, arrow: Arrow, enters: bool) -> Crossing:
        other = arrow.tail if enters else arrow.head
        slot = other.slot if other.between else arrow.tail.slot
        if other.between or other.column != block.column:
            if not enters and other.column > self._T and arrow.tail.slot in self._gathered:
                return Crossing("above", enters, slot)
            if enters and other.column == 0 and 0 < block.column <= self._T and not other.between:
                return Crossing("below", enters, slot)
            if enters and block.column > self._T and slot in self._gathered:
                return Crossing("left", enters, collector(arrow))
            before = other.column < block.column
            if other.kind == "delay" and not enters:  # which a state reaches round the block
                before = not before
            side: Side = "left" if before else "right"
            return Crossing(side, enters, slot)
        lower = self._blocks.of[other].level < block.level
        return Crossing("below" if lower else "above", enters, slot)


def _panels(grid: Grid, times: Sequence[int | str | None]) -> list[Panel]:
    """A frame around each recurrence at each step; its title says the step and the scope."""
    framed = {level: row for level, row in grid.rows.items() if row.framed}
    panels = []
    for level, row in framed.items():
        for block in grid.blocks.rows[level]:
            t = times[block.column - 1] if 0 < block.column <= len(times) else None
            if t is None:
                continue
            title: Line = (Run("t", True), Run(f" = {t}"))
            if isinstance(t, str):
                title = (Run("each step "), Run(t, True))
            scope = _scope(block)
            if any(box.backward for box in block.boxes):
                scope = "backward"
            left = grid.at[block][0] - MARGIN
            right = left + grid.tiles[block].width + 2 * MARGIN
            long = (*title, Run(printable(f", {scope}")))
            at = None
            if len(framed) > 1 and scope and width((long,), FONT) <= right - left - MARGIN:
                at = _title_left(grid, block, left, right, width((long,), FONT))
                title = title if at is None else long
            if at is None:
                right = max(right, left + width((title,), FONT) + MARGIN)
                at = _title_left(grid, block, left, right, width((title,), FONT))
            at = left + 10 if at is None else at
            key = f"t{block.column}/{level}"
            panels.append(Panel(key, (title,), left, row.floor, right, row.roof, at))
    return panels


def _title_left(grid: Grid, block: Block, left: float, right: float, wide: float) -> float | None:
    """Where in its panel a title begins: as far to the left as no arrow crosses it, or nowhere."""
    up = [grid.at[block][0] + x for c, (x, _) in grid.ports(block) if c.side == "above"]
    last = right - 10 - wide
    places = (left + 10, *(x + 6 for x in sorted(up) if left + 4 < x < last - 6), last)
    clear = (x for x in places if not any(x - 4 < other < x + wide + 4 for other in up))
    return next(clear, None)


def _scope(block: Block) -> str:
    """The outermost scope of the operations of a block, or what they have in common of it."""
    scopes = {n.scope for b in block.boxes if b.kind != "chip" for n in b.nodes if n.op is not None}
    return min(scopes, key=len, default="")
