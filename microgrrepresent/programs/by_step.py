"""Adjoints step by step, right, broken, or a student's own: where they first differ.

A gradient is a sum over all steps and says only that something is wrong. An adjoint has a value at
each step, and the first wrong one on the way back is where the mistake is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from microgrrepresent.node import Array
from microgrrepresent.norms import euclidean_norm
from microgrrepresent.programs.code import Code
from microgrrepresent.programs.lines import Item, Loop
from microgrrepresent.programs.replay import Replay
from microgrrepresent.programs.schedule import line_owner

Trace = dict[tuple[int, str], Array]
"""The value of each variable at each step, in the order of computation."""

Steps = dict[int, Array]
"""The values of one variable."""


def adjoint_names(code: Code) -> list[str]:
    """The adjoints that the loops of a backward pass have at each step, in their order."""
    loops = [item for item in code.backward if isinstance(item, Loop)]
    names = [line_owner(line) for loop in loops for line in loop.lines if not line.add]
    return [n for n in dict.fromkeys(names) if n and not n.endswith("_next")]


def traced(replay: Replay, backward: Iterable[Item]) -> Trace:
    """Run a backward pass and keep what its loops compute, the sums as far as they are."""
    found: Trace = {}
    items = list(backward)
    loops = [item for item in items if isinstance(item, Loop)]
    names = dict.fromkeys(line_owner(line) for loop in loops for line in loop.lines)
    names = {n: None for n in names if n and not n.endswith("_next")}

    def after(t: int, variables: Mapping[str, Any]) -> None:
        for n in names:
            value = variables.get(n)
            if isinstance(value, dict):
                value = value.get(t)
            if value is not None:
                found.setdefault((t, n), np.array(value))

    replay.gradients(items, after)
    return found


def history(
    replay: Replay, backward: Iterable[Item], names: Collection[str]
) -> dict[str, list[Array]]:
    """The values of some variables after each turn of a backward pass, and at its end."""
    found: dict[str, list[Array]] = {}

    def after(_: int, variables: Mapping[str, Any]) -> None:
        for n in names:
            value = variables.get(n)
            if isinstance(value, np.ndarray | np.number | float):
                found.setdefault(n, []).append(np.array(value))

    after(0, replay.run(backward, after))
    return found


def first_difference(right: Trace, other: Trace, tolerance: float) -> tuple[int, str] | None:
    """The first step and variable, in the order of computation, that is not right."""
    for (t, n), value in right.items():
        if (t, n) not in other or not _near(other[t, n], value, tolerance):
            return t, n
    return None


def _near(value: Array, right: Array, tolerance: float) -> bool:
    if value.shape != right.shape or not np.isfinite(value).all():
        return False
    return euclidean_norm(value - right) <= tolerance * euclidean_norm(right)


def _distance(value: Array | None, right: Array) -> float:
    if value is None or value.shape != right.shape or not np.isfinite(value).all():
        return 1.0
    return euclidean_norm(value - right) / (euclidean_norm(right) or 1.0)


@dataclass(frozen=True)
class GivenAdjoints:
    """A student's adjoints, by name and step.

    Attributes
    ----------
    values : dict from str to dict from int to array
    right : Trace
        The right ones.
    tolerance : float
        Of the norm of each.
    """

    values: Mapping[str, Steps]
    right: Trace
    tolerance: float

    @classmethod
    def read(cls, given: Mapping[str, Any], right: Trace, tolerance: float) -> GivenAdjoints:
        """Find out which value is of which step.

        Parameters
        ----------
        given : mapping from str to (dict from int to array, list of array, or array)
            Steps may be counted from 0 or from 1; a list may be in the order of time or of
            computation. Of these, what fits best is taken.
        right : Trace
        tolerance : float
        """
        of = {n: {t: array for (t, m), array in right.items() if m == n} for n in given}
        ways = [
            {n: reading(value, sorted(of[n])) for n, value in given.items()}
            for reading in (_from_1, _from_0, _backwards)
        ]

        def misfit(values: Mapping[str, Steps]) -> tuple[int, float]:
            """How many are wrong or not there, and by how much they are wrong."""
            pairs = [(values[n].get(t), array) for n in given for t, array in of[n].items()]
            near = sum(value is not None and _near(value, x, tolerance) for value, x in pairs)
            return len(pairs) - near, sum(_distance(value, x) for value, x in pairs)

        return cls(min(ways, key=misfit), right, tolerance)

    def wrong(self) -> list[tuple[int, str]]:
        """The steps and names of those that are not right, in the order of computation."""
        return [
            (t, n)
            for (t, n), right in self.right.items()
            if t in self.values.get(n, {}) and not _near(self.values[n][t], right, self.tolerance)
        ]

    def fit(self, trace: Trace) -> bool:
        """Whether a broken program has these adjoints."""
        return all(
            (t, n) in trace and _near(value, trace[t, n], self.tolerance)
            for n, steps in self.values.items()
            for t, value in steps.items()
        )

    def sentences(self, gradients_right: bool) -> Iterator[str]:
        """What they tell.

        Parameters
        ----------
        gradients_right : bool
            Then they are what the student calls so, and no mistake.
        """
        unread = [n for n, steps in self.values.items() if not steps]
        for n in unread:
            yield f"{n} is not looked at: it must be a dict from step to array, or a list."
        read = [n for n in self.values if n not in unread]
        wrong = self.wrong()
        right = [n for n in read if n not in {m for _, m in wrong}]
        if right:
            yield f"Right at every step: {', '.join(right)}."
        if not wrong:
            return
        if gradients_right:
            names = ", ".join(dict.fromkeys(n for _, n in wrong))
            yield f"{names}: not what has that name here; the gradients are right all the same."
            return
        for n in dict.fromkeys(m for _, m in wrong):
            yield self._from_where(n, [t for t, m in wrong if m == n])
        if len(read) > 1:
            yield self._first(*wrong[0])

    def _from_where(self, n: str, wrong: Sequence[int]) -> str:
        steps = [t for t, m in self.right if m == n and t in self.values[n]]
        before = steps[: steps.index(wrong[0])]
        shape, expected = self.values[n][wrong[0]].shape, self.right[wrong[0], n].shape
        if shape != expected:
            return f"{n} has the shape {shape} at t = {wrong[0]}, and should have {expected}."
        if before:
            return f"{n} is right at t = {_range(before)}, and wrong from t = {wrong[0]} on."
        return f"{n} is wrong from the start of the loop, at t = {wrong[0]}."

    def _first(self, t: int, n: str) -> str:
        order = [m for s, m in self.right if s == t]
        before = [m for m in order[: order.index(n)] if t in self.values.get(m, {})]
        said = f"On the way back, the first wrong one is {n} at t = {t}"
        return f"{said}; {', '.join(before)} before it is right there." if before else f"{said}."


def meant(value: Any, names: Iterable[str], right: Trace, tolerance: float) -> str | None:
    """The adjoint that is given under another name: one that it is right for, at most steps."""
    steps = {}
    for n in names:
        given = GivenAdjoints.read({n: value}, right, tolerance)
        steps[n] = len(given.values[n].keys() & {t for t, m in right if m == n})
        steps[n] -= len(given.wrong())
    best = max(steps, key=lambda n: steps[n], default=None)
    return best if best is not None and steps[best] > 0 else None


def _from_1(value: Any, steps: Sequence[int]) -> Steps:
    """Counted as the steps are; a list begins with the first."""
    arrays = _arrays(value)
    if not isinstance(value, Mapping) and len(arrays) == len(steps):
        return dict(zip(steps, arrays.values(), strict=True))
    return {t: arrays[t] for t in steps if t in arrays}


def _from_0(value: Any, steps: Sequence[int]) -> Steps:
    """Counted from 0."""
    arrays = _arrays(value)
    return {t: arrays[t - 1] for t in steps if t - 1 in arrays}


def _backwards(value: Any, steps: Sequence[int]) -> Steps:
    """A list in the order of computation, from the last step to the first."""
    if isinstance(value, Mapping):
        return _from_1(value, steps)
    return dict(zip(reversed(steps), _arrays(value).values(), strict=False))


def _arrays(value: Any) -> dict[int, Array]:
    """By key or position; empty if this is nothing of the kind."""
    try:
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        return {int(k): np.asarray(v, float) for k, v in items}
    except (TypeError, ValueError):
        return {}


def _range(steps: Sequence[int]) -> str:
    return str(steps[0]) if len(steps) == 1 else f"{steps[0]} to {steps[-1]}"
