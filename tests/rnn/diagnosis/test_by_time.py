"""The double sum of BPTT against its formula, RTRL and finite differences (T1, T5)."""

import numpy as np
import pytest

from microgrrepresent import GradientError, Tensor, grad, stack, step, steps, tanh
from rnn import RNN, RNNCell, unroll
from rnn.diagnosis import PairTerms, gradient_by_lag, gradient_by_step, rtrl

T, IN, H = 7, 3, 4


def weights(seed=0, scale=0.6):
    rng = np.random.default_rng(seed)
    return {
        "weight_ih": rng.normal(size=(H, IN)) * scale,
        "weight_hh": rng.normal(size=(H, H)) * scale,
        "bias_ih": rng.normal(size=H) * scale,
    }


def run(arrays, xs, targets, h0=None, transpose_inside=True):
    """A plain RNN with a loss at every step, as a graph."""
    parameters = {n: Tensor(a, requires_grad=True, name=n) for n, a in arrays.items()}
    W, U, b = (parameters[n] for n in ("weight_ih", "weight_hh", "bias_ih"))
    W_T, U_T = W.T, U.T
    h = Tensor(np.zeros((*xs.shape[1:-1], H)) if h0 is None else h0, name="h")
    states, losses = [h], []
    for t, x in steps(Tensor(xs)):
        if transpose_inside:
            W_T, U_T = W.T, U.T
        h = tanh(x @ W_T + h @ U_T + b).named("h")
        d = h - targets[t - 1]
        states.append(h)
        losses.append((d * d).sum() * 0.5)
    return parameters, states, losses


def example(seed=0, batch=()):
    rng = np.random.default_rng(seed + 100)
    return rng.normal(size=(T, *batch, IN)), rng.normal(size=(T, *batch, H))


def double_sum(arrays, xs, targets):
    """NNDL 6.34-6.40, written out: {(t, k): term} for dL/dU."""
    W, U, b = arrays["weight_ih"], arrays["weight_hh"], arrays["bias_ih"]
    h = [np.zeros(H)]
    for x in xs:
        h.append(np.tanh(W @ x + U @ h[-1] + b))
    terms = {}
    for t in range(1, T + 1):
        delta = (1 - h[t] ** 2) * (h[t] - targets[t - 1])
        for k in range(t, 0, -1):
            terms[t, k] = np.outer(delta, h[k - 1])
            delta = (1 - h[k - 1] ** 2) * (U.T @ delta)
    return terms


