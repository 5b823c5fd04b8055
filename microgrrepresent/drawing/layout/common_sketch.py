"""One sketch for the backward blocks of all steps, although some steps need less than others.

The first step sends nothing on to an initial state, the last one adds nothing to what its outputs
say. A sketch with what any step has, in one tile, keeps corresponding nodes at equal places; a step
leaves the places of what it does not have empty.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

from microgrrepresent.drawing.layout.blocks import Block
from microgrrepresent.drawing.layout.outlines import Crossing, End, Outline, Port, Wire
from microgrrepresent.drawing.layout.sketch import Sketch, Traced


def common_sketch(blocks: Sequence[Block], traced: dict[Block, Traced]) -> dict[Block, Traced]:
    """Give blocks of one level the sketch that they have in common.

    Parameters
    ----------
    blocks : sequence of Block
        Blocks of different columns. Boxes of one slot share an outline.
    traced : dict
        The sketch of each.

    Returns
    -------
    dict
        Each block with the common sketch, and what in it the block has.
    """
    outline: dict[Hashable, int] = {}
    outlines: list[Outline] = []
    numbers: dict[Hashable, int] = {}
    wires: dict[Hashable, Wire] = {}
    mates: dict[tuple[int, int], None] = {}
    ports: dict[Crossing, Port] = {}
    place: dict[Block, dict[End, End]] = {}
    wire: dict[Block, list[int]] = {}
    for block in sorted(blocks, key=lambda b: -len(b.boxes)):
        one = traced[block]
        ends: dict[End, End] = {}
        for box, (i, _) in zip(block.boxes, one.outline, strict=True):
            if i in ends:
                continue
            mine, n = one.sketch.outlines[i], outline.setdefault(box.slot, len(outlines))
            if n == len(outlines):
                outlines.append(mine)
            size = (max(mine.width, outlines[n].width), max(mine.height, outlines[n].height))
            outlines[n] = outlines[n]._replace(width=size[0], height=size[1])
            ends[i] = n
        for crossing, port in one.port.items():
            number = numbers.setdefault((crossing.slot, crossing.branch), len(numbers))
            ends[port] = ports.setdefault(crossing, port._replace(number=number))
        count: Counter[Hashable] = Counter()
        keys = []
        for e in one.sketch.wires:
            way = (ends[e.tail], ends[e.head])
            count[way] += 1
            keys.append((way, count[way]))
            wires.setdefault(keys[-1], e._replace(tail=way[0], head=way[1]))
        order = {key: i for i, key in enumerate(wires)}
        place[block], wire[block] = ends, [order[key] for key in keys]
        mates |= {(ends[a], ends[b]): None for a, b in one.sketch.mates}  # type: ignore[misc]
    sketch = Sketch(tuple(outlines), tuple(wires.values()), mates=tuple(mates))
    return {
        block: Traced(
            sketch,
            [(place[block][i], dx) for i, dx in traced[block].outline],  # type: ignore[misc]
            [None if i is None else wire[block][i] for i in traced[block].wire],
            {crossing: ports[crossing] for crossing in traced[block].port},
        )
        for block in blocks
    }
