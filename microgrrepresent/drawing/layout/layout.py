"""The layout of a whole picture.

A picture is cut into blocks, one for each step and level (`blocks`); blocks are sketched
(`tracing`), and equal sketches laid out once (`layered`, `single_box`); the tiles are put down in
rows and columns (`grid`), and the pieces of the arrows joined (`routes`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from microgrrepresent.drawing.layout.blocks import Block, Blocks, blocks
from microgrrepresent.drawing.layout.borders import borders
from microgrrepresent.drawing.layout.columns import lay_columns
from microgrrepresent.drawing.layout.common_sketch import common_sketch
from microgrrepresent.drawing.layout.grid import Grid
from microgrrepresent.drawing.layout.layered import layered
from microgrrepresent.drawing.layout.outlines import Port
from microgrrepresent.drawing.layout.page import AS_NEEDED, Fit
from microgrrepresent.drawing.layout.panels import panels, title_of
from microgrrepresent.drawing.layout.parallel import parallel, stand_abreast
from microgrrepresent.drawing.layout.routes import route
from microgrrepresent.drawing.layout.rows import lay_rows
from microgrrepresent.drawing.layout.single_box import is_single_box, single_box
from microgrrepresent.drawing.layout.sketch import Sketch, Traced
from microgrrepresent.drawing.layout.states import place_boxes, place_ends, place_states
from microgrrepresent.drawing.layout.tapped_box import is_tapped_box, tapped_box
from microgrrepresent.drawing.layout.tile import Tile
from microgrrepresent.drawing.layout.tracing import trace
from microgrrepresent.drawing.marks.picture import Picture
from microgrrepresent.errors import DrawingError
from microgrrepresent.node import Node

TANGLED = 5_000_000
"""How many ranks the arrows of one block may pass in all."""


def arrange(
    picture: Picture,
    times: Sequence[int | str | None],
    advice: str,
    fit: Fit = AS_NEEDED,
    is_double: bool = False,
) -> None:
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
    fit : Fit
        How the steps fill their page.
    is_double : bool
        Whether gradients run back beside the arrows.

    Raises
    ------
    DrawingError
        If it is.
    """
    T = len(times)
    cut = blocks(picture, range(1, T + 1))
    shown = [column for column, t in enumerate(times, 1) if t is not None]
    groups = parallel(picture, cut, shown)
    border = borders(picture, T, cut, frozenset().union(*groups))
    traced = {
        block: trace(block, border.crossing, border.passing if 0 < block.column <= T else {})
        for block in cut
    }
    known: dict[Sketch, Sketch] = {}  # equal ones are one, and ranked once
    for block, one in traced.items():
        sketch = replace(one.sketch, is_double=is_double, is_narrow=fit.is_narrow, spread=fit.ranks)
        traced[block] = replace(one, sketch=known.setdefault(sketch, sketch))
    recurrences = [block for block in cut if block.level % 2]
    stacked = {b: forward for b in recurrences if (forward := _forward(b, cut)) is not None}
    laid = _lay({b: traced[b] for b in cut if b not in stacked}, advice)
    for row in cut.rows.values():
        traced |= common_sketch([b for b in row if b in stacked and 0 < b.column <= T], traced)
    hints: dict[Sketch, dict[int, float]] = {}  # of all steps, so that they have one tile
    for block, forward in stacked.items():
        mine = _hints(block, traced, forward, laid[forward])
        hints[traced[block].sketch] = mine | hints.get(traced[block].sketch, {})
    hinted = {block: _with_hints(traced[block], hints) for block in stacked}
    traced |= hinted
    laid |= _lay(hinted, advice)
    beside = stand_abreast(cut, traced, laid, groups, range(1, T + 1))
    for block, hint in beside.hints.items():
        traced[block] = replace(traced[block], sketch=replace(traced[block].sketch, hints=hint))
    laid |= _lay({block: traced[block] for block in beside.hints}, advice)
    for block in cut:
        if 0 < block.column <= T and times[block.column - 1] is None:
            laid[block] = _elided(block, cut, traced, laid)
    grid = Grid(picture, T, cut, border, traced, laid, stacked)
    titles = [title_of(t) for t in times if t is not None]
    grid.stretch = (fit.columns, fit.rows)
    grid.offset = beside.offsets | {block: laid[block].origin for block in beside.hints}
    lay_columns(grid, lay_rows(grid, max(titles, key=lambda line: len(line[-1].text), default=())))
    place_states(grid)
    place_ends(grid)
    place_boxes(grid, grid.at)
    route(grid, grid.at)
    picture.panels += panels(grid, times)
    picture.legend = [box for block in cut.legend for box in block.boxes]


def _lay(traced: dict[Block, Traced], advice: str) -> dict[Block, Tile]:
    """Lay out the sketches of blocks, equal ones once."""
    sketches = dict.fromkeys(one.sketch for one in traced.values())
    for sketch in sketches:
        passed = sum(abs(sketch.rank[w.tail] - sketch.rank[w.head]) for w in sketch.wires)
        if passed > TANGLED:
            raise DrawingError(
                f"draw: {len(sketch.outlines):,} boxes in one block, whose arrows pass one another "
                f"{passed:,} times, are too tangled for a picture; {advice}"
            )
    made = {sketch: _tile(sketch) for sketch in sketches}
    return {block: made[one.sketch] for block, one in traced.items()}


def _tile(sketch: Sketch) -> Tile:
    """Lay out one sketch."""
    if is_single_box(sketch):
        return single_box(sketch)
    return tapped_box(sketch) if is_tapped_box(sketch) else layered(sketch)


def _forward(block: Block, cut: Blocks) -> Block | None:
    """For a block of a symbolic backward pass, the block whose derivatives it computes."""
    if not any(box.backward for box in block.boxes):
        return None
    found: Counter[Block] = Counter()
    where = cut.node_block(block.column)
    for box in block.boxes:
        forward = box.nodes[0].derivative_of if box.backward else None
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
        node = box.nodes[0].derivative_of if box.backward else None
        if node is not None and node in at:
            hints[i] = at[node]
    return hints


def _with_hints(one: Traced, hints: dict[Sketch, dict[int, float]]) -> Traced:
    return replace(one, sketch=replace(one.sketch, hints=tuple(hints[one.sketch].items())))


def _elided(
    block: Block, cut: Blocks, traced: dict[Block, Traced], laid: dict[Block, Tile]
) -> Tile:
    """The tile of hidden steps: their states run on at the heights of the steps stacked them."""
    sketch = traced[block].sketch
    heights: dict[Port, float] = {}
    for other in cut.rows[block.level]:
        for crossing, port in traced[other].port.items():
            mine = traced[block].port.get(crossing)
            if other is not block and mine is not None:
                heights.setdefault(mine, laid[other].ports[port][1])
    return single_box(sketch, heights) if is_single_box(sketch) else laid[block]
