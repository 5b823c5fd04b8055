"""The Hopfield network, an associative memory: a recurrent network without inputs.

Its states are vectors of +1 and -1. Patterns are stored by one formula, not by gradients, and the
network finds back from a noisy state to the pattern next to it, because every change of one unit
lowers an energy (Hopfield 1982).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from microgrrepresent import ShapeError, Tensor, equal, linear, scope, sign, where
from microgrrepresent.arrays import plain_array
from microgrrepresent.node import Array
from rnn.initialize import Rng, generator
from rnn.inputs import integer
from rnn.module import Module


@dataclass(frozen=True)
class Recall:
    """What a recall did.

    Attributes
    ----------
    state : ndarray, shape (N,)
        Where it ended.
    energies : ndarray
        The energy at the start and after each sweep.
    converged : bool
        Whether the last sweep changed nothing.
    """

    state: Array
    energies: Array
    converged: bool


class HopfieldNetwork(Module):
    r"""An associative memory of N units.

        W = (1/N) Σ_p x_p x_pᵀ,  w_ii = 0     the Hebb rule, in `store`
        s_i ← sgn(Σ_j w_ij s_j)               recall; a unit with sum 0 stays as it is
        E = −½ sᵀ W s                         energy; never rises in asynchronous recall

    About 0.138 N random patterns can be stored (Amit, Gutfreund and Sompolinsky 1985).

    Parameters
    ----------
    size : int
        N.

    Attributes
    ----------
    weight : Tensor, shape (N, N)
        Symmetric, with a diagonal of zeros. Does not require a gradient.

    Examples
    --------
    >>> import numpy as np
    >>> from rnn import HopfieldNetwork
    >>> network = HopfieldNetwork(6)
    >>> network.store([[1, 1, 1, -1, -1, -1]])
    >>> network.recall([1, 1, -1, -1, -1, -1], rng=0).state.tolist()
    [1.0, 1.0, 1.0, -1.0, -1.0, -1.0]
    """

    def __init__(self, size: int) -> None:
        self.size = integer(size, 1, "HopfieldNetwork: size")
        self.weight = Tensor(np.zeros((size, size)), name="W")

    def store(self, patterns: ArrayLike) -> None:
        """Forget what was stored, and store patterns (P, N) of +1 and -1 by the Hebb rule."""
        try:
            x = np.atleast_2d(plain_array(patterns, float))
        except ValueError:
            raise ShapeError(
                f"{self!r}: expected patterns of {self.size} units each, got lists that differ "
                "in length, or hold no numbers"
            ) from None
        self._check(x)
        if not len(x):
            raise ShapeError(f"{self!r}: there is no pattern to store, got shape {x.shape}")
        weight = x.T @ x / self.size
        np.fill_diagonal(weight, 0)
        self.weight.assign(weight)

    def energy(self, state: Tensor | ArrayLike) -> Any:
        """The energy −½ sᵀ W s of a state (N,), or of several (B, N)."""
        s = state if isinstance(state, Tensor) else Tensor(state, dtype=float)
        return -0.5 * (s * linear(s, self.weight)).sum(axis=-1)

    def step(self, s: Tensor, weight: Tensor | None = None) -> Tensor:
        """Take one synchronous step, all units at once; it is recorded, and can be drawn.

        The form is that of ``dynamical_system(network.step, s1, network.weight, steps)``.
        """
        with scope("hopfield"):
            field = linear(s, self.weight if weight is None else weight)
            return where(equal(field, 0), s, sign(field)).named("s")

    def recall(
        self,
        state: ArrayLike,
        mode: Literal["asynchronous", "synchronous"] = "asynchronous",
        max_sweeps: int = 100,
        rng: Rng = None,
    ) -> Recall:
        """Run from a state until nothing changes.

        Parameters
        ----------
        state : array, shape (N,)
            Where to start: +1 and -1.
        mode : {"asynchronous", "synchronous"}
            One unit at a time, in random order, which always ends; or all at once, which may end
            in a cycle of two states.
        max_sweeps : int
            When to give up. A sweep updates every unit once.
        rng : Generator or int, optional
            The order of asynchronous updates.
        """
        s = np.array(plain_array(state, float))
        self._check(s[None])
        if mode not in ("asynchronous", "synchronous"):
            raise ValueError(f"recall: mode is 'asynchronous' or 'synchronous', got {mode!r}")
        rng = generator(rng)
        weight = self.weight.numpy()
        energies = [float(self.energy(s))]
        converged = False
        for _ in range(integer(max_sweeps, 0, "recall: max_sweeps")):
            before = s.copy()
            if mode == "synchronous":
                field = weight @ s
                s = np.where(field == 0, s, np.sign(field))
            else:
                for i in rng.permutation(self.size):
                    field = weight[i] @ s
                    if field:
                        s[i] = np.sign(field)
            energies.append(float(self.energy(s)))
            converged = bool((s == before).all())
            if converged:
                break
        return Recall(s, np.array(energies), converged)

    def _check(self, states: Array) -> None:
        if states.ndim != 2 or states.shape[1] != self.size:
            raise ShapeError(
                f"{self!r}: expected states of {self.size} units, got shape {states.shape}"
            )
        if not (np.abs(states) == 1).all():
            raise ValueError(f"{self!r}: a unit is +1 or -1, got others, such as 0 or 1 bits?")

    def __repr__(self) -> str:
        return f"HopfieldNetwork({self.size})"