@pytest.mark.parametrize("transpose_inside", [True, False])
def test_every_pair_is_the_term_of_the_formula(transpose_inside):
    xs, targets = example()
    parameters, _, losses = run(weights(), xs, targets, transpose_inside=transpose_inside)
    pairs = gradient_by_lag(losses, parameters["weight_hh"])
    expected = double_sum(weights(), xs, targets)
    assert pairs.terms.keys() == expected.keys()
    for pair, term in expected.items():
        np.testing.assert_allclose(pairs[pair], term, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", ["weight_ih", "weight_hh", "bias_ih"])
def test_both_decompositions_sum_to_the_gradient(name):
    xs, targets = example(1, batch=(2,))
    parameters, _, losses = run(weights(1), xs, targets)
    loss, W = sum(losses[1:], losses[0]), parameters[name]
    whole = grad(loss, W)
    by_step, pairs = gradient_by_step(loss, W), gradient_by_lag(losses, W)
    scale = np.abs(whole).max()
    assert np.abs(sum(by_step.values()) - whole).max() < 1e-12 * scale
    assert np.abs(pairs.sum() - whole).max() < 1e-12 * scale
    assert np.abs(sum(pairs.by_lag().values()) - whole).max() < 1e-12 * scale
    for k, term in pairs.by_step().items():
        np.testing.assert_allclose(by_step[k], term, rtol=1e-11, atol=1e-14)
    assert list(by_step) == list(range(1, T + 1))


@pytest.mark.parametrize("name", ["weight_ih", "weight_hh", "bias_ih"])
@pytest.mark.parametrize("batch", [(), (3,)])
def test_the_gradient_of_each_loss_is_that_of_real_time_recurrent_learning(name, batch):
    xs, targets = example(2, batch)
    h0 = np.random.default_rng(5).normal(size=(*batch, H))
    parameters, states, losses = run(weights(2), xs, targets, h0)
    by_loss = gradient_by_lag(losses, parameters[name]).by_loss()
    asked = [h.numpy() - d for h, d in zip(states[1:], targets, strict=True)]
    for t, gradients in enumerate(rtrl(weights(2), xs, asked, h0), start=1):
        np.testing.assert_allclose(gradients[name], by_loss[t], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("nonlinearity", "f"),
    [("sigmoid", lambda z: 1 / (1 + np.exp(-z))), ("relu", lambda z: z * (z > 0))],
)
def test_rtrl_against_differences(nonlinearity, f):
    xs, asked = example(3)
    arrays = weights(3) | {"bias_hh": np.full(H, 0.1)}

    def loss(arrays):
        h, total = np.zeros(H), 0.0
        for x, ask in zip(xs, asked, strict=True):
            z = arrays["weight_ih"] @ x + arrays["weight_hh"] @ h
            h = f(z + arrays["bias_ih"] + arrays["bias_hh"])
            total += ask @ h
        return total

    found = list(rtrl(arrays, xs, asked, nonlinearity=nonlinearity))
    for name, array in arrays.items():
        i = (1,) * array.ndim
        up, down = ({**arrays, name: array.copy()} for _ in range(2))
        up[name][i] += 1e-6
        down[name][i] -= 1e-6
        slope = (loss(up) - loss(down)) / 2e-6
        assert sum(g[name][i] for g in found) == pytest.approx(slope, rel=1e-6)


def test_the_losses_may_be_one_tensor_with_time_first():
    xs, targets = example(4)
    parameters, _, losses = run(weights(4), xs, targets)
    U = parameters["weight_hh"]
    one, many = gradient_by_lag(stack(losses), U), gradient_by_lag(losses, U)
    assert one.terms.keys() == many.terms.keys()
    assert all(np.array_equal(one[pair], many[pair]) for pair in many.terms)
    keyed = gradient_by_lag({3: losses[2]}, U)
    assert list(keyed.terms) == [(3, 1), (3, 2), (3, 3)]


def test_a_penalty_on_the_weights_stands_under_none():
    xs, targets = example(5)
    parameters, _, losses = run(weights(5), xs, targets)
    U = parameters["weight_hh"]
    loss = sum(losses[1:], losses[0]) + 0.1 * (U * U).sum()
    by_step = gradient_by_step(loss, U)
    np.testing.assert_allclose(by_step[None], 0.2 * weights(5)["weight_hh"], rtol=1e-14)
    np.testing.assert_allclose(sum(by_step.values()), grad(loss, U), rtol=1e-12)


def test_long_lags_of_a_contracting_network_have_no_share():
    """gamma = 0.5: the lags above 20 share less than a millionth of the gradient (T5)."""
    rng = np.random.default_rng(6)
    Q, _ = np.linalg.qr(rng.normal(size=(H, H)))
    arrays = weights(6) | {"weight_hh": 0.5 * Q}
    xs, targets = rng.normal(size=(60, IN)), rng.normal(size=(60, H))
    parameters, _, losses = run(arrays, xs, targets)
    pairs = gradient_by_lag(losses, parameters["weight_hh"])
    assert len(pairs.terms) == 60 * 61 / 2
    assert 0 < pairs.share(beyond=20) < 1e-6
    assert pairs.share(beyond=0) > 0.1
    assert pairs.share(beyond=-1) == pytest.approx(1)
    last = str(pairs).splitlines()[-1].split()
    assert last[0] == "59" and float(last[1]) == pytest.approx(pairs.norms()[59], rel=1e-3)


def test_what_cannot_be_taken_apart_is_said():
    xs, targets = example(7)
    parameters, _, losses = run(weights(7), xs, targets)
    with pytest.raises(GradientError, match="none of the losses depends on V"):
        gradient_by_lag(losses, Tensor(1.0, requires_grad=True, name="V"))
    with pytest.raises(GradientError, match="two losses were made at t=2"):
        gradient_by_lag([losses[1], losses[1]], parameters["weight_hh"])
    with pytest.raises(GradientError, match="one scalar loss has no time axis"):
        gradient_by_lag(losses[0], parameters["weight_hh"])


def last_losses(count, **options):
    """A contracting network with losses, made outside of all steps, of its last outputs."""
    cell = RNNCell(IN, H, rng=0)
    run = unroll(cell, np.ones((12, IN)), **options)
    return [(h * h).sum() for h in run.outputs[-count:]], cell.weight_hh


@pytest.mark.parametrize("count", [1, 3])
def test_a_loss_counts_for_the_step_of_its_outputs_wherever_it_stands_in_the_list(count):
    losses, U = last_losses(count)
    pairs = gradient_by_lag(losses, U)
    keyed = gradient_by_lag(dict(zip(range(13 - count, 13), losses, strict=True)), U)
    assert list(pairs.terms) == list(keyed.terms)
    assert {t for t, _ in pairs.terms} == set(range(13 - count, 13))
    assert max(pairs.norms(), key=pairs.norms().get) == 0  # what vanishes has short lags


def test_of_a_layers_stacked_outputs_the_one_that_is_picked_counts():
    layer = RNN(IN, H, rng=0)
    output, _ = layer(np.ones((6, 2, IN)))
    losses = [(output[t] ** 2).sum() for t in (5, 2)]
    pairs = gradient_by_lag(losses, layer.weight_hh_l0)
    assert list(pairs.by_loss()) == [6, 3]
    assert max(t - k for t, k in pairs.terms) == 5


def test_a_step_that_is_unknown_or_contradicted_is_refused():
    losses, U = last_losses(3)
    with pytest.raises(GradientError, match=r"loss 1 is not known.* outputs of 2 steps; give {t:"):
        gradient_by_lag([losses[0] + losses[1]], U)
    with pytest.raises(GradientError, match=r"loss 1 is not known.* made of no step"):
        gradient_by_lag([(U * U).sum()], U)
    with pytest.raises(GradientError, match="given for t=3 was made of outputs at t=12"):
        gradient_by_lag({3: losses[-1]}, U)
    with pytest.raises(GradientError, match="given for t=1 was made of outputs at t=10"):
        gradient_by_lag(stack(losses), U)


def test_losses_that_are_none_are_said():
    losses, U = last_losses(1)
    with pytest.raises(TypeError, match=r"as a list, as {t: loss}.* got NoneType"):
        gradient_by_lag(None, U)
    with pytest.raises(TypeError, match=r"every loss must be a Tensor.* got float"):
        gradient_by_lag([*losses, 3.0], U)
    with pytest.raises(TypeError, match="t is a time step, got 'a'"):
        gradient_by_lag({"a": losses[0]}, U)
    for ask in (lambda W: gradient_by_lag(losses, W), lambda W: gradient_by_step(losses[0], W)):
        with pytest.raises(TypeError, match=r"the parameter must be a Tensor.* got ndarray"):
            ask(U.numpy())


@pytest.mark.parametrize("size", [0.1, 10.0])
def test_the_norm_of_a_tiny_or_huge_term_is_its_size(size):
    U, h = Tensor(size * np.eye(H), requires_grad=True, name="U"), Tensor(np.ones(H), name="h")
    for _ in steps(range(200)):
        h = (U @ h).named("h")
    pairs = gradient_by_lag([h.sum() * (1e20 if size < 1 else 1e-20)], U)
    terms = pairs.by_lag()
    for lag, norm in pairs.norms().items():
        assert 0 < norm < np.inf
        assert norm == pytest.approx(np.abs(terms[lag]).max() * H, rel=1e-12)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"weight_ih": None}, r"the weights are weight_ih, weight_hh.* got weight_hh, bias_ih"),
        ({"W": np.ones(1)}, "got weight_ih, weight_hh, bias_ih, W"),
        ({"weight_hh": np.ones((4 * H, H))}, r"of 16 units.*; weight_ih is \(4, 3\)"),
        ({"bias_ih": np.ones(H + 1)}, r"bias_ih is \(5,\)"),
        ({"weight_ih": np.ones((H, IN + 1))}, r"inputs are \(T, 4\).* got \(7, 3\)"),
    ],
)
def test_rtrl_says_what_is_no_plain_network(change, sentence):
    xs, asked = example()
    arrays = {n: w for n, w in (weights() | change).items() if w is not None}
    with pytest.raises(ValueError, match=sentence):
        next(rtrl(arrays, xs, asked))


