"""A graph that grows from batch to batch, because a state was carried on without being cut.

A state that comes out of one batch and goes into the next as it is takes its whole history along:
the graph behind the loss then spans two batches, three, four, and memory and time grow with each.
Once a parameter has been updated in between, `backward` refuses the graph as stale. Where nothing
is updated (gradients that are accumulated, a frozen network, a loss that is only printed) nothing
stops it. `fit` watches for that; a loop of your own asks for it:

    watch = GrowthWatch()
    for batch in batches:
        L, state = loss(batch, state)       # state = detach(state) is missing
        watch(L).backward()                 # from the fourth batch on: GrowthWarning
"""

from __future__ import annotations

import warnings
from bisect import bisect
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from microgrrepresent import Node, Tensor
from microgrrepresent.errors import located, operand
from microgrrepresent.node import next_id
from rnn.errors import GrowthWarning
from rnn.inputs import integer


class GrowthWatch:
    """Warn, once, of a loss whose graph reaches back through the batches before it.

    Called with the loss of each batch, before it is differentiated; gives the loss back. It looks
    at the graph in the first batch in which there can be something to warn of, and from then on
    each time that twice as many batches are done, so that it costs next to nothing. It keeps no
    node.

    A batch is linked to an earlier one where it reads a result that was made there. Inside one
    sequence, a step that reads the step before it is no link, so a loop may be watched at every
    step. Derivatives link nothing.

    Parameters
    ----------
    batches : int
        How many batches may hang together, at least 1: more than 3 in a loop that means to
        differentiate over several.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from rnn import GRU, GrowthWatch
    >>> layer, state, watch = GRU(2, 3, rng=0), None, GrowthWatch()
    >>> with warnings.catch_warnings(record=True) as given:
    ...     for _ in range(8):
    ...         output, state = layer(np.ones((5, 1, 2)), state)
    ...         watch(output.sum()).backward()
    >>> [w.category.__name__ for w in given]
    ['GrowthWarning']
    """

    def __init__(self, batches: int = 3) -> None:
        self._most = integer(batches, 1, "GrowthWatch: batches")
        self._ends: deque[int] = deque(maxlen=self._most)
        self._seen = 0
        self._look_at = self._most + 1

    def __repr__(self) -> str:
        return f"GrowthWatch({self._most})"

    def __call__(self, loss: Tensor) -> Tensor:
        """Note that a batch is complete, and look at its graph if it is time to."""
        self._seen += 1
        if self._seen == self._look_at:
            self._look_at *= 2
            chain = _longest_chain(loss, self._ends)
            if chain.length > self._most:
                self._look_at = 0  # it is said once
                warnings.warn(_advice(chain), GrowthWarning, stacklevel=2)
        self._ends.append(next_id())
        return loss


class _Chain(NamedTuple):
    """The batches that hang together up to a result."""

    batch: int  # the one that the result belongs to
    step: int | None
    length: int  # batches on the longest chain
    read: Node | None  # the last result on it that a later batch read


def _longest_chain(loss: Node, ends: Sequence[int]) -> _Chain:
    """Follow what batches read of each other, given the ids at which they ended."""
    chains: dict[Node, _Chain] = {}
    for node in _results_since(loss, ends[0]):
        parents = [parent for parent in node.parents if parent.op is not None]
        before = [chains.get(parent) or _Chain(0, parent.step, 1, None) for parent in parents]
        batch, step = bisect(ends, node.id), node.step
        stepped = [(chain.batch, chain.step) for chain in before if chain.step is not None]
        if step is None and stepped:  # made of steps, such as a sum: it belongs to the last of them
            batch, step = max(stepped)
        length, read = 1, None
        for parent, chain in zip(parents, before, strict=True):
            goes_on = chain.step is not None and step is not None and chain.step < step
            link = chain.batch < batch and not goes_on and node.derivative_of is None
            if chain.length + link > length:
                length, read = chain.length + link, parent if link else chain.read
        chains[node] = _Chain(batch, step, length, read)
    return chains[loss]


def _results_since(loss: Node, start: int) -> list[Node]:
    """The loss and the results behind it that have an id above `start`, oldest first."""
    found, todo = {loss.id: loss}, [loss]
    while todo:
        for parent in todo.pop().parents:
            if parent.op is not None and parent.id > start and parent.id not in found:
                found[parent.id] = parent
                todo.append(parent)
    return [found[key] for key in sorted(found)]


def _advice(chain: _Chain) -> str:
    read = chain.read
    assert read is not None and read.op is not None
    made = located(read.op.name, read.scope, read.step)
    return (
        f"the graph behind the loss spans {chain.length} batches and grows with each: "
        f"{operand(read.name, read)}, made by {made}, is read in the next batch with its whole "
        "history. Cut it between batches: state = state.detach(), rnn.detach(state) if it has "
        "several parts, float(loss) if only the number is wanted; where gradients over more "
        "batches are meant, GrowthWatch(batches=...) allows them"
    )
