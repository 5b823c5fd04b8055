"""Delay lines: the time-delay network is a convolution; NARX finds an AR process."""

import numpy as np
import pytest

from microgrrepresent import Graph, Tensor, draw, fold, grad, gradcheck
from microgrrepresent import sum as total
from rnn import NARX, TimeDelayCell, unroll

rng = np.random.default_rng(0)


def test_time_delay_network_is_a_convolution_over_time():
    cell = TimeDelayCell(1, 1, delays=3, nonlinearity="identity", rng=0)
    x = rng.standard_normal(20)
    y = unroll(cell, x[:, None]).stacked().numpy()[:, 0]
    kernel = cell.weight.numpy()[0]  # for x_t, x_{t-1}, ...: a convolution, not a correlation
    np.testing.assert_allclose(y, np.convolve(x, kernel)[:20] + cell.bias.data, rtol=1e-12)


def test_time_delay_network_of_vectors_in_batches():
    cell = TimeDelayCell(2, 3, delays=2, rng=0)
    xs = rng.standard_normal((6, 4, 2))
    y = unroll(cell, xs).stacked().numpy()
    padded = np.concatenate([np.zeros((2, 4, 2)), xs])
    for t in range(6):
        window = np.concatenate([padded[t + 2], padded[t + 1], padded[t]], axis=-1)
        expected = np.tanh(window @ cell.weight.data.T + cell.bias.data)
        np.testing.assert_allclose(y[t], expected, rtol=1e-12)


def test_the_memory_of_a_time_delay_network_ends():
    xs = Tensor(rng.standard_normal((8, 2)))
    y = unroll(TimeDelayCell(2, 3, delays=2, rng=0), xs).outputs[-1]
    reached = np.abs(grad(total(y), xs)).sum(axis=1) > 0
    assert reached.tolist() == [False] * 5 + [True] * 3


def narx_by_hand(model, xs, ys=None):
    """The equation with arrays; on the model's own outputs, or on the true ones."""
    W, b = model.weight.data, model.bias.data
    past_x = [np.zeros(xs.shape[-1])] * model.input_delays
    past_y = [np.zeros(model.hidden_size)] * model.output_delays
    out = []
    for t, x in enumerate(xs):
        y = np.concatenate([x, *past_x, *past_y]) @ W.T + b
        if model.weight_out is not None:
            y = np.tanh(y) @ model.weight_out.data.T + model.bias_out.data
        out.append(y)
        past_x = [x, *past_x][: model.input_delays]
        past_y = [y if ys is None else ys[t], *past_y][: model.output_delays]
    return np.array(out)


@pytest.mark.parametrize("hidden", [None, 5])
@pytest.mark.parametrize(("kx", "ky"), [(0, 1), (2, 3), (3, 0)])
def test_narx_by_its_equation(hidden, kx, ky):
    model = NARX(2, 2, kx, ky, hidden, rng=0)
    xs, ys = rng.standard_normal((7, 2)), rng.standard_normal((7, 2))
    np.testing.assert_allclose(
        unroll(model, xs).stacked().numpy(), narx_by_hand(model, xs), rtol=1e-12
    )
    forced = model.teacher_forced(xs, ys)
    np.testing.assert_allclose(forced.stacked().numpy(), narx_by_hand(model, xs, ys), rtol=1e-12)
    difference = np.abs(forced.stacked().numpy() - unroll(model, xs).stacked().numpy()).max()
    assert (difference > 1e-3) == (ky > 0)


def test_teacher_forcing_cuts_the_recurrence():
    model = NARX(1, 1, 0, 1, rng=0)
    ys = Tensor(rng.standard_normal((5, 1)))
    free = unroll(model, np.ones((5, 1)))
    forced = model.teacher_forced(np.ones((5, 1)), ys)
    assert Graph(free.state.ys[0]).depth() > Graph(forced.outputs[-1]).depth()
    g = grad(total(forced.outputs[-1]), ys)
    assert (np.abs(g[:, 0]) > 0).tolist() == [False, False, False, True, False]


