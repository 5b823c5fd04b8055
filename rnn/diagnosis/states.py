r"""The gradient of every state, and the Jacobian from one state to another.

The chain rule through time is a product of one-step Jacobians,

    dh_t/dh_k = J_t J_{t-1} ... J_{k+1}        with J_τ = dh_τ/dh_{τ-1},

and whether gradients vanish or explode is a question about that product. Of a cell with several
states, such as the LSTM's h and c, the product holds for all of them together: J_τ is then the
derivative of the vector (h_τ, c_τ) with respect to (h_{τ-1}, c_{τ-1}), where h_{τ-1} and c_{τ-1}
count as independent of each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from microgrrepresent import GradientError, Graph, Node, ShapeError, grad
from microgrrepresent.gradients import one_node
from microgrrepresent.node import Array
from microgrrepresent.norms import euclidean_norm

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


@dataclass(frozen=True)
class StateGradients:
    """dL/dh_t, and dL/dc_t, for every t. Made by `state_gradients`.

    Attributes
    ----------
    parts : dict from str to dict from int to ndarray
        ``{"h": {t: dL/dh_t}, ...}``.
    """

    parts: dict[str, dict[int, Array]]

    def __getitem__(self, name: str) -> dict[int, Array]:
        return self.parts[name]

    def __repr__(self) -> str:
        steps = len(next(iter(self.parts.values())))
        return f"<StateGradients of {', '.join(self.parts)} at {steps} steps; print() shows norms>"

    def norms(self, name: str | None = None) -> dict[int, float]:
        """``{t: |dL/dh_t|}``, the Euclidean norm over everything, the batch included.

        By default of the first part of the state, h.
        """
        part = self.parts[next(iter(self.parts)) if name is None else name]
        return {t: euclidean_norm(g) for t, g in part.items()}

    def __str__(self) -> str:
        """A table of the norms."""
        columns = {name: self.norms(name) for name in self.parts}
        head = "".join(f"  {'|dL/d' + name + '_t|':>12}" for name in columns)
        rows = [
            f"{t:>4}" + "".join(f"  {norms[t]:>12.3e}" for norms in columns.values())
            for t in next(iter(columns.values()))
        ]
        return "\n".join([f"{'t':>4}{head}", *rows])


def state_gradients(loss: Node, unrolled: Any) -> StateGradients:
    """The gradient of the loss with respect to every state, the initial one included.

    Parameters
    ----------
    loss : Tensor
        A scalar.
    unrolled
        See `trajectory`.

    Returns
    -------
    StateGradients
        A state on which the loss does not depend, such as one before a cut, has a gradient of 0.

    Raises
    ------
    GradientError
        If the loss does not depend on any of the states.

    Examples
    --------
    >>> from microgrrepresent import Tensor, steps
    >>> from rnn.diagnosis import state_gradients
    >>> states = [Tensor(1.0, name="h")]
    >>> for t, x in steps(range(3)):
    ...     states.append((0.5 * states[-1]).named("h"))
    >>> state_gradients(states[-1], states).norms()
    {0: 0.125, 1: 0.25, 2: 0.5, 3: 1.0}
    """
    states = trajectory(unrolled)
    nodes = [node for state in states.values() for node in state.values()]
    behind = Graph(one_node(loss, "state_gradients", "the loss"))
    if not any(node in behind for node in nodes):
        raise GradientError(
            "state_gradients: the loss does not depend on any of these states; they are of another "
            "run, or were computed under no_grad"
        )
    found = dict(zip(nodes, grad(loss, nodes, unconnected="zeros"), strict=True))
    names = next(iter(states.values()))
    return StateGradients(
        {name: {t: found[state[name]] for t, state in states.items()} for name in names}
    )


@dataclass(frozen=True)
class StateJacobian:
    """dh_t/dh_k, as a matrix and as the product that it is. Made by `state_jacobian`.

    Attributes
    ----------
    t, k : int
        The later step and the earlier one.
    matrix : ndarray, shape (n, n), or (B, n, n) for a batch
        ``matrix[i, j]`` is the derivative of unit i of the state at t with respect to unit j of
        the state at k; n counts the units of all its parts. Found by reverse sweeps from t to k.
    factors : list of ndarray
        The one-step Jacobians [J_t, ..., J_{k+1}], in the order of the product.
    sizes : dict from str to int
        The parts of the state and how many units each has, in the order of the rows.
    """

    t: int
    k: int
    matrix: Array
    factors: list[Array]
    sizes: dict[str, int]

    def __repr__(self) -> str:
        return (
            f"<StateJacobian of step {self.t} by step {self.k}, {self.matrix.shape}; "
            "print() shows it step by step>"
        )

    def __str__(self) -> str:
        """How much each step lets through, and all of them together."""
        n, names = self.matrix.shape[-1], ", ".join(self.sizes)
        state = f"({names})" if len(self.sizes) > 1 else names
        head = f"d{state}_{self.t}/d{state}_{self.k}: {n} × {n}"
        if self.matrix.ndim > 2:
            head += f", for each of {len(self.matrix)} sequences"
        back = -1 if self.t > self.k else 1
        rows = [
            f"{t:>6} -> {t + back:<6}{np.linalg.norm(factor, 2, axis=(-2, -1)).max():.4g}"
            + ("" if factor.any() else "  (the graph is cut, or f' is 0)")
            for t, factor in zip(range(self.t, self.k, back), self.factors, strict=True)
        ]
        whole = f"{self.t:>6} -> {self.k:<6}{self.norm:.4g}"
        return "\n".join([head, "  step back     largest singular value", *rows, whole])

    def __getitem__(self, parts: tuple[str, str]) -> Array:
        """A block: ``jacobian["c", "h"]`` is dc_t/dh_k, the other parts at k held fixed."""
        rows, columns = (self._rows(part) for part in parts)
        return self.matrix[..., rows, columns]

    def _rows(self, part: str) -> slice:
        names = list(self.sizes)
        if part not in names:
            raise KeyError(f"the state has no part {part!r}; its parts are {', '.join(names)}")
        start = sum(self.sizes[name] for name in names[: names.index(part)])
        return slice(start, start + self.sizes[part])

    @property
    def product(self) -> Array:
        """J_t J_{t-1} ... J_{k+1}, which `matrix` equals up to rounding."""
        result = np.broadcast_to(np.eye(self.matrix.shape[-1]), self.matrix.shape)
        for factor in self.factors:
            result = result @ factor
        return result

    @cached_property
    def singular_values(self) -> Array:
        """Of `matrix`, largest first: by which factors a gradient from t can arrive at k."""
        return np.linalg.svd(self.matrix, compute_uv=False)

    @property
    def norm(self) -> float:
        """The largest singular value (of the whole batch)."""
        return float(self.singular_values.max())


def state_jacobian(unrolled: Any, t: int, k: int) -> StateJacobian:
    """The derivative of the state at step t with respect to the state at step k.

    Parameters
    ----------
    unrolled
        See `trajectory`. States are of shape (H,), or (B, H) for a batch whose sequences do not
        depend on one another.
    t, k : int
        Time steps; the state at k came before that at t.

    Returns
    -------
    StateJacobian

    Raises
    ------
    GradientError
        If there is no state at t or k, that at k came later, or a state does not depend on the one
        before it. Where the graph is only cut, as by ``unroll(truncate=...)``, the factor is 0.

    Examples
    --------
    >>> from microgrrepresent import Tensor, steps
    >>> from rnn.diagnosis import state_jacobian
    >>> U, states = Tensor([[0.5, 1.0], [0.0, 0.5]]), [Tensor([1.0, 1.0], name="h")]
    >>> for t, x in steps(range(3)):
    ...     states.append((U @ states[-1]).named("h"))
    >>> state_jacobian(states, 3, 1).matrix.tolist()
    [[0.25, 1.0], [0.0, 0.25]]
    """
    states = trajectory(unrolled)
    times = list(states)
    for step in (t, k):
        if step not in states:
            raise GradientError(
                f"state_jacobian: there is no state at t={step}; states go from t={times[0]} "
                f"to t={times[-1]}"
            )
    between = times[times.index(k) : times.index(t) + 1]
    if not between:
        raise GradientError(
            f"state_jacobian: the state at t={t} came before that at t={k} and does not depend on "
            "it; give the later step first"
        )
    sizes = {name: _units(node) for name, node in states[t].items()}
    factors = one_step_jacobians({s: states[s] for s in between})
    matrix = joint_jacobian(states[t], states[k])
    return StateJacobian(t, k, matrix, factors[::-1], sizes)


def one_step_jacobians(states: dict[int, State]) -> list[Array]:
    """J_τ for every τ but the first, earliest first."""
    for (t, before), (later, now) in pairwise(states.items()):
        if not any(depends(part, x) for part in now.values() for x in before.values()):
            raise GradientError(
                f"the state at t={later} was not computed from that at t={t}, as far as the graph "
                "knows: they are of different runs, detached, or computed under no_grad"
            )
    return [joint_jacobian(now, before) for before, now in pairwise(states.values())]


def depends(node: Node, before: Node) -> bool:
    """Whether a node was computed from another, with or without a derivative."""
    if node is before:
        return True
    return any(parent is before for made in made_since(before, node) for parent in made.parents)


def made_since(before: Node, now: Node) -> list[Node]:
    """The nodes behind `now` that are younger than `before`, oldest first."""
    found = {now.id: now}
    todo = [now]
    while todo:
        for parent in todo.pop().parents:
            if parent.id > before.id and parent.id not in found:
                found[parent.id] = parent
                todo.append(parent)
    return [found[key] for key in sorted(found)]


def joint_jacobian(outputs: State, inputs: State) -> Array:
    """The derivative of all parts of one state with respect to all parts of an earlier one.

    One reverse sweep for each unit: sequences of a batch do not mix, so one seed serves them all.
    """
    sources = sorted(inputs.values(), key=lambda node: -node.id)  # youngest first
    rows = []
    for output in outputs.values():
        for unit in np.eye(_units(output), dtype=output.dtype):
            seed = np.broadcast_to(unit, output.shape)
            partial = dict(zip(sources, _gradients(output, sources, seed), strict=True))
            # What came to an older part by way of a younger one of the same state, as to c_k by
            # way of h_k = o_k tanh(c_k), is not its own.
            for i, younger in enumerate(sources):
                older = sources[i + 1 :]
                for node, g in zip(
                    older, _gradients(younger, older, partial[younger]), strict=True
                ):
                    partial[node] = partial[node] - g
            rows.append(np.concatenate([_flat(partial[x]) for x in inputs.values()], axis=-1))
    return np.stack(rows, axis=-2)


def _gradients(output: Node, inputs: list[Node], seed: Array) -> list[Array]:
    if not inputs:
        return []
    if any(x is output for x in inputs):  # k = t: a state with respect to itself
        others = [x for x in inputs if x is not output]
        found = dict(zip(others, _gradients(output, others, seed), strict=True))
        return [found.get(x, seed) for x in inputs]
    return grad(output, inputs, seed, unconnected="zeros")


def _units(node: Node) -> int:
    if node.ndim > 2:
        raise ShapeError(
            f"a state has shape (H,) or (B, H); {node.name or 'this one'} has {node.shape}"
        )
    return node.shape[-1] if node.ndim else 1


def _flat(g: Array) -> Array:
    return g if g.ndim else g[None]