def test_rtrl_broadcasts_nothing():
    xs, asked = example()
    for gradients in (asked[:, :1], asked[:-1]):
        with pytest.raises(ValueError, match=r"loss_gradients \(T, 4\)"):
            next(rtrl(weights(), xs, gradients))
    with pytest.raises(
        ValueError, match="rtrl: unknown nonlinearity 'gelu'; choose one of 'tanh', 'relu'"
    ):
        next(rtrl(weights(), xs, asked, nonlinearity="gelu"))


def test_the_table_of_lags_is_a_bar_chart():
    losses, U = last_losses(3)
    pairs = gradient_by_lag(losses, U)
    norms = pairs.norms()
    _, *rows = str(pairs).splitlines()
    for row, norm in zip(rows, norms.values(), strict=True):
        _, _, _, *bar = row.split()
        assert len("".join(bar)) == pytest.approx(30 * norm / max(norms.values()), abs=1)


def test_the_share_of_long_lags_does_not_count_the_border():
    terms = PairTerms({(1, 1): np.array([1.0]), (2, 1): np.array([2.0]), (3, 1): np.array([5.0])})
    assert terms.share(beyond=1) == 5 / 8 and terms.share(beyond=2) == 0


def test_a_lag_counts_steps_whichever_way_the_recurrence_runs():
    w, s, losses = Tensor(0.5, requires_grad=True), Tensor(1.0), []
    for t in (3, 2, 1):
        with step(t):
            s = w * s
            losses.append(s)
    pairs = gradient_by_lag(losses, w)
    assert pairs.terms.keys() == {(3, 3), (2, 3), (2, 2), (1, 3), (1, 2), (1, 1)}
    assert pairs.norms() == {0: 1 + 0.5 + 0.25, 1: 0.5 + 0.25, 2: 0.25}
    assert pairs.share(beyond=1) == 0.25 / 2.75


