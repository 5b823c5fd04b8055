"""compiled: one program for all calls, compared now and then, or the ordinary run instead."""

from __future__ import annotations

import numpy as np
import pytest

from microgrrepresent import GraphError, Tensor, compiled, grad, sigmoid, steps, tanh

W = Tensor(0.5, requires_grad=True, name="W")


def loop(X):
    h = Tensor(0.0, name="h_0")
    for _, x in steps(X):
        h = tanh(W * h + x).named("h")
    return h


def fickle(X):
    """Another function for large inputs, which no recording of small ones tells."""
    h = Tensor(0.0, name="h_0")
    f = tanh if X.numpy().max() < 3 else sigmoid
    for _, x in steps(X):
        h = f(W * h + x).named("h")
    return h * h


def uneven(X):
    h = Tensor(0.0, name="h_0")
    for t, x in steps(X):
        h = (tanh(W * h + x) if t != 3 else sigmoid(W * h + x)).named("h")
    return h


def expected(f, X):
    loss = f(Tensor(X, name="X"))
    return loss.item(), grad(loss, [W])[0]


def close(found, right):
    np.testing.assert_allclose(found[0], right[0], rtol=1e-12)
    np.testing.assert_allclose(found[1], right[1], rtol=1e-12)


def test_the_program_is_made_once_and_reused_for_any_length():
    step = compiled(loop, W)
    assert step.program is None
    made = set()
    for T in (6, 9, 4):
        X = np.random.default_rng(T).normal(size=T)
        close(step(X=X), expected(loop, X))
        made.add(step.program)
    assert len(made) == 1 and None not in made


def test_every_nth_call_is_compared():
    step = compiled(fickle, W, verify=3)
    small, large = np.linspace(0.1, 1, 6), np.linspace(0.1, 9, 6)
    step(X=small)
    assert step(X=large)[0] != pytest.approx(expected(fickle, large)[0])  # nobody looks
    with pytest.raises(GraphError, match="not that of the ordinary run"):
        step(X=large)


def test_what_is_no_loop_is_refused_with_its_node():
    with pytest.raises(GraphError, match="step 3"):
        compiled(uneven, W)(X=np.linspace(0.1, 1, 6))


def test_or_it_is_run_as_it_is_with_one_warning():
    step = compiled(uneven, {"W": W}, otherwise="run")
    X = np.linspace(0.1, 1, 6)
    with pytest.warns(RuntimeWarning, match="step 3.*run as it is") as given:
        loss, gradients = step(X=X)
        step(X=X)
    assert len(given) == 1 and "step 3" in step.reason and step.program is None
    close((loss, gradients["W"]), expected(uneven, X))


def test_what_a_comparison_finds_is_run_as_it_is_too():
    step = compiled(fickle, W, verify=2, otherwise="run")
    large = np.linspace(0.1, 9, 6)
    step(X=np.linspace(0.1, 1, 6))
    with pytest.warns(RuntimeWarning, match="not that of the ordinary run"):
        found = step(X=large)
    close(found, expected(fickle, large))


def rows(X):
    """A loop over the rows of a matrix, which may be square."""
    h = Tensor(np.zeros(X.shape[1]), name="h_0")
    for _, x in steps(X):
        h = tanh(W * h + x).named("h")
    return (h * h).sum()


def test_an_example_that_does_not_tell_the_axes_apart_is_followed_by_another():
    square, other = (np.random.default_rng(0).normal(size=(5, n)) for n in (5, 3))
    step = compiled(rows, W, otherwise="run")
    with pytest.warns(RuntimeWarning, match="told apart.*until then it is run as it is") as given:
        close(step(X=square), expected(rows, square))
        close(step(X=square), expected(rows, square))
    assert len(given) == 1 and step.program is None and not step.reason
    close(step(X=other), expected(rows, other))
    assert step.program is not None
    close(step(X=square), expected(rows, square))  # a program takes any lengths


def test_or_it_is_refused_and_the_next_call_tries_again():
    step = compiled(rows, W)
    with pytest.raises(GraphError, match="told apart"):
        step(X=np.ones((4, 4)))
    close(step(X=np.ones((4, 2))), expected(rows, np.ones((4, 2))))


def test_wrong_choices_are_refused():
    with pytest.raises(ValueError, match="otherwise must be 'refuse' or 'run', got 'go'"):
        compiled(loop, W, otherwise="go")
    with pytest.raises(ValueError, match="verify must be an integer >= 0, got -1"):
        compiled(loop, W, verify=-1)


def test_equal_gradients_are_arrays_of_their_own():
    a, b = (Tensor(np.ones(2), requires_grad=True, name=n) for n in "ab")

    def f(X):
        h = Tensor(np.zeros((X.shape[1], 2)), name="h_0")
        for _, x in steps(X):
            h = tanh(x + h + a + b).named("h")
        return (h * h).sum()

    X = np.random.default_rng(0).normal(size=(5, 3, 2))
    step = compiled(f, [a, b])
    _, (da, db) = step(X=X)
    assert step.program is not None and not step.program.plain
    np.testing.assert_array_equal(da, db)
    assert not np.shares_memory(da, db)
