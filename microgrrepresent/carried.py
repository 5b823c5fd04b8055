"""A state carried from batch to batch with its whole history: found, and said once.

A state that comes out of one batch and goes into the next as it is takes its graph along. The next
backward pass then runs through the batch before too, and the one after it through both: memory and
time grow without bound, and once the parameters have been updated, the old values belong to a
network that is no more. Nearly always the state was meant to be cut.

It shows in the graph, however the loop was written. Each `backward` leaves its `Mark` on the nodes
that it passed. When a later one, from another loss, meets such a node, and what reads it belongs to
another step and was made after that mark was set, then the node is a state that was carried.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from microgrrepresent.errors import CarriedStateError, operand
from microgrrepresent.node import Node, next_id

ENOUGH = 3
"""Batches in one graph that are taken for growth."""


class Mark(NamedTuple):
    """What a backward pass leaves on the nodes that it passed; it keeps no graph alive."""

    at: int
    """When: nodes with a larger id were made later."""
    loss: int
    """The id of what was differentiated."""
    batches: int
    """How many batches hung together in its graph."""
    said: bool
    """Whether the error was raised for this graph."""


class _Carried(NamedTuple):
    state: Node
    reader: Node
    mark: Mark


_latest = 0  # when the last mark was set


def mark(loss: Node, passed: Sequence[Node]) -> None:
    """Mark the results that a backward pass from the loss has passed, youngest first.

    Raises
    ------
    CarriedStateError
        If they are those of `ENOUGH` batches. Once for each graph, however long it grows.
    """
    global _latest
    found = None
    if passed and passed[-1].id < _latest:  # else all of it is new
        found = _carried(loss, passed)
    batches, said = (found.mark.batches + 1, found.mark.said) if found else (1, False)
    grows = found is not None and not said and batches >= ENOUGH
    _latest = next_id()
    new = Mark(_latest, loss.id, batches, said or grows)
    for node in passed:
        node.swept = new
    if found is not None and grows:
        why = f"the graph behind the loss now spans {batches} batches and grows with each"
        raise _error(found, why)


def explain_stale(loss: Node) -> None:
    """Say which carried state the reason is, if so, that the graph of a loss is out of date.

    Raises
    ------
    CarriedStateError
        If a state was carried and the parameters were updated since. Once for each state.
    """
    found = _carried(loss, _behind(loss))
    if found is not None and not found.mark.said:
        found.state.swept = found.mark._replace(said=True)
        raise _error(
            found,
            "the parameters were updated since, so a backward pass cannot run through that batch "
            "again",
        )


def _carried(loss: Node, passed: Sequence[Node]) -> _Carried | None:
    """The youngest state that was carried into this graph, what reads it, and its mark."""
    found = None
    made_of: dict[Node, tuple[Node, Mark]] = {}  # what is made of a state between two batches
    for node in reversed(passed):
        for parent in node.parents:
            state, known = made_of.get(parent, (parent, getattr(parent, "swept", None)))
            if known is None or known.loss == loss.id or state.step in (None, node.step):
                continue
            if node.step is None:
                made_of[node] = state, known
            elif known.at < node.id:
                found = _Carried(state, node, known)
    return found


def _behind(loss: Node) -> list[Node]:
    """The results behind a loss, youngest first."""
    found, todo = {loss.id: loss}, [loss]
    while todo:
        for parent in todo.pop().parents:
            if parent.parents and parent.id not in found:
                found[parent.id] = parent
                todo.append(parent)
    return [found[key] for key in sorted(found, reverse=True)]


def _error(carried: _Carried, why: str) -> CarriedStateError:
    state, reader, _ = carried
    where = f"in {state.scope} " if state.scope else ""
    return CarriedStateError(
        f"backward: the state {operand(state.name, state)}, made {where}at t={state.step}, was "
        f"carried to a new batch, where t={reader.step} reads it, with its whole history: {why}. "
        "Cut it before the next batch: state = state.detach(), or rnn.detach(state) if it has "
        "several parts; or begin anew. This is said once: if a gradient over all batches is "
        "wanted, go on"
    )