def test_a_loss_of_several_outputs_counts_for_the_step_between_them_that_it_is_given_for():
    w, s, outputs = Tensor(0.5, requires_grad=True), Tensor(1.0), {}
    for t, _ in steps(np.ones(4)):
        outputs[t] = s = w * s
    smooth = outputs[3] - outputs[1]
    assert gradient_by_lag({2: smooth}, w).by_lag().keys() == {0, 1}
    with pytest.raises(GradientError, match="which come later"):
        gradient_by_lag({2: outputs[3] - outputs[4]}, w)


def test_the_figure_has_a_bar_for_each_lag(tmp_path):
    pytest.importorskip("matplotlib", reason="draws with matplotlib")
    xs = np.random.default_rng(0).normal(size=(30, 2, 3))
    cell = RNNCell(3, 4, rng=0)
    pairs = gradient_by_lag([(h * h).sum() for h in unroll(cell, xs).outputs], cell.weight_ih)
    (axes,) = pairs.figure("A title").axes
    bars = {round(bar.get_x() + bar.get_width() / 2): bar.get_height() for bar in axes.patches}
    assert bars == pytest.approx(pairs.norms())
    assert axes.get_yscale() == "log" and axes.get_title() == "A title"
    assert "lag" in axes.get_xlabel() and "norm" in axes.get_ylabel()
    (note,) = [text.get_text() for text in axes.texts]
    half = int(note.rpartition(" ")[2])
    assert pairs.share(half) <= 0.5 < pairs.share(half - 1)
    pairs.save(tmp_path / "lags.svg")
    assert (tmp_path / "lags.svg").read_bytes().startswith(b"<?xml")
    assert "<svg" in pairs._repr_mimebundle_()["image/svg+xml"]
