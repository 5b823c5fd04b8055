r"""Real-time recurrent learning: the same gradient as BPTT, carried forward in time.

BPTT waits for the end of the sequence and runs back. RTRL carries along, from step to step, the
*influence* of every parameter on the state, P_t = dh_t/dθ, so that the gradient of the loss of
step t is known at step t (Williams and Zipser 1989):

    z_t = W x_t + U h_{t-1} + b          h_t = f(z_t)
    P_t = diag(f'(z_t)) (∂z_t/∂θ + U P_{t-1})
    dL_t/dθ = (∂L_t/∂h_t)ᵀ P_t

It needs no record of the past, and costs H times the memory and H² times the arithmetic of a step
of the network, which is why nobody trains with it. It shares no line with the reverse sweep, so
it is a check of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from microgrrepresent import Primitive, ShapeError
from microgrrepresent.arrays import plain_array
from microgrrepresent.node import Array
from rnn.cells.activations import activation


def rtrl(
    weights: dict[str, Any],
    xs: Any,
    loss_gradients: ArrayLike | Sequence[ArrayLike],
    state: Any = None,
    nonlinearity: str = "tanh",
) -> Iterator[dict[str, Array]]:
    """Yield, at each step t, the gradient of the loss of step t with respect to every weight.

    Parameters
    ----------
    weights : dict
        The weights of a plain RNN under PyTorch's names: ``weight_ih`` (H, I), ``weight_hh``
        (H, H), and ``bias_ih``, ``bias_hh`` (H,) if there are any.
    xs : array_like, shape (T, I) or (T, B, I)
        The inputs.
    loss_gradients : array_like, shape (T, H) or (T, B, H)
        ∂L_t/∂h_t, what the loss of step t asks of the state of step t.
    state : array_like, shape (H,) or (B, H), optional
        h_0; zeros by default.
    nonlinearity : {"tanh", "sigmoid", "relu", "identity"}
        f.

    Yields
    ------
    dict from str to ndarray
        dL_t/dθ, under the names and of the shapes of `weights`. Their sum over t is dL/dθ.

    Raises
    ------
    ValueError
        For weights that are not those of a plain RNN, or shapes that do not fit (a `ShapeError`).

    Examples
    --------
    >>> from rnn.diagnosis import rtrl
    >>> weights = {"weight_ih": [[0.0]], "weight_hh": [[0.5]]}
    >>> ones = [[1.0], [1.0], [1.0]]
    >>> for gradients in rtrl(weights, ones, ones, state=[1.0], nonlinearity="identity"):
    ...     print(gradients["weight_hh"])
    [[1.]]
    [[1.]]
    [[0.75]]
    """
    arrays = _checked({name: _array(w) for name, w in dict(weights).items()})
    W, U = arrays["weight_ih"], arrays["weight_hh"]
    biases = [name for name in ("bias_ih", "bias_hh") if name in arrays]
    f: Any = activation(nonlinearity, "rtrl")
    inputs, asked = _array(xs), _array(loss_gradients)
    wanted = (*inputs.shape[:-1], len(U))
    if inputs.ndim not in (2, 3) or inputs.shape[-1] != W.shape[1] or asked.shape != wanted:
        raise ShapeError(
            f"rtrl: with weight_ih {W.shape}, the inputs are (T, {W.shape[1]}) or (T, B, "
            f"{W.shape[1]}), and loss_gradients (T, {len(U)}) or (T, B, {len(U)}), got "
            f"{inputs.shape} and {asked.shape}"
        )
    if inputs.ndim == 2:  # one sequence: a batch of one
        inputs, asked = inputs[:, None], asked[:, None]
    _, batch, _ = inputs.shape
    H = len(U)
    h = np.zeros((batch, H)) if state is None else _array(state).reshape(batch, H)
    unit = np.eye(H)

    # influence[name][b, j, ...] = dh_t[b, j] / dθ[...], of the shape (B, H, *θ.shape)
    influence = {name: np.zeros((batch, H, *w.shape)) for name, w in arrays.items()}
    for x, ask in zip(inputs, asked, strict=True):
        # ∂z_j/∂W_jl = x_l, ∂z_j/∂U_jl = h_l (of the step before), ∂z_j/∂b_j = 1
        direct: dict[str, Array] = {
            "weight_ih": np.einsum("ij,bl->bijl", unit, x),
            "weight_hh": np.einsum("ij,bl->bijl", unit, h),
            **{name: np.broadcast_to(unit, (batch, H, H)) for name in biases},
        }
        z = x @ W.T + h @ U.T + sum(arrays[name] for name in biases)
        h = f(z)
        rule = f.vjp[0] if isinstance(f, Primitive) else None
        slope = rule(np.ones_like(h), h, z) if rule else np.ones_like(h)
        for name, P in influence.items():
            carried = direct[name] + np.einsum("ij,bj...->bi...", U, P)
            influence[name] = np.einsum("bi,bi...->bi...", slope, carried)
        yield {name: np.einsum("bi,bi...->...", ask, P) for name, P in influence.items()}


def _checked(arrays: dict[str, Array]) -> dict[str, Array]:
    """See that these are the weights of a plain RNN."""
    odd = arrays.keys() - {"weight_ih", "weight_hh", "bias_ih", "bias_hh"}
    missing = {"weight_ih", "weight_hh"} - arrays.keys()
    if odd or missing:
        raise ValueError(
            "rtrl: the weights are weight_ih, weight_hh and, if there are any, bias_ih and "
            f"bias_hh, got {', '.join(arrays) or 'none'}"
        )
    H = len(arrays["weight_hh"])
    for name, array in arrays.items():
        wanted = {"weight_ih": (H, *array.shape[-1:]), "weight_hh": (H, H)}.get(name, (H,))
        if array.shape != wanted:
            raise ShapeError(
                f"rtrl: of a plain RNN of {H} units, weight_ih is ({H}, I), weight_hh ({H}, {H}) "
                f"and a bias ({H},); {name} is {array.shape}"
            )
    return arrays


def _array(x: Any) -> Array:
    return plain_array(x, np.float64)
