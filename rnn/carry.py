"""A state carried from batch to batch with its whole history: found, and said once.

A state that comes out of one batch and goes into the next as it is takes its graph along. The next
backward pass then runs through the batch before too, and the one after it through both: memory and
time grow without bound, and once the parameters have been updated, the old values belong to a
network that is no more. Nearly always the state was meant to be cut: `rnn.detach`.

`unroll` asks `check_carried` before a run and calls `remember` after it. A cell keeps the ids of
the states that its last run ended with, not the states, so this keeps no graph alive.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from microgrrepresent import Node, Tensor
from rnn.cells.cell import Cell
from rnn.errors import CarriedStateError

ENOUGH = 3
"""Batches in one graph that are taken for growth. Two, as encoder and decoder, are common."""

PASSING = frozenset({"getitem", "stack", "reshape", "transpose", "squeeze", "cast"})
"""What a layer does to a state between the end of one run and the start of the next."""


class Carried(NamedTuple):
    """What a cell remembers of its last run."""

    ends: frozenset[int]
    """Ids of the parts of the final state."""
    batches: int
    """How many runs hang together in their graph."""
    said: bool
    """Whether the error was raised before."""


def check_carried(cell: Any, state: Any) -> int:
    """Count the runs before this one that its graph will hold, or say that they are too many.

    Raises
    ------
    CarriedStateError
        If the state holds the history of an earlier batch and the parameters were updated since,
        or it holds that of `ENOUGH` batches. Once for each cell.
    """
    before: Carried | None = getattr(cell, "carried", None)
    if before is None or state is None:
        return 0
    end = _end(cell.parts_of(state), before.ends)
    if end is None:
        return 0
    updated = any(parameter.id > end.id for parameter in cell.parameters())
    if before.said or not (updated or before.batches >= ENOUGH):
        return before.batches
    cell.carried = before._replace(said=True)
    what = f"the state {end.name or ''}".rstrip() + f" {end.shape}"
    made = f"made in {end.scope or 'an earlier batch'} at t={end.step}"
    why = (
        "the parameters were updated since, so a backward pass cannot run through that batch again"
        if updated
        else f"the graph behind it now spans {before.batches} batches and grows with each"
    )
    raise CarriedStateError(
        f"{what}, {made}, was carried to a new batch with its whole history: {why}. Cut it before "
        "the next batch: state = rnn.detach(state); or begin anew with state=None; under no_grad() "
        "nothing is recorded. This is said once: if a gradient over all batches is wanted, go on"
    )


def remember(cell: Any, state: Any, batches: int) -> None:
    """Note what a run ended with, and that its graph holds so many runs before it."""
    if isinstance(cell, Cell):
        ends = frozenset(p.id for p in cell.parts_of(state) if isinstance(p, Tensor) and p.parents)
        said = getattr(cell, "carried", None) is not None and cell.carried.said
        cell.carried = Carried(ends, batches + 1, said)


def _end(parts: tuple[Any, ...], ends: frozenset[int]) -> Node | None:
    """The final state of the last run that one of these parts is, or was cut out of."""
    todo = [part for part in parts if isinstance(part, Node)]
    for _ in range(64):  # a stack of the layers' states and a row of it; no long walk
        if not todo:
            return None
        node = todo.pop()
        if node.id in ends:
            return node
        if node.op is not None and node.op.name in PASSING:
            todo.extend(node.parents)
    return None
