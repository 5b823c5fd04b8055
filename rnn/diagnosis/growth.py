r"""Vanishing and exploding gradients: what one step multiplies a gradient by.

Going back one step multiplies the adjoint of the state by J_t = diag(f'(z_t)) U. Write γ for the
size of that factor: over a lag of t - k steps the gradient scales like γ^(t-k), so it vanishes
for γ < 1 and explodes for γ > 1. What is certain about it (Pascanu, Mikolov and Bengio 2013;
λ₁ is U's largest singular value, ρ its spectral radius, and |f'| <= s, with s = 1 for tanh and
1/4 for the sigmoid):

- h_t = U h_{t-1} + ...: ρ < 1 is sufficient to vanish, ρ > 1 necessary to explode.
- h_t = f(U h_{t-1} + ...): λ₁ < 1/s is sufficient to vanish, λ₁ > 1/s necessary to explode.

An eigenvalue below 1 does not keep a gradient from growing *at first*: where the eigenvectors of U
are far from orthogonal (U is not normal), λ₁ can be large while ρ is small.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from microgrrepresent import GradientError, Node
from microgrrepresent.node import Array
from rnn.diagnosis.state_jacobian import (
    depends,
    joint_jacobian,
    made_since,
    one_step_jacobians,
)
from rnn.diagnosis.trajectory import State, trajectory


@dataclass(frozen=True)
class Gamma:
    """How large the one-step Jacobians of a recurrence are. Made by `gamma`.

    Attributes
    ----------
    norms : dict from int to float
        ``{t: |J_t|}``, the largest singular value of the step from t-1 to t.
    growth : dict from int to float
        ``{lag: |J_T ... J_{T-lag+1}|}``, by how much a gradient can have grown on its way from
        the last step T to the step T - lag.
    U : ndarray or None
        The recurrent matrix, where the recurrence is h_t = f(U h_{t-1} + ...) with one U and f.
    activation : str or None
        Name of f; ``identity`` for a linear recurrence.
    steepest : float or None
        The largest slope that f can have: 1 for tanh, 1/4 for the sigmoid.
    """

    norms: dict[int, float]
    growth: dict[int, float]
    U: Array | None
    activation: str | None
    steepest: float | None

    def __repr__(self) -> str:
        return f"<Gamma: a step back multiplies by {self.rate:.3g}; print() says what is certain>"

    @property
    def rate(self) -> float:
        """The γ observed over the whole run: growth from the last step to the first, per step."""
        lag = max(self.growth)
        return float(self.growth[lag] ** (1 / lag)) if lag else 1.0

    @property
    def spectral_radius(self) -> float | None:
        """ρ, the largest absolute value of an eigenvalue of U."""
        return None if self.U is None else float(np.abs(np.linalg.eigvals(self.U)).max())

    @property
    def largest_singular_value(self) -> float | None:
        """λ₁ of U: the most by which U can stretch a vector."""
        return None if self.U is None else float(np.linalg.norm(self.U, 2))

    @property
    def must_vanish(self) -> bool | None:
        """Whether the sufficient condition to vanish holds; None where none is known."""
        if self.U is None:
            return None
        return self._criterion < 1 and not self._at_border

    @property
    def can_explode(self) -> bool | None:
        """Whether the necessary condition to explode holds; None where none is known."""
        if self.U is None:
            return None
        return self._criterion > 1 and not self._at_border

    @property
    def _criterion(self) -> float:
        """What both conditions compare with 1: ρ of a linear recurrence, s λ₁ of another."""
        radius, largest = self.spectral_radius, self.largest_singular_value
        assert radius is not None and largest is not None and self.steepest is not None
        return radius if self.activation == "identity" else largest * self.steepest

    @property
    def _at_border(self) -> bool:
        """Whether it is 1 as far as can be computed: an eigenvalue is known to half the digits."""
        assert self.U is not None
        return bool(abs(self._criterion - 1) < np.sqrt(np.finfo(self.U.dtype).eps))

    def __str__(self) -> str:
        """Say in a few lines what is known."""
        steepest = max(self.growth.values())
        lines = [
            f"one step back multiplies a gradient by at most {max(self.norms.values()):.4g} "
            f"(at t={max(self.norms, key=lambda t: self.norms[t])})",
            f"over {max(self.growth)} steps it arrives at most {self.growth[max(self.growth)]:.4g} "
            f"times as large, a factor of {self.rate:.4g} a step",
        ]
        if steepest > max(1.0, 1.01 * self.growth[max(self.growth)]):
            lag = max(self.growth, key=lambda lag: self.growth[lag])
            lines.append(f"on the way it grows to {steepest:.4g} times, at a lag of {lag}")
        if self.U is not None:
            lines.append(
                f"the recurrent matrix has spectral radius {self.spectral_radius:.4g} and "
                f"largest singular value {self.largest_singular_value:.4g}; f is {self.activation}"
            )
            lines.append(
                "the gradient must vanish over long lags"
                if self.must_vanish
                else "the gradient can explode, but need not"
                if self.can_explode
                else "which is on the border, up to rounding: neither condition is met"
            )
        return "\n".join(lines)


def gamma(unrolled: Any) -> Gamma:
    """What one step back multiplies a gradient by, at every step and over all of them.

    Parameters
    ----------
    unrolled
        The states of a recurrence with at least one step; see `trajectory`. Of a batch, the
        sequence with the largest value counts.

    Returns
    -------
    Gamma

    Raises
    ------
    GradientError
        If there is only one state, or a state does not depend on the one before it.

    Examples
    --------
    >>> from microgrrepresent import Tensor, steps
    >>> from rnn.diagnosis import gamma
    >>> U, states = Tensor([[0.5, 4.0], [0.0, 0.5]]), [Tensor([1.0, 1.0], name="h")]
    >>> for t, x in steps(range(20)):
    ...     states.append((U @ states[-1]).named("h"))
    >>> print(gamma(states))
    one step back multiplies a gradient by at most 4.062 (at t=1)
    over 20 steps it arrives at most 0.0001526 times as large, a factor of 0.6444 a step
    on the way it grows to 4.062 times, at a lag of 1
    the recurrent matrix has spectral radius 0.5 and largest singular value 4.062; f is identity
    the gradient must vanish over long lags
    """
    states = trajectory(unrolled)
    if len(states) < 2:
        raise GradientError("gamma: at least two states are needed, one step apart, got one")
    jacobians = one_step_jacobians(states)
    times = list(states)[1:]
    norms = {t: _norm(J) for t, J in zip(times, jacobians, strict=True)}
    growth, product = {0: 1.0}, np.eye(jacobians[0].shape[-1])
    for lag, J in enumerate(reversed(jacobians), start=1):
        product = product @ J
        growth[lag] = _norm(product)
    return Gamma(norms, growth, *_recurrent_matrix(states, jacobians))


def _norm(J: Array) -> float:
    return float(np.linalg.norm(J, 2, axis=(-2, -1)).max())


def _recurrent_matrix(
    states: dict[int, State], jacobians: list[Array]
) -> tuple[Array | None, str | None, float | None]:
    """Find U and f of a recurrence h_t = f(U h_{t-1} + ...) whose U does not depend on t."""
    unknown = (None, None, None)
    if len(next(iter(states.values()))) > 1:
        return unknown
    nodes: list[Node] = [next(iter(state.values())) for state in states.values()]
    pairs = list(pairwise(nodes))
    operations = {now.op for _, now in pairs}
    op = next(iter(operations)) if len(operations) == 1 else None
    if op is not None and op.steepest is not None:
        activation, steepest = op.name, op.steepest
        arguments = [[z for z in now.parents if depends(z, before)] for before, now in pairs]
        if any(len(found) != 1 for found in arguments):
            return unknown
        ends = [found[0] for found in arguments]
        inner = [joint_jacobian({"z": z}, {"h": h}) for (h, _), z in zip(pairs, ends, strict=True)]
    else:
        activation, steepest, inner, ends = "identity", 1.0, jacobians, nodes[1:]
    if not all(_is_linear(z, before) for (before, _), z in zip(pairs, ends, strict=True)):
        return unknown
    matrices = [J.reshape(-1, *J.shape[-2:]) for J in inner]
    U = matrices[0][0]
    if all(np.allclose(J, U, rtol=1e-9, atol=1e-12) for J in matrices):
        return U, activation, steepest
    return unknown


def _is_linear(now: Node, before: Node) -> bool:
    """Whether a node is a linear function of another, by the operations between them."""
    behind = {before}
    for node in made_since(before, now):
        mine = [i for i, parent in enumerate(node.parents) if parent in behind]
        if not mine:
            continue
        if node.op is None or not node.op.is_linear(node, mine):
            return False
        behind.add(node)
    return True
