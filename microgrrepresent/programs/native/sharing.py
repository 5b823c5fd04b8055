"""Arrays that are not needed at the same time share their memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from microgrrepresent.programs.expressions import text
from microgrrepresent.programs.native.elements import Kind, Shape
from microgrrepresent.programs.native.nests import Call, Statement, touched
from microgrrepresent.programs.sizes import shape_expression


def shared(
    statements: Sequence[Statement], buffers: Mapping[str, tuple[Shape, Kind]], kept: set[str]
) -> dict[str, str]:
    """For arrays the earlier one, of the same shape, whose memory they may have.

    What the products of the inputs need before the backward pass, the adjoints need in it, so that
    a program over T steps keeps one array less for all gates.

    Parameters
    ----------
    statements : sequence
        All of them, in order. A loop over the steps is one.
    buffers : dict from str to (tuple, str)
        The shape and kind of each array.
    kept : set of str
        What must last: what is given once, or asked for.
    """
    lives: dict[str, tuple[int, int]] = {}
    of: dict[str, set[str]] = {}
    """Which arrays a view shows."""
    for k, statement in enumerate(statements):
        reads, writes = touched(statement)
        if isinstance(statement, Call) and not writes & buffers.keys():
            for view in writes:
                of[view] = {root for n in reads for root in of.get(n, {n})}
        for n in reads | writes:
            for root in of.get(n, {n}) & buffers.keys():
                lives[root] = lives.get(root, (k, k))[0], k
    found: dict[str, str] = {}
    free: dict[str, list[tuple[int, str]]] = {}
    for n in sorted(lives, key=lambda n: lives[n]):
        shape, kind = buffers[n]
        if n in kept or all(isinstance(d, int) for d in shape):
            continue
        form = f"{text(shape_expression(shape))} {kind}"
        start, end = lives[n]
        ready = [(last, other) for last, other in free.get(form, []) if last < start]
        if ready:
            last, other = ready[0]
            free[form].remove((last, other))
            found[n] = other
        free.setdefault(form, []).append((end, found.get(n, n)))
    return found
