r"""The Jacobian from one state to another, and the product of one-step Jacobians that it is.

    dh_t/dh_k = J_t J_{t-1} ... J_{k+1}        with J_τ = dh_τ/dh_{τ-1},

and whether gradients vanish or explode is a question about that product. Of a cell with several
states, such as the LSTM's h and c, the product holds for all of them together: J_τ is then the
derivative of the vector (h_τ, c_τ) with respect to (h_{τ-1}, c_{τ-1}), where h_{τ-1} and c_{τ-1}
count as independent of each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from microgrrepresent import GradientError, Node, ShapeError, grad
from microgrrepresent.node import Array
from rnn.diagnosis.trajectory import State, trajectory


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
