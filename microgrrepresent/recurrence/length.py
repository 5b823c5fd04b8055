"""Another number of steps: where each variable has its nodes then, and what they read.

What was recorded at both ends of time (initial values, the first and the last terms of a gradient)
stays at the ends; steps are put in or left out in the middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from microgrrepresent.errors import GraphError
from microgrrepresent.listing import equation, labels
from microgrrepresent.node import Node
from microgrrepresent.recurrence.folded_listing import period
from microgrrepresent.recurrence.recurrence import Recurrence
from microgrrepresent.recurrence.strands import Read, Strand

NodeKey = tuple[int, int]  # a strand and a step; or OUTSIDE and a position in the recorded nodes
OUTSIDE = -1


class Length:
    """A recurrence made T steps long.

    Attributes
    ----------
    recurrence : Recurrence
    T : int
        The new number of steps.
    more : int
        By how many that is more than were recorded.
    """

    def __init__(self, recurrence: Recurrence, T: int) -> None:
        self.recurrence, self.T = recurrence, T
        self.nodes, self.strands, self.places = (
            recurrence.nodes,
            recurrence.strands,
            recurrence.places,
        )
        self.clock = recurrence.clock
        self.first, self.last = recurrence.steps[0], recurrence.steps[-1]
        self.recorded = self.last - self.first + 1
        self.more = T - self.recorded
        self.middle = self.first + self.recorded // 2

    @cached_property
    def names(self) -> dict[Node, str]:
        """What to call each recorded node."""
        return labels(self.nodes)

    @cached_property
    def index(self) -> dict[Node, int]:
        """The position of each recorded node."""
        return {node: i for i, node in enumerate(self.nodes)}

    # --- where the new steps are -----------------------------------------------------------------

    @cached_property
    def ranges(self) -> list[tuple[int, int]]:
        """The first and the last step of each strand."""
        return [self._range(strand) for strand in self.strands]

    @cached_property
    def steps(self) -> list[Sequence[int]]:
        """The steps of each strand."""
        return [
            self._cut_steps(k) if self.strands[k].cuts else range(first, last + 1)
            for k, (first, last) in enumerate(self.ranges)
        ]

    def _range(self, strand: Strand) -> tuple[int, int]:
        """First and last step of a strand; each stays at the end of time that it is nearer to."""
        first, last = strand.first, strand.last
        at_start = first - self.first <= self.last - first
        at_end = self.last - last <= last - self.first
        return first + self.more * (not at_start), last + self.more * at_end

    def _cut_steps(self, k: int) -> list[int]:
        """The steps of cuts: every so many from where the recurrence begins."""
        found = list(self.strands[k].nodes)
        if not self.more:
            return found
        i, read = next(
            (i, read)
            for i, strand in enumerate(self.strands)
            for read in strand.reads
            if read.cut is not None and read.cut[0] == k
        )
        assert read.cut is not None
        reader, (first, last), later = self.strands[i], self.ranges[i], read.cut[1]
        begin, start, end = (
            (reader.first, first, last) if read.lag > 0 else (reader.last, last, first)
        )
        sign = 1 if read.lag > 0 else -1
        reads = [begin, *sorted((t + later for t in found), key=lambda t: t * sign)]
        every = period(reads)
        if every is None:
            times = ", ".join(map(str, reads[1:]))
            raise self.refusal(f"cuts at t = {times} do not tell where the next ones would be")
        return sorted(t - later for t in range(start + every, end + sign, every))

    def check_enough(self) -> None:
        """Refuse what is too short to tell its ends from its middle.

        A strand that is not of every step begins late or ends early. By how many steps, is limited
        by the lags that a sweep meets; twice that many steps, one end and the other, and two in the
        middle, leave no doubt which end it is.
        """
        lags = [
            abs(read.lag)
            for strand in self.strands
            for read in strand.reads
            if read.source is not None and len(strand.nodes) > 1
        ]
        deep: dict[Node, int] = {}
        for node in self.nodes:
            deep[node] = 0 if node.derivative_of is None else deep[node.derivative_of] + 1
        enough = 2 + 2 * max(1, *deep.values()) * max(1, *lags, 1)
        steps = set(map(self.clock.stamp, self.recurrence.steps))
        once = (node for node in self.nodes if node not in self.places)
        needed = [(n, 3) for n in once if n.op is not None and n.step in steps]
        for strand in self.strands:
            if strand.cuts:
                continue
            whole = (strand.first, strand.last) == (self.first, self.last)
            needed.append((strand.nodes[strand.first], 2 if whole else enough))
        for node, least in needed:
            if self.recorded < least:
                raise self.refusal(
                    f"they do not tell whether {equation(node, self.names)} is of every step; "
                    f"fold a graph of at least {least} steps"
                )

    def _origin(self, t: int) -> int:
        """The recorded step that a new step is like: ends are like ends, others like the middle."""
        if self.more >= 0:
            return t if t <= self.middle else max(self.middle, t - self.more)
        kept = (self.recorded + self.more + 1) // 2
        return t if t < self.first + kept else t - self.more

    def like(self, strand: Strand, t: int) -> int:
        """The same, of the steps that a strand has."""
        if strand.cuts:
            return min(strand.nodes, key=lambda s: abs(s - self._origin(t)))
        return min(max(self._origin(t), strand.first), strand.last)

    def order(self) -> list[NodeKey]:
        """All nodes, in the recorded order, new steps beside the step that they are like."""
        stretch: list[int] = []  # for each node, where the nodes of its step begin
        now: int | None = None
        for i, node in enumerate(self.nodes):
            t = self.places[node][1] if node in self.places else None
            stretch.append(stretch[-1] if i and t == now else i)
            now = t
        ranked = [
            ((stretch[i], 0, i), (OUTSIDE, i))
            for node, i in self.index.items()
            if node not in self.places
        ]
        middle = self.middle
        for k, strand in enumerate(self.strands):
            i, j = (self.index[strand.nodes[t]] for t in (strand.first, strand.last))
            onwards = 1 if i <= j else -1
            for t in self.steps[k]:
                i = self.index[strand.nodes[self.like(strand, t)]]
                inserted = t - middle if middle < t <= middle + self.more else 0
                ranked.append(((stretch[i], onwards * inserted, i), (k, t)))
        return [key for _, key in sorted(ranked)]

    # --- what is read there ----------------------------------------------------------------------

    def parents(self, key: NodeKey) -> list[NodeKey]:
        """What a node is made from."""
        k, t = key
        if k == OUTSIDE:
            node = self.nodes[t]
            return self.several(node.parents, self.names[node])
        strand, (first, last) = self.strands[k], self.ranges[k]
        at_start, at_end = t - (first - strand.first), t - (last - strand.last)
        return [self._read(read, t, at_start, at_end) for read in strand.reads]

    def _read(self, read: Read, t: int, at_start: int, at_end: int) -> NodeKey:
        """What is read at a step, which is another recorded one seen from either end."""
        if read.source is None:
            assert read.shared is not None
            return self.several([read.shared], "every step")[0]
        if at_start in read.boundary and at_start < read.regular[0]:
            return self._moved(read.boundary[at_start])
        if at_end in read.boundary and at_end > read.regular[1]:
            return self._moved(read.boundary[at_end])
        if read.cut is not None and t - read.cut[1] in self.steps[read.cut[0]]:
            return read.cut[0], t - read.cut[1]
        first, last = self.ranges[read.source]
        if not first <= t - read.lag <= last:
            raise self.refusal(f"it is not known what is read in place of a step {t - read.lag}")
        return read.source, t - read.lag

    def derivative_of(self, key: NodeKey) -> NodeKey | None:
        """The node whose derivative this one computes."""
        k, t = key
        by: int | None = None
        if k == OUTSIDE:
            forward = self.nodes[t].derivative_of
        else:
            like = self.like(self.strands[k], t)
            forward, by = self.strands[k].nodes[like].derivative_of, t - like
        return None if forward is None else self._moved(forward, by)

    def _moved(self, node: Node, by: int | None = None) -> NodeKey:
        """A recorded node; of a strand, the one so many steps later, or at the same end of time."""
        if node not in self.places:
            return OUTSIDE, self.index[node]
        k, t = self.places[node]
        if by is None:
            by = self.more if self.last - t < t - self.first else 0
        first, last = self.ranges[k]
        if not first <= t + by <= last:
            raise self.refusal(f"{self.names[node]} has no place among so few steps")
        return k, t + by

    def several(self, nodes: Sequence[Node], reader: str) -> list[NodeKey]:
        """What a reader outside of the steps reads: ends of strands, or strands as a whole."""
        keys: list[NodeKey] = []
        i = 0
        while i < len(nodes):
            node = nodes[i]
            if node not in self.places or not self.more:
                keys.append(self._moved(node, 0))
                i += 1
                continue
            k, t = self.places[node]
            strand, (first, last) = self.strands[k], self.ranges[k]
            whole, new = list(strand.nodes.values()), list(range(first, last + 1))
            if t == strand.last:
                whole, new = whole[::-1], new[::-1]
            same = [a is b for a, b in zip(nodes[i : i + len(whole)], whole, strict=False)]
            if len(whole) > 1 and len(same) == len(whole) and all(same):
                keys += [(k, s) for s in new]
                i += len(whole)
                continue
            ends = (strand.first, strand.last)
            if t not in ends or self._read_outside.get(k) == set(strand.nodes) != {t}:
                raise self.refusal(
                    f"{reader} reads {self.names[node]}, which does not tell what would be read "
                    "then; only the first step, the last step, and a stack of all steps do"
                )
            keys.append(self._moved(node, (first if t == strand.first else last) - t))
            i += 1
        return keys

    @cached_property
    def _read_outside(self) -> dict[int, set[int]]:
        """For each strand that is read outside of the strands, at which steps."""
        found: dict[int, set[int]] = {}
        outside = [node for node in self.nodes if node not in self.places]
        for nodes in (self.recurrence.graph.outputs, *(node.parents for node in outside)):
            for k, t in (self.places[node] for node in nodes if node in self.places):
                found.setdefault(k, set()).add(t)
        return found

    def stamp(self, step: int | None) -> int | None:
        """The step of a node outside of the strands, which stays at its end of time."""
        if step is None or not self.more:
            return step
        t = self.clock.count(step)
        return self.later(step, self.more * (self.last - t < t - self.first))

    def later(self, step: int, by: int) -> int:
        """The number of the step that is later by so many."""
        try:
            return self.clock.stamp(self.clock.count(step) + by) if by else step
        except GraphError as error:
            raise self.refusal(str(error)) from error

    def refusal(self, why: str) -> GraphError:
        """The error where the recorded steps do not tell how it would go on."""
        return GraphError(f"unfold: {self.recorded} recorded steps cannot be made {self.T}: {why}")
