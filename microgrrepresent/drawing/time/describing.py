"""A drawing in words, for those who cannot see it."""

from __future__ import annotations

from microgrrepresent.drawing.time.timeline import Timeline
from microgrrepresent.graph import Graph
from microgrrepresent.recurrence.rounds import root_of


def title(graph: Graph) -> str:
    """What a drawing is called: ``Computation graph of L``."""
    names = [graph.label(node) for node in graph.outputs[:3]]
    more = len(graph.outputs) - len(names)
    return f"Computation graph of {', '.join(names)}" + (f" and {more} more" if more else "")


def scope_of(graph: Graph) -> str:
    """The outermost scope in which all operations of a graph were made; empty if there is none."""
    roots = {root_of(node) for node in graph if node.parents}
    return roots.pop() if len(roots) == 1 else ""


def describe(
    time: Timeline, shown: str, has_gradients: bool, window: tuple[int, int] | None
) -> str:
    """One or two sentences about the graph.

    Parameters
    ----------
    time : Timeline
        The unrolled graph.
    shown : {"unrolled", "folded", "both"}
        In which form it is drawn.
    has_gradients : bool
        Whether the drawing shows the reverse sweep.
    window : (int, int) or None
        How many steps it shows at the beginning and at the end.
    """
    graph = time.graph
    operations = sum(bool(n.parents) for n in graph)
    words = f"{title(graph)}: {_count(operations, 'operation')} on "
    words += _count(len(graph.inputs), "input")
    if graph.parameters:
        words += f" and {_count(len(graph.parameters), 'parameter')}"
    steps = [t for t in time.titles if isinstance(t, int)]
    if steps:
        span = f"t = {min(steps)} to {max(steps)}" if len(steps) > 1 else f"t = {steps[0]}"
        words += f", unrolled over {_count(len(steps), 'step')}, {span}"
        states = sorted({slot[2] for slot in time.passes if slot[2]})
        if states:
            words += f"; {' and '.join(states)} pass{'' if len(states) > 1 else 'es'}"
            words += " from step to step"
    words += "."
    if shown != "unrolled":
        words += " It is drawn folded: one step, whose states come back through a delay"
        words += "; beside it stands the unrolled graph." if shown == "both" else "."
    if window is not None and sum(window) + 1 < time.T:
        first, last = window
        words += f" {time.T - first - last} steps in the middle are one box."
    if has_gradients:
        words += " Dashed arrows show what flowed back in the reverse sweep."
    return words


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"
