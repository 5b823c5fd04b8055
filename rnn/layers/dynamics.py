"""The classical dynamical system, the simplest thing that can be unrolled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from microgrrepresent import Tensor, step
from microgrrepresent.arguments import function
from rnn.inputs import integer

S = TypeVar("S")
P = TypeVar("P")


def dynamical_system(f: Callable[[S, P], S], s1: S, theta: P, steps: int) -> list[S]:
    """Unroll s(t) = f(s(t-1); θ) from s(1) to s(steps).

    For 3 steps that is s(3) = f(f(s(1); θ); θ): two applications of f that share θ, so that dL/dθ
    is the sum of two terms (Goodfellow, Bengio and Courville 2016, equations 10.1-10.3).

    Parameters
    ----------
    f : callable
        ``f(s, theta) -> s``.
    s1 : Tensor
        The first state.
    theta : Tensor
        The parameters, the same at every step.
    steps : int
        Time of the last state; f is applied steps - 1 times.

    Returns
    -------
    list of Tensor
        s(1), ..., s(steps).

    Examples
    --------
    >>> from microgrrepresent import Tensor, backward
    >>> from rnn import dynamical_system
    >>> theta = Tensor(2.0, requires_grad=True, name="θ")
    >>> s = dynamical_system(lambda s, theta: theta * s, Tensor(1.0, name="s"), theta, 4)
    >>> [float(state) for state in s]
    [1.0, 2.0, 4.0, 8.0]
    >>> {t: float(term) for t, term in backward(s[-1]).by_step(theta).items()}
    {2: 4.0, 3: 4.0, 4: 4.0}
    """
    steps = integer(steps, 1, "dynamical_system: s(1) is the first state, and steps")
    if isinstance(s1, Tensor) and s1.is_leaf and s1.step is None:
        s1.place = s1.place._replace(step=1)  # it was made before anyone knew its time
    function(f, "dynamical_system")
    states = [_named(s1)]
    for t in range(2, steps + 1):
        with step(t):
            states.append(_named(f(states[-1], theta)))
    return states


def _named(s: S) -> S:
    if isinstance(s, Tensor) and s.name is None:
        s.named("s")
    return s
