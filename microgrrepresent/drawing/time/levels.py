"""Levels: which variables lie on a common circle through time, and what stands below and above.

A recurrence is a strongly connected part of the folded graph; what is chosen, such as the likeliest
token, is no part of it, but given to the next step. Recurrences have odd levels, lower ones first;
what is left over has the even level below, between or above them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

from microgrrepresent.drawing.time.timeline import Timeline

Level = int
Ways = dict[Hashable, dict[Hashable, None]]


@dataclass(frozen=True)
class Links:
    """What is made from what, slot by slot.

    Attributes
    ----------
    within, through : dict from slot to slots
        Within a step; and within a step or from one to another.
    stationary : set
        The slots that stand inside of the steps, not between them.
    loose : dict
        A slot that may stand beside what uses it: that use.
    """

    within: Ways = field(default_factory=dict)
    through: Ways = field(default_factory=dict)
    stationary: set[Hashable] = field(default_factory=set)
    loose: dict[Hashable, Hashable] = field(default_factory=dict)

    def add(self, slot: Hashable, is_stationary: bool) -> None:
        """Enter a slot."""
        self.within.setdefault(slot, {})
        self.through.setdefault(slot, {})
        if is_stationary:
            self.stationary.add(slot)

    def join(self, tail: Hashable, head: Hashable, same_step: bool, is_loose: bool) -> None:
        """Enter that one slot is made from another."""
        if is_loose:
            self.loose[tail] = head
        else:
            self.through[tail][head] = None
        if same_step:
            self.within[tail][head] = None


def slot_levels(time: Timeline) -> dict[Hashable, Level]:
    """The level of each slot of the nodes that stand in steps."""
    links = Links()
    inside = [n for n in time.nodes if time.is_step(n) and n not in time.cuts]
    for node in inside:
        links.add(time.slot[node], True)
    for node in inside:
        for parent in node.parents:
            source = time.cuts.get(parent, parent)
            if source in time.starts:  # of a single step, all that tells of the circle
                if time.starts[source].state not in time.choices:
                    links.join(time.starts[source].state, time.slot[node], False, False)
            elif source in time.column and time.is_step(source) and source not in time.shared:
                same_step = time.column[source] == time.column[node]
                if same_step or time.slot[source] not in time.choices:
                    links.join(time.slot[source], time.slot[node], same_step, source.is_number)
    if all(abs(lag) == 1 for _, lag in time.delayed.values()):  # a delay line shows its taps
        for (reader, _), (state, _) in time.delayed.items():
            if not time.is_chosen(state):
                links.join(time.slot[state], time.slot[reader], False, False)
    return levels_of(links)


def levels_of(links: Links) -> dict[Hashable, Level]:
    """The level of each slot that stands inside of the steps."""
    within, loose = links.within, links.loose
    core = _recurrences(links)
    if not core:
        return {}
    order = [slot for slot in _topological(within) if slot in links.stationary]
    above: dict[Hashable, int] = {}  # the highest recurrence below or at a slot
    for slot in order:
        above[slot] = max(above.get(slot, 0), core.get(slot, 0))
        for user in within[slot]:
            above[user] = max(above.get(user, 0), above[slot])
    below: dict[Hashable, int] = {}  # the lowest recurrence above or at a slot
    for slot in reversed(order):
        users = [below[user] for user in within[slot] if below.get(user)]
        below[slot] = core.get(slot) or min(users, default=0)
    scopes = defaultdict(set)
    for slot, number in core.items():
        scopes[number].add(_scope(slot))
    level: dict[Hashable, Level] = {}
    for slot in reversed(order):
        if slot in core:
            level[slot] = 2 * core[slot] - 1
        elif slot in loose and loose[slot] in level:
            level[slot] = level[loose[slot]]
        elif below[slot] and _inner(slot) and _belongs(slot, scopes[below[slot]], above[slot]):
            level[slot] = 2 * below[slot] - 1
        elif above[slot] and above[slot] == below[slot]:  # on the way to what a parameter gets
            level[slot] = 2 * above[slot] - 1
        elif above[slot]:
            level[slot] = 2 * above[slot]
        elif _inner(slot):
            level[slot] = 2 * (below[slot] or max(core.values()) + 1) - 2
        else:
            users = [level[user] for user in within[slot] if user in level]
            level[slot] = min((n - n % 2 for n in users), default=0)
    return level


def _belongs(slot: Hashable, scopes: set[Hashable], above: int) -> bool:
    """Whether what feeds a recurrence is part of the cell: it is of its scope."""
    scope = _scope(slot)
    return scope in scopes and (scope != "" or not above)


def _scope(slot: Hashable) -> Hashable:
    return slot[0] if isinstance(slot, tuple) else None


def _inner(slot: Hashable) -> bool:
    """Whether an operation made the node: leaves have none in their slot."""
    return isinstance(slot, tuple) and slot[1] != ""


def _is_backward(slot: Hashable) -> bool:
    """Whether the node belongs to a symbolic backward pass: a prime in its slot says so."""
    return _inner(slot) and isinstance(slot, tuple) and str(slot[1]).endswith("'")


def _recurrences(links: Links) -> dict[Hashable, int]:
    """Number the recurrences from 1, lower ones first; for each slot in one, its number."""
    within, through, stationary = links.within, links.through, links.stationary
    parts = _strongly_connected(through)
    member = {slot: i for i, part in enumerate(parts) for slot in part}
    circular = {i for i, part in enumerate(parts) if len(part) > 1 or part[0] in through[part[0]]}
    number: dict[int, int] = {}
    backward: dict[Hashable, int] = {}  # the sum that a parameter gets goes with what it sums
    for slot in sorted(_topological(within), key=_is_backward):  # a backward pass stands above
        i = member[slot]
        if i in circular and slot in stationary and i not in number:
            number[i] = max(number.values(), default=0) + 1
            if _is_backward(slot):
                number[i] = backward.setdefault(_scope(slot), number[i])
    return {slot: number[i] for slot, i in member.items() if i in number and slot in stationary}


def _topological(links: Ways) -> list[Hashable]:
    """Slots, tails before heads; of those that could come next, the one made first."""
    waiting = dict.fromkeys(links, 0)
    for heads in links.values():
        for head in heads:
            waiting[head] += 1
    ready = [slot for slot, n in reversed(waiting.items()) if n == 0]
    order = []
    while ready:
        slot = ready.pop()
        order.append(slot)
        for head in reversed(links[slot]):
            waiting[head] -= 1
            if waiting[head] == 0:
                ready.append(head)
    done = set(order)
    return order + [slot for slot in links if slot not in done]


def _strongly_connected(links: Ways) -> list[list[Hashable]]:
    """Tarjan's algorithm, without recursion."""
    index: dict[Hashable, int] = {}
    low: dict[Hashable, int] = {}
    stack: list[Hashable] = []
    on_stack: set[Hashable] = set()
    parts: list[list[Hashable]] = []
    for root in links:
        if root in index:
            continue
        work: list[tuple[Hashable, Iterable[Hashable]]] = [(root, iter(links[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            slot, heads = work[-1]
            for head in heads:
                if head not in index:
                    index[head] = low[head] = len(index)
                    stack.append(head)
                    on_stack.add(head)
                    work.append((head, iter(links[head])))
                    break
                if head in on_stack:
                    low[slot] = min(low[slot], index[head])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[slot])
                if low[slot] == index[slot]:
                    part: list[Hashable] = []
                    while not part or part[-1] != slot:
                        part.append(stack.pop())
                        on_stack.discard(part[-1])
                    parts.append(part)
    return parts
