"""Loops that read several steps back: each lag has its way through time."""

from __future__ import annotations

import numpy as np
import pytest

from microgrrepresent import GraphError, Tensor, grad, linear, program, stack, steps, tanh

rng = np.random.default_rng(0)
U = Tensor(rng.normal(size=(2, 3)), requires_grad=True, name="U")
A = {
    lag: Tensor(rng.normal(size=(2, 2)) * 0.5, requires_grad=True, name=f"A{lag}")
    for lag in (1, 2, 3)
}


def lagged(lags, last=False, dtype=np.float64):
    """States that read those of some steps before."""
    most = max(lags)

    def f(X):
        hs = [Tensor(np.zeros((X.shape[1], 2), dtype), name=f"h_{k}") for k in range(1 - most, 1)]
        for _, x in steps(X):
            back = [linear(hs[-lag], A[lag]) for lag in lags]
            a = linear(x, U)
            for term in back:
                a = a + term
            hs.append(tanh(a).named("h"))
        return (hs[-1] ** 2).sum() if last else (stack(hs[most:]) ** 2).mean()

    return f, [U, *(A[lag] for lag in lags)]


def sequence(T, B):
    return np.random.default_rng(T).normal(size=(T, B, 3))


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize(
    ("lags", "last"),
    [
        *((lags, False) for lags in ((1,), (1, 2), (1, 3), (1, 2, 3), (2,), (2, 3))),
        *((lags, True) for lags in ((1,), (1, 2), (1, 3), (1, 2, 3))),  # all steps are read
    ],
)
def test_a_loop_of_any_lags_is_printed_and_run(lags, last, backend, interpreted):
    f, wrt = lagged(lags, last)
    made = program(f, wrt, backend=backend, X=sequence(6, 4))
    assert not made.plain
    names = {}
    exec(made.source(), names)
    for T, B in ((1, 2), (2, 3), (3, 1), (12, 4)):
        X = sequence(T, B)
        L = f(Tensor(X, name="X"))
        arrays = [leaf.numpy() for leaf in made.code.leaves.values()]
        for loss, gradients in (made(X=X), names["loss_and_gradients"](X, *arrays)):
            np.testing.assert_allclose(loss, L.item(), rtol=1e-12)
            for a, b in zip(gradients, grad(L, wrt), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-14)


def test_beyond_the_end_there_is_0():
    source = program(*lagged((1, 2)), X=sequence(6, 4)).source()
    assert "da[T + 1] = np.zeros_like(h[T])" in source
    assert "dh = da[t + 2] @ A2 + dH[t - 1] + dh_next" in source
    assert "dh_next = da[t] @ A1" in source


def test_a_loss_that_reads_every_second_step_is_refused():
    with pytest.raises(GraphError, match=r"at the steps \[2, 4, 6, 8\], and not on those between"):
        program(*lagged((2,), last=True), X=sequence(6, 4))
