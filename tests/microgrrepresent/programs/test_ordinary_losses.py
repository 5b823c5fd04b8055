"""Losses that people write about a loop are run by the fast form, and no array is misshapen."""

from __future__ import annotations

import warnings
from itertools import pairwise

import numpy as np
import pytest

from microgrrepresent import (
    GraphError,
    Tensor,
    compiled,
    cross_entropy,
    expand_dims,
    explain,
    grad,
    linear,
    primitive,
    program,
    sigmoid,
    softmax,
    stack,
    steps,
    stop_gradient,
    tanh,
)
from microgrrepresent.errors import DescriptionError
from rnn import LSTM

rng = np.random.default_rng(0)


def parameter(*shape, name):
    return Tensor(rng.normal(size=shape) * 0.5, requires_grad=True, name=name)


W, U, V = parameter(2, 2, name="W"), parameter(2, 3, name="U"), parameter(4, 2, name="V")
c, v = parameter(4, name="c"), parameter(2, name="v")


def run(X, dtype=np.float64):
    h, hs = Tensor(np.zeros((X.shape[1], 2), dtype), name="h_0"), []
    for _, x in steps(X):
        h = tanh(linear(x, U) + linear(h, W)).named("h")
        hs.append(h)
    return hs


def classifier(X, y):
    return cross_entropy(linear(run(X)[-1], V) + c, y)


def weighed(X, w):
    total = 0
    for t, h in enumerate(run(X)):
        total = total + w[t] * (h * h).mean()
    return total


def pooled(X):
    H = stack(run(X))
    return ((expand_dims(softmax(H @ v, axis=0), -1) * H).sum(axis=0) ** 2).mean()


def scored(X):
    return sum(((h @ v) ** 2).sum() for h in run(X))


def read_out(X):
    return ((stack(run(X)) @ V.T) ** 2).sum()


def narrow(X):
    return (stack(run(X, np.float32)) ** 2).sum()


LOSSES = {
    classifier: (lambda T, B: {"y": np.arange(B) % 4}, [W, U, V, c]),
    weighed: (lambda T, B: {"w": np.linspace(0, 1, T)}, [W, U]),
    pooled: (lambda T, B: {}, [W, U, v]),
    scored: (lambda T, B: {}, [W, U, v]),
    read_out: (lambda T, B: {}, [W, U, V]),
    narrow: (lambda T, B: {}, [W, U]),
}


def example(f, T, B):
    more, _ = LOSSES[f]
    return {"X": np.random.default_rng(T).normal(size=(T, B, 3)), **more(T, B)}


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("f", LOSSES)
def test_the_fast_form_runs_it(f, backend, interpreted):
    wrt = LOSSES[f][1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = program(f, wrt, backend=backend, **example(f, 6, 4))
    assert not made.plain
    for T, B in ((1, 2), (2, 3), (9, 5)):
        inputs = example(f, T, B)
        L = f(**{n: Tensor(x, name=n) for n, x in inputs.items()})
        loss, gradients = made(**inputs)
        np.testing.assert_allclose(loss, L.item(), rtol=1e-12)
        for a, b in zip(gradients, grad(L, wrt), strict=True):
            assert a.shape == b.shape
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-13)


LOOPS = {
    "of rows": lambda X: list(X),
    "of numbers": lambda X: [X[t] for t in range(X.shape[0])],
    "of pairs": lambda X: [x for x, _ in pairwise(X)],
    "backwards": lambda X: list(X[::-1]),
    "of columns": lambda X: [X[:, t] for t in range(X.shape[1])],
}


@pytest.mark.parametrize("rows", LOOPS.values(), ids=LOOPS)
def test_a_loop_without_steps_is_told_how_to_have_some(rows):
    def f(X):
        h = Tensor(np.zeros(2), name="h_0")
        for x in rows(X):
            h = tanh((linear(x, U) + linear(h, W)).sum(axis=0)).named("h")
        return (h * h).sum()

    with pytest.raises(GraphError, match=r"at which step it was made.*for t, x in steps\(X\)"):
        program(f, [W, U], X=np.ones((6, 4, 3)))


def test_states_that_begin_with_one_variable_are_told_so():
    def f(X):
        h = c = Tensor(np.zeros((X.shape[1], 2)), name="h_0")
        for _, x in steps(X):
            i = sigmoid(linear(x, U) + linear(h, W)).named("i")
            c = (i * c + tanh(linear(h, W))).named("c")
            h = (i * tanh(c)).named("h")
        return (h * h).sum()

    with pytest.raises(GraphError, match="begin with the same initial state, h_0; give each"):
        program(f, [W, U], X=np.ones((6, 4, 3)))