def test_narx_finds_the_coefficients_of_an_ar_2_process():
    """y_t = 1.2 y_{t-1} - 0.5 y_{t-2} + e_t has no inputs; least squares by gradient descent."""
    a, steps = np.array([1.2, -0.5]), 400
    y = np.zeros(steps)
    y[:2] = 1.0, 0.3
    for t in range(2, steps):
        y[t] = a @ [y[t - 1], y[t - 2]]  # without noise the coefficients are exact
    y = y[:40]
    model = NARX(0, 1, output_delays=2, rng=0)
    inputs = np.zeros((len(y), 0))

    def residuals():
        predicted = model.teacher_forced(inputs, y[:, None]).outputs
        return [p - y[t] for t, p in enumerate(predicted) if t >= 2]

    # Gauss-Newton with the engine's gradients: the model is affine, so that one step is exact
    rows = [
        np.append(*(g.ravel() for g in grad(r[0], [model.weight, model.bias]))) for r in residuals()
    ]
    step, *_ = np.linalg.lstsq(np.array(rows), [float(r[0]) for r in residuals()], rcond=None)
    model.weight.assign(model.weight.data - step[None, :2])
    model.bias.assign(model.bias.data - step[2:])
    np.testing.assert_allclose(model.weight.data[0], a, atol=1e-6)
    np.testing.assert_allclose(model.bias.data, 0, atol=1e-6)


def test_gradients():
    model = NARX(2, 1, 1, 2, 3, rng=0)
    xs = Tensor(rng.standard_normal((4, 2, 2)), requires_grad=True)
    gradcheck(lambda *_: total(unroll(model, xs).stacked()), [xs, *model.parameters()])


def test_names_and_steps():
    model = NARX(2, 1, 1, 2, rng=0)
    run = unroll(model, np.ones((3, 2)))
    graph = Graph(run.state.ys[0])
    assert [n.step for n in graph.find(name="y") if n.op is not None] == [1, 2, 3]
    assert {n.scope for n in graph.find(name="y")} == {"narx"}
    assert model.state_sizes() == {"y": 1, "y_1": 1, "x": 2}


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: NARX(0, 1, output_delays=0), "without inputs it needs at least one output delay"),
        (
            lambda: NARX(1, 1, input_delays=-1),
            "NARX: input_delays must be an integer >= 0, got -1",
        ),
        (
            lambda: NARX(1, 1, hidden_size=2.5),
            "NARX: hidden_size must be an integer >= 1, got 2.5",
        ),
        (
            lambda: NARX(1, 2).teacher_forced(np.zeros((3, 1)), np.zeros((3, 1))),
            r"expected ys, the true outputs, of shape \(T, B, 2\) or \(T, 2\), got \(3, 1\)",
        ),
        (
            lambda: NARX(1, 1).teacher_forced(np.zeros((3, 1)), np.zeros((2, 1))),
            "3 inputs need 3 true outputs, got 2",
        ),
    ],
)
def test_errors(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


@pytest.mark.parametrize(
    ("state", "given"),
    [
        (np.zeros((2, 1)), r"one array \(2, 1\)"),
        ((np.zeros(1), np.zeros(1)), "a tuple of 2"),
        (((np.zeros(1),), (np.zeros(1),)), "a tuple of 2"),
    ],
)
def test_a_state_of_another_form(state, given):
    sentence = rf"its state is DelayState\(ys, xs\) of 2 outputs and 1 inputs.*, got {given}; give"
    with pytest.raises(ValueError, match=sentence):
        NARX(1, 1, input_delays=1, output_delays=2)(np.zeros(1), state)


@pytest.mark.parametrize(("kx", "ky"), [(1, 2), (2, 2), (3, 1), (0, 3), (2, 0)])
def test_it_folds_and_is_drawn_folded_whether_forced_or_not(kx, ky):
    model = NARX(1, 1, kx, ky, rng=0)
    xs, ys = np.ones((5, 1)), np.ones((5, 1))
    for run in (unroll(model, xs), model.teacher_forced(xs, ys)):
        L = run.stacked().sum()
        lags = [delay.lag for delay in fold(Graph(L)).delays]
        assert sorted(lags) == sorted([*range(1, kx + 1), *range(1, ky + 1)])
        boxes = draw(L, "gates", time="both").picture.boxes
        squares = [box for box in boxes if box.kind == "delay"]
        assert len(squares) == len(lags)
