"""Clipping: the three ways (T7, T8, T9), and what each says that it did."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from microgrrepresent import Tensor
from rnn import Linear, clip_grad_norm, clip_grad_value, clip_tensor_norms, grad_norm

numbers = st.floats(-100, 100)
gradient_pairs = st.tuples(
    arrays(float, (2, 3), elements=numbers), arrays(float, 4, elements=numbers)
)
thresholds = st.floats(0.01, 200)


def with_gradients(*gradients):
    parameters = []
    for g in gradients:
        w = Tensor(np.zeros(np.shape(g)), requires_grad=True)
        w.grad = np.array(g, dtype=float)
        parameters.append(w)
    return parameters


def flat(parameters):
    return np.concatenate([w.grad.ravel() for w in parameters])


@given(gradient_pairs, thresholds)
def test_by_global_norm_keeps_the_direction_and_reaches_the_threshold(gradients, theta):
    parameters = with_gradients(*gradients)
    before = flat(parameters)
    norm = np.sqrt((before**2).sum())
    done = clip_grad_norm(parameters, theta)
    after = flat(parameters)
    assert done.before == pytest.approx(norm) == float(done)
    assert done.after == pytest.approx(min(norm, theta))
    np.testing.assert_allclose(after * max(norm, theta), before * theta, rtol=1e-12, atol=1e-300)
    assert (done.changed, done.total) == (2 if done.before > theta else 0, 2)


@given(gradient_pairs, thresholds)
def test_by_value_brings_every_element_into_the_interval(gradients, theta):
    parameters = with_gradients(*gradients)
    before = flat(parameters)
    done = clip_grad_value(parameters, theta)
    np.testing.assert_array_equal(flat(parameters), np.minimum(np.maximum(before, -theta), theta))
    assert (done.changed, done.total, done.units) == ((abs(before) > theta).sum(), 10, "elements")
    assert done.after == pytest.approx(np.linalg.norm(flat(parameters)))


@given(gradient_pairs, thresholds)
def test_by_tensor_norm_clips_each_on_its_own(gradients, theta):
    parameters = with_gradients(*gradients)
    clip_tensor_norms(parameters, theta)
    for w, g in zip(parameters, gradients, strict=True):
        alone = with_gradients(g)
        clip_grad_norm(alone, theta)
        np.testing.assert_allclose(w.grad, alone[0].grad, rtol=1e-15)


def test_the_three_ways_differ_on_two_tensors():
    gradients = [30.0, 40.0], [0.0, 1.0]
    ways = []
    for clip in (clip_grad_norm, clip_tensor_norms, clip_grad_value):
        parameters = with_gradients(*gradients)
        done = clip(parameters, 5)
        ways.append((flat(parameters).round(4).tolist(), done.changed, done.total))
    theirs = 5 / np.sqrt(2501)
    assert ways == [
        ([round(30 * theirs, 4), round(40 * theirs, 4), 0.0, round(theirs, 4)], 2, 2),
        ([3.0, 4.0, 0.0, 1.0], 1, 2),  # the small gradient is left alone
        ([5.0, 5.0, 0.0, 1.0], 2, 4),  # the direction has changed
    ]


@pytest.mark.parity
def test_pytorchs_numbers_but_for_its_epsilon():
    torch = pytest.importorskip("torch")
    gradients = [[3.0, -40.0], [2.0, 7.0, 1.0]]
    theirs = [torch.zeros(len(g), dtype=torch.float64, requires_grad=True) for g in gradients]
    for w, g in zip(theirs, gradients, strict=True):
        w.grad = torch.tensor(g, dtype=torch.float64)
    norm = torch.nn.utils.clip_grad_norm_(theirs, 5.0)
    ours = with_gradients(*gradients)
    assert float(clip_grad_norm(ours, 5.0)) == pytest.approx(float(norm), rel=1e-15)
    for w, v in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(w.grad, v.grad.numpy(), rtol=1e-6)
    assert grad_norm(ours) == pytest.approx(5.0, rel=1e-15)  # theirs is 5 (1 - 2.4e-8)


def test_a_gradient_too_large_to_be_squared_is_clipped():
    parameters = with_gradients([3e200, 4e200])
    done = clip_grad_norm(parameters, 1.0)
    assert done.before == pytest.approx(5e200)
    np.testing.assert_allclose(flat(parameters), [0.6, 0.8])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_gradient_without_norm_is_shown_not_hidden(bad):
    parameters = with_gradients([1.0, bad], [2.0])
    done = clip_grad_norm(parameters, 1.0)
    assert not np.isfinite(done.before)
    assert done.changed == 0
    assert parameters[1].grad.tolist() == [2.0]


def test_what_it_did_reads_as_a_sentence():
    assert str(clip_grad_value(with_gradients([6.0, 8.0]), 7)) == (
        "gradient norm 10 -> 9.22, 1 of 2 elements clipped"
    )


def test_float32_and_missing_gradients():
    w = Tensor(np.zeros(2, np.float32), requires_grad=True)
    w.grad = np.array([3, 4], np.float32)
    unused = Tensor(1.0, requires_grad=True)
    for clip in (clip_grad_norm, clip_tensor_norms, clip_grad_value):
        assert clip([w, unused], 0.5).total in (1, 2)
        assert w.grad.dtype == np.float32
        assert unused.grad is None


@pytest.mark.parametrize("clip", [clip_grad_norm, clip_tensor_norms, clip_grad_value])
def test_thresholds_are_positive(clip):
    for threshold in (0, -1.0, "5", np.nan):
        with pytest.raises(ValueError, match=f"must be a number > 0, got {threshold!r}"):
            clip(with_gradients([1.0]), threshold)


@pytest.mark.parametrize("clip", [clip_grad_norm, clip_tensor_norms, clip_grad_value])
def test_parameters_are_a_list(clip):
    for other in (Linear(2, 2), Tensor([1.0], requires_grad=True)):
        with pytest.raises(ValueError, match=r"must be a list, such as model\.parameters\(\)"):
            clip(other, 1.0)


def test_nan_is_not_clipped():
    (w,) = with_gradients([np.nan, 3.0, 0.5])
    done = clip_grad_value([w], 1.0)
    assert (done.changed, done.total) == (1, 3)
    np.testing.assert_array_equal(w.grad, [np.nan, 1.0, 0.5])
    assert clip_tensor_norms(with_gradients([np.nan, 3.0]), 1.0).changed == 0
    assert clip_grad_value(with_gradients([np.inf]), 1.0).changed == 1


@pytest.mark.parametrize(("dtype", "huge"), [(np.float32, 1e38), (np.float64, 1e307)])
def test_a_huge_norm_does_not_round_the_factor_to_0(dtype, huge):
    w = Tensor(np.ones(2, dtype), requires_grad=True)
    w.grad = np.array([huge, -huge], dtype)
    clip_grad_norm([w], 1e-9)
    np.testing.assert_allclose(w.grad, np.array([1e-9, -1e-9]) / np.sqrt(2), rtol=1e-6)
    assert w.grad.dtype == dtype
