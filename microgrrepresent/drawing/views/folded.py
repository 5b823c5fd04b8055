"""The folded graph, on a timeline of one step: its states come back through delays."""

from __future__ import annotations

from dataclasses import replace

from microgrrepresent.drawing.marks.labels import math, text
from microgrrepresent.drawing.time.timeline import Delays, Timeline
from microgrrepresent.drawing.views.glyphs import Glyph, Glyphs
from microgrrepresent.node import Node
from microgrrepresent.recurrence import Folded
from microgrrepresent.recurrence.folded_listing import period


def folded_timeline(time: Timeline, folded: Folded) -> Timeline:
    """Place the cell in column 1, what comes before and after the steps in columns 0 and 2.

    Initial states are left out, since no step but the first reads them.

    Parameters
    ----------
    time : Timeline
        That of the unrolled graph.
    folded : Folded
        The same graph, folded.
    """
    totals = _totals(folded)
    after = set(folded.epilogue)
    starts = {n for delay in folded.delays if delay.source in totals for n in delay.initial}
    cell = [node for node in folded.cell if node not in totals]
    column: dict[Node, int] = dict.fromkeys(cell, 1)
    stands_for: dict[Node, Node] = {}
    read: set[Node] = set()
    for node in cell:
        read.update(source for source, _ in folded.reads(node))
    for node in reversed(list(time.graph)):
        template = folded.template(node)
        if template is not None and template not in totals:
            stands_for[node] = template
        elif template is not None:
            column[node] = 2
            read.update(set(node.parents) - starts)
        elif node in after:
            column[node] = 2
            read.update(node.parents)
        elif node in read:
            column[node] = 0
            read.update(node.parents)
    delayed: Delays = {}
    marks: dict[Node, str] = {}
    delays = [delay for delay in folded.delays if delay.source not in totals]
    for delay in delays:
        delayed |= dict.fromkeys(delay.edges, (delay.source, delay.lag))
        if delay.cuts:
            marks[delay.source] = f"✂ {period(delay.cuts) or ''}".rstrip()
    passes = {time.slot[d.source]: 1 if d.lag > 0 else -1 for d in delays}
    single = {n: s for n, s in time.starts.items() if s.state not in passes and s.reader in column}
    return replace(
        time,
        titles=("t",),
        column=column,
        shared=frozenset(node for node, c in column.items() if c != 1 and node in time.shared),
        passes={start.state: start.lag for start in single.values()} | passes,
        starts=single,
        earlier={},
        nodes=tuple(node for node in time.graph if node in column),
        storeys=(1,),
        stands_for=stands_for,
        delayed=delayed,
        marks=marks,
    )


def _totals(folded: Folded) -> set[Node]:
    """What the graph adds up step by step after the loop: states that know no step."""
    sources = [delay.source for delay in folded.delays]
    return {node for node in sources if node.step is None and node.parents}


def with_totals(glyphs: Glyphs, folded: Folded) -> Glyphs:
    """Draw a sum over the steps, which the unrolled graph adds up step by step, as one box."""
    totals = _totals(folded)

    def glyph(node: Node) -> Glyph:
        total = folded.template(node)
        if total not in totals:
            return glyphs(node)
        assert node.op is not None
        words = math("Σ", "t") if node.op.is_sum(node) else text(node.op.symbol)
        return Glyph(("total", total), "function", (words,))

    return glyph