@pytest.mark.parametrize("shape", [(2,), (1, 2)])
def test_an_initial_state_without_rows_is_told_to_have_some(shape):
    def f(X):
        h = Tensor(np.zeros(shape), name="h_0")
        for _, x in steps(X):
            h = tanh(linear(x, U) + linear(h, W)).named("h")
        return (h * h).sum()

    with pytest.raises(GraphError, match=r"the shapes differ.*as broadcast_to makes it"):
        program(f, [W, U], X=np.ones((6, 4, 3)))


@pytest.mark.parametrize("last", [True, False])
def test_a_state_that_is_cut_at_each_step(last):
    def f(X):
        h, total = Tensor(np.zeros((X.shape[1], 2)), name="h_0"), 0
        for _, x in steps(X):
            h = tanh(linear(x, U) + linear(stop_gradient(h), W)).named("h")
            total = total + (h * h).sum()
        return (h * h).sum() if last else total

    X = np.random.default_rng(0).normal(size=(6, 4, 3))
    made = program(f, [W, U], X=X)
    assert not made.plain
    L = f(Tensor(X[:5], name="X"))
    loss, gradients = made(X=X[:5])
    np.testing.assert_allclose(loss, L.item())
    for a, b in zip(gradients, grad(L, [W, U]), strict=True):
        np.testing.assert_allclose(a, b)


@pytest.mark.parametrize("T", [1, 2, 3])
@pytest.mark.parametrize("last", [True, False])
def test_a_recorded_loss_may_be_as_short_as_it_likes(T, last):
    def f(X):
        hs = run(X)
        return (hs[-1] ** 2).sum() if last else (stack(hs) ** 2).sum()

    L = f(Tensor(np.random.default_rng(0).normal(size=(T, 4, 3)), name="X"))
    made = program(L, [W, U])
    assert not made.plain
    loss, gradients = made()
    np.testing.assert_allclose(loss, L.item())
    for a, b in zip(gradients, grad(L, [W, U]), strict=True):
        np.testing.assert_allclose(a, b)


@pytest.mark.parametrize("T", [1, 2])
def test_the_first_batch_may_be_as_short_as_it_likes(T):
    step = compiled(lambda X: (stack(run(X)) ** 2).sum(), [W, U], otherwise="run")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        step(X=np.ones((T, 4, 3)))
    assert step.program is not None and not step.reason


@pytest.mark.parametrize("layers", [1, 2])
def test_the_printed_gradients_are_arrays_of_their_own(layers):
    layer = LSTM(3, 4, num_layers=layers, rng=0)
    X = np.ones((6, 4, 3))
    made = program(lambda X: (layer(X)[0] ** 2).sum(), layer.parameters(), X=X)
    names = {}
    exec(made.source(), names)
    arrays = [leaf.numpy() for leaf in made.code.leaves.values()]
    _, gradients = names["loss_and_gradients"](X, *arrays)
    right = made(X=X)[1]
    for i, a in enumerate(gradients):
        np.testing.assert_allclose(a, right[i])
        assert not any(np.shares_memory(a, b) for b in gradients[:i])


def test_an_operation_that_says_in_numpy_alone_what_it_sends_back():
    half = primitive(
        "halved",
        lambda x: x / 2,
        (lambda g, y, x: g / 2,),
        source="x / 2",
        vjp_source="g / 2",
    )

    def f(X):
        h = Tensor(np.zeros((X.shape[1], 2)), name="h_0")
        for _, x in steps(X):
            h = half(tanh(linear(x, U) + linear(h, W))).named("h")
        return (h * h).sum()

    X = np.ones((6, 4, 3))
    L = f(Tensor(X, name="X"))
    loss, gradients = program(f, [W, U], X=X)(X=X)
    np.testing.assert_allclose(loss, L.item())
    for a, b in zip(gradients, grad(L, [W, U]), strict=True):
        np.testing.assert_allclose(a, b)
    with pytest.raises(DescriptionError, match=r"explain: halved at t=1: .* say its 'meets'"):
        explain(L, W)


@pytest.mark.parametrize(("power", "printed"), [(2, "* h[t]"), (3, "** 2"), (0.5, "** (-0.5)")])
def test_a_power_is_printed_as_one_writes_its_derivative(power, printed):
    def f(X):
        h, total = Tensor(np.zeros((X.shape[1], 2)), name="h_0"), 0.0
        for _, x in steps(X):
            h = tanh(linear(x, U) + linear(h, W)).named("h")
            total = total + ((h * h + 1) ** power).sum()
        return total

    source = program(f, [W, U], X=rng.normal(size=(5, 4, 3))).source()
    assert " - 1)" not in source.split("dh = ")[1].splitlines()[0].replace("[t - 1]", "")
    assert f"(h[t] * h[t] + 1) {printed}" in source
