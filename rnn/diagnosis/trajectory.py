"""The states of a recurrence, step by step, from what a loop or `unroll` gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from microgrrepresent import GradientError, Node, ShapeError

State = dict[str, Node]  # the parts of a state by name: {"h": ..., "c": ...}


def trajectory(unrolled: Any) -> dict[int, State]:
    """The states of an unrolled recurrence by time step, from the initial one on.

    Parameters
    ----------
    unrolled : Unrolled, sequence of states, or mapping from int to state
        What `rnn.unroll` gives; or the states that a loop of your own has passed through, a
        Tensor or a (named) tuple of Tensors each. In a sequence, a state counts for the step at
        which it was made; an initial state that was made by no step comes before the others. Where
        no state knows its step, the first is h_0.

    Returns
    -------
    dict from int to dict from str to Node
        ``{t: {"h": h_t, ...}}``, in the order in which the states came about. The names of the
        parts are those of the last state.

    Raises
    ------
    TypeError
        If these are no states.
    ShapeError
        If they differ in their parts or shapes, as a layer's outputs and its final state do.
    GradientError
        If two were made at the same step, or one at no step among others that know theirs.
    """
    states = getattr(unrolled, "states", unrolled)
    if isinstance(states, Node) or not isinstance(states, Iterable):
        raise TypeError(
            "the states of a recurrence are wanted, what rnn.unroll gives or a list of states, "
            f"got a {type(unrolled).__name__}"
        )
    kept = list(states.values() if isinstance(states, Mapping) else states)
    tuples = [_parts(state) for state in kept]
    if not tuples:
        raise GradientError("the states of a recurrence are wanted; there are none")
    shapes = [[part.shape for part in parts] for parts in tuples]
    for shape in shapes:
        if shape != shapes[-1]:
            raise ShapeError(
                f"the states of one recurrence have the same shapes, got {_shapes(shape)} and "
                f"{_shapes(shapes[-1])}. A layer's result is no sequence of states: give the list "
                "of states h_0, h_1, ... or what rnn.unroll gives"
            )
    times = list(states) if isinstance(states, Mapping) else _times(tuples)
    names = _names(kept[-1], tuples[-1])
    return {t: dict(zip(names, parts, strict=True)) for t, parts in zip(times, tuples, strict=True)}


def _parts(state: Any) -> tuple[Node, ...]:
    parts = (state,) if isinstance(state, Node) or not isinstance(state, Iterable) else tuple(state)
    for part in parts:
        if not isinstance(part, Node):
            raise TypeError(
                "a state is a Tensor of the recorded graph or a tuple of Tensors, got one with "
                f"a {type(part).__name__}"
            )
    return parts


def _names(state: Any, parts: tuple[Node, ...]) -> list[str]:
    if isinstance(state, Node):
        return [state.name or "h"]
    if hasattr(state, "_fields"):
        return list(state._fields)
    names = [part.name for part in parts]
    if None in names or len(set(names)) < len(names):
        return [f"s{i}" for i in range(1, len(parts) + 1)]
    return [str(name) for name in names]


def _times(states: list[tuple[Node, ...]]) -> list[int]:
    """The steps at which the states of a sequence were made."""
    made = [next((part.step for part in parts if part.step is not None), None) for parts in states]
    if made.count(None) == len(made):
        return list(range(len(made)))
    initial = made[0] is None or (len(states) > 1 and not any(part.parents for part in states[0]))
    later = [t for t in made[initial:] if t is not None]
    back = len(later) > 1 and later[1] < later[0]
    times = [later[0] + (1 if back else -1)] * initial + later
    if len(times) < len(made) or len(set(times)) < len(times):
        raise GradientError(
            "the states of a sequence must each have been made at a step of its own; these were "
            f"made at {', '.join(f't={t}' if t is not None else 'no step' for t in made)}: give "
            "{t: state}"
        )
    return times


def _shapes(shapes: list[tuple[int, ...]]) -> str:
    return str(shapes[0]) if len(shapes) == 1 else f"({', '.join(map(str, shapes))})"
