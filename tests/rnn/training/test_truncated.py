"""Truncated BPTT against the pairs of steps that it is the sum of, and against full BPTT."""

import numpy as np
import pytest

from microgrrepresent import ShapeError, grad, steps
from rnn import LSTM, RNN, LSTMCell, unroll
from rnn.diagnosis import gradient_by_lag
from rnn.training.truncated import detach, tbptt

T = 11


def example(seed=0):
    rng = np.random.default_rng(seed)
    return LSTMCell(2, 3, rng=rng), rng.normal(size=(T, 4, 2)), rng.normal(size=(T, 4, 3))


def squared(h, target):
    d = h - target
    return (d * d).sum()


def all_pairs(cell, xs, targets):
    run = unroll(cell, xs)
    losses = [squared(h, run_t) for h, run_t in zip(run.outputs, targets, strict=True)]
    return gradient_by_lag(dict(enumerate(losses, start=1)), cell.weight_hh), losses


@pytest.mark.parametrize(("k1", "k2"), [(1, 1), (1, 4), (3, 3), (3, 5), (4, 11), (11, 11), (5, 50)])
def test_an_update_is_the_sum_of_the_pairs_inside_its_window(k1, k2):
    cell, xs, targets = example()
    pairs, _ = all_pairs(cell, xs, targets)
    done = 0
    for window in tbptt(cell, zip(xs, targets, strict=True), k1, k2, loss=squared):
        assert window.t == min(done + k1, T)
        expected = sum(
            term
            for (t, k), term in pairs.terms.items()
            if done < t <= window.t and k >= window.start
        )
        assert window.start == max(1, done + 1 - (k2 - k1))
        np.testing.assert_allclose(
            grad(window.loss, cell.weight_hh), expected, rtol=1e-11, atol=1e-14
        )
        done = window.t
    assert done == T


def test_one_long_window_is_full_bptt():
    cell, xs, targets = example(1)
    _, losses = all_pairs(cell, xs, targets)
    (window,) = tbptt(cell, zip(xs, targets, strict=True), T, T, loss=squared)
    whole = sum(losses[1:], losses[0])
    for parameter in cell.parameters():
        np.testing.assert_allclose(
            grad(window.loss, parameter), grad(whole, parameter), rtol=1e-12, atol=1e-14
        )


def test_truncating_unroll_at_t_or_beyond_is_full_bptt_and_below_is_not():
    cell, xs, targets = example(2)

    def gradient(truncate):
        run = unroll(cell, xs, truncate=truncate)
        losses = [squared(h, y) for h, y in zip(run.outputs, targets, strict=True)]
        return grad(sum(losses[1:], losses[0]), cell.weight_hh)

    full = gradient(None)
    windows = tbptt(cell, zip(xs, targets, strict=True), 4, 4, loss=squared)
    np.testing.assert_allclose(
        gradient(4), sum(grad(w.loss, cell.weight_hh) for w in windows), rtol=1e-12
    )
    np.testing.assert_array_equal(gradient(T), full)
    np.testing.assert_array_equal(gradient(T + 5), full)
    assert np.abs(gradient(T - 1) - full).max() > 1e-6


def test_the_state_is_carried_and_the_parameters_of_the_moment_are_used():
    """Between windows the parameters change; a window runs with the new ones from the old state."""
    cell, xs, targets = example(3)
    expected_state, seen = cell.initial_state(4), 0
    for window in tbptt(cell, zip(xs, targets, strict=True), 4, 4, loss=squared):
        for t, x in steps(xs[window.start - 1 : window.t], start=window.start):
            expected_state = cell(x, expected_state)
            np.testing.assert_array_equal(window.states[t].c.numpy(), expected_state.c.numpy())
            assert window.states[t].c.step == t
        window.loss.backward()
        for parameter in cell.parameters():
            parameter.assign(parameter.numpy() - 0.01 * parameter.grad)
            parameter.grad = None
        seen += 1
    assert seen == 3


def test_each_window_starts_from_a_leaf_so_memory_does_not_grow():
    cell, xs, targets = example(4)
    for window in tbptt(cell, zip(xs, targets, strict=True), 2, 4, loss=squared):
        start = window.states[window.start - 1]
        assert start is None or all(part.is_leaf for part in start)


def test_any_function_of_x_and_state_will_do():
    def leaky(x, s):
        return (0.5 * s + x) if s is not None else x * 1.0

    _, xs, _ = example(5)
    ts = [w.t for w in tbptt(leaky, zip(xs, xs, strict=True), 5, 5, loss=squared, state=None)]
    assert ts == [5, 10, 11]


@pytest.mark.parametrize(("k1", "k2"), [(0, 3), (4, 3)])
def test_impossible_settings_are_said(k1, k2):
    with pytest.raises(
        ValueError, match=r"k1 must be an integer >= 1, got 0|1 <= k1 <= k2 .* got 4 and 3"
    ):
        next(tbptt(None, [], k1, k2, loss=squared))


def test_detach_keeps_the_form_and_the_values():
    cell, xs, _ = example(6)
    state = cell(xs[0])
    cut = detach([state, (state.h, None)])
    assert type(cut) is list and type(cut[0]) is type(state) and cut[1][1] is None
    assert cut[0].c.is_leaf and not cut[0].c.requires_grad
    np.testing.assert_array_equal(cut[0].c.numpy(), state.c.numpy())


@pytest.mark.parametrize("layer", [RNN(3, 4, rng=0), LSTM(3, 4, num_layers=2, rng=0)])
def test_a_layer_is_no_cell(layer):
    data = zip(np.ones((4, 3)), np.zeros((4, 4)), strict=True)
    with pytest.raises(TypeError, match=r"is a layer, .* wants its cell: (rnn|lstm).cells\[0\]"):
        next(tbptt(layer, data, 2, 2, loss=lambda h, y: ((h - y) ** 2).sum()))


@pytest.mark.parametrize("k1", [1.5, "a", None])
def test_a_window_is_an_integer_of_steps(k1):
    cell, xs, targets = example()
    with pytest.raises(ValueError, match="tbptt: k1 must be an integer >= 1, got"):
        next(tbptt(cell, zip(xs, targets, strict=True), k1, 4, loss=squared))


def test_data_and_losses_of_another_form_are_said():
    cell, xs, targets = example()
    with pytest.raises(TypeError, match=r"pairs \(x, target\).* for t=1 is a ndarray"):
        next(tbptt(cell, xs, 2, 2, loss=squared))
    with pytest.raises(ShapeError, match=r"one number, .* at t=1 it gave shape \(4, 3\)"):
        next(tbptt(cell, zip(xs, targets, strict=True), 2, 2, loss=lambda h, y: h - y))
