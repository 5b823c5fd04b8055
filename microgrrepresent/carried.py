"""A state carried from batch to batch with its whole history: found, and said once.

A state that comes out of one batch and goes into the next as it is takes its graph along. The next
backward pass then runs through the batch before too, and the one after it through both: memory and
time grow without bound, and once the parameters have been updated, the old values belong to a
network that is no more. Nearly always the state was meant to be cut.

It shows in the graph, however the loop was written. A backward pass runs over nodes whose ids lie
between the oldest result that it reached and its loss; a few such ranges are remembered, and no
node. When a later pass, of another loss, reaches into one of them, over an edge from one step to
an earlier one whose end was made after that pass, then it begins at a state that was carried: time
began anew. (A loop that differentiates at every step of one sequence goes on to the next step.)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from microgrrepresent.errors import CarriedStateError, StaleGraphError, operand
from microgrrepresent.node import Node, next_id

ENOUGH = 3
"""Batches in one graph that are taken for growth."""


@dataclass
class _Pass:
    """A backward pass: the ids of the nodes that it ran over, and what it found."""

    oldest: int
    loss: int
    at: int
    """When it was: nodes with a larger id were made later."""
    batches: int
    """How many batches hung together in its graph."""
    said: bool
    """Whether the error was raised for this graph."""


class _Carried(NamedTuple):
    state: Node
    reader: Node
    into: _Pass


_passes: deque[_Pass] = deque(maxlen=16)


@contextmanager
def carried_named(loss: Node) -> Iterator[None]:
    """Say of a graph that is out of date which carried state is the reason, if one is.

    Raises
    ------
    CarriedStateError
        In place of such a `StaleGraphError`.
    """
    try:
        yield
    except StaleGraphError as error:
        if (found := _carried(loss)) is not None:
            raise _out_of_date(found) from error
        raise


def check_growth(loss: Node, oldest: Node) -> None:
    """Note a backward pass from a loss back to the oldest result that it reached.

    Raises
    ------
    CarriedStateError
        If its graph spans `ENOUGH` batches. Once for each graph, however long it grows.
    """
    if _passes and loss.id == _passes[-1].loss:
        return  # of the same loss again, such as with another seed
    found = None  # mostly there is nothing to look for: everything was made after the last pass
    if _passes and oldest.id < _passes[-1].at:
        found = _carried(loss)
    batches, said = (found.into.batches + 1, found.into.said) if found else (1, False)
    grows = found is not None and not said and batches >= ENOUGH
    _passes.append(_Pass(oldest.id, loss.id, next_id(), batches, said or grows))
    if found is not None and grows:
        raise _growing(found, batches)


def _carried(loss: Node) -> _Carried | None:
    """The youngest state that was carried into the graph of a loss, what reads it, and whence."""
    found = None
    made_of: dict[Node, Node] = {}  # what is made of a state between two batches
    for node in _behind(loss):
        if node.forward is not None:
            continue  # a derivative reads the states again that it is the derivative of
        for parent in node.parents:
            state = made_of.get(parent, parent)
            if not state.parents or state.step is None:
                continue
            if node.step is None:
                made_of[node] = state
            if node.step is None or node.step >= state.step:
                continue
            for into in _passes:
                if into.oldest <= state.id <= into.loss != loss.id and into.at < node.id:
                    found = _Carried(state, node, into)
    return found


def _behind(loss: Node) -> list[Node]:
    """The results behind a loss, oldest first."""
    found, todo = {loss.id: loss}, [loss]
    while todo:
        for parent in todo.pop().parents:
            if parent.parents and parent.id not in found:
                found[parent.id] = parent
                todo.append(parent)
    return [found[key] for key in sorted(found)]


def _growing(carried: _Carried, batches: int) -> CarriedStateError:
    return CarriedStateError(
        f"{_told(carried)}: the graph behind the loss now spans {batches} batches and grows with "
        f"each. {_CUT}. This is said once: if a gradient over all batches is wanted, ask for it "
        "again"
    )


def _out_of_date(carried: _Carried) -> CarriedStateError:
    return CarriedStateError(
        f"{_told(carried)}, and the parameters were updated since, so its values no longer belong "
        f"together. {_CUT}, and run this batch again; or update only after the last batch, if a "
        "gradient over all batches is wanted"
    )


_CUT = (
    "Cut it before the next batch: state = state.detach(), or rnn.detach(state) if it has several "
    "parts; or begin anew"
)


def _told(carried: _Carried) -> str:
    state, reader, _ = carried
    where = f"in {state.scope} " if state.scope else ""
    return (
        f"backward: the state {operand(state.name, state)}, made {where}at t={state.step}, was "
        f"carried to a new batch, where t={reader.step} reads it, with its whole history"
    )
