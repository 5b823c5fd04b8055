"""Losses over time (L1 to L4): PyTorch's numbers, closed forms, and the graph that they make."""

import math
from functools import partial

import numpy as np
import pytest

from microgrrepresent import (
    DTypeError,
    Graph,
    ShapeError,
    Tensor,
    binary_cross_entropy,
    cross_entropy,
    grad,
    gradcheck,
    log,
    softmax,
)
from rnn import bits_per_character, mse_loss, perplexity, sequence_loss, sequence_mask

T, B, V = 5, 3, 4
RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(T, B, V)) * 3
CLASSES = RNG.integers(V, size=(T, B))
YES_NO = RNG.integers(2, size=(T, B)).astype(float)
MASK = sequence_mask([5, 2, 3])


def both_forms(loss, outputs, targets, **how):
    """The loss of one Tensor and of a list of steps: they must agree."""
    whole = sequence_loss(loss, Tensor(outputs), targets, **how)
    steps = sequence_loss(loss, [Tensor(y) for y in outputs], targets, **how)
    assert float(whole) == pytest.approx(float(steps), rel=1e-14)
    assert whole.name == steps.name == "L"
    assert whole.shape == ()
    return float(whole)


@pytest.mark.parity
def test_binary_cross_entropy_summed_over_time_is_pytorchs():
    torch = pytest.importorskip("torch")
    logits = np.concatenate([LOGITS[..., 0], [[1000.0, -1000.0, 0.0]]])
    targets = np.concatenate([YES_NO, [[0.0, 1.0, 1.0]]])
    theirs = torch.nn.functional.binary_cross_entropy_with_logits(
        torch.from_numpy(logits), torch.from_numpy(targets), reduction="sum"
    )
    ours = both_forms(binary_cross_entropy, logits, targets, reduction="sum")
    assert ours == pytest.approx(float(theirs), rel=1e-12)
    assert ours > 2000  # two of them are wrong by 1000


@pytest.mark.parity
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_cross_entropy_is_pytorchs(reduction):
    torch = pytest.importorskip("torch")
    targets = np.where(MASK, CLASSES, -100)
    theirs = torch.nn.functional.cross_entropy(
        torch.from_numpy(LOGITS).reshape(-1, V),
        torch.from_numpy(targets).reshape(-1),
        reduction=reduction,
    )
    ours = both_forms(cross_entropy, LOGITS, CLASSES, mask=MASK, reduction=reduction)
    assert ours == pytest.approx(float(theirs), rel=1e-12)


def test_the_three_ways_to_put_steps_together():
    each = (
        np.log(np.exp(LOGITS).sum(-1)) - np.take_along_axis(LOGITS, CLASSES[..., None], -1)[..., 0]
    )
    for reduction, divisor in (("sum", 1), ("batchmean", B), ("mean", T * B)):
        ours = both_forms(cross_entropy, LOGITS, CLASSES, reduction=reduction)
        assert ours == pytest.approx(each.sum() / divisor, rel=1e-12)
    for reduction, divisor in (("sum", 1), ("batchmean", B), ("mean", 10)):  # 5 + 2 + 3 steps
        ours = both_forms(cross_entropy, LOGITS, CLASSES, mask=MASK, reduction=reduction)
        assert ours == pytest.approx(each[MASK].sum() / divisor, rel=1e-12)


def test_gradient_of_the_mean_over_time():
    # L2: with one sequence, dL/dy_t = (softmax(y_t) - e_target) / T
    y = Tensor(LOGITS[:, 0])
    L = sequence_loss(cross_entropy, y, CLASSES[:, 0])
    expected = (softmax(LOGITS[:, 0]) - np.eye(V)[CLASSES[:, 0]]) / T
    np.testing.assert_allclose(grad(L, y), expected, rtol=1e-12)


def test_padding_has_no_gradient():
    y = Tensor(LOGITS)
    g = grad(sequence_loss(cross_entropy, y, CLASSES, mask=MASK), y)
    assert np.array_equal((g != 0).any(-1), MASK)


def test_the_graph_has_a_loss_for_each_step_and_one_sum():
    # L3
    L = sequence_loss(cross_entropy, [Tensor(y) for y in LOGITS], CLASSES, reduction="sum")
    graph = Graph(L)
    parts = [node for node in graph.find(name="L") if node is not L]
    assert [node.step for node in parts] == [1, 2, 3, 4, 5]
    assert L.step is None
    assert float(L) == pytest.approx(sum(float(part) for part in parts))
    assert {graph.consumers(part)[0] for part in parts} == {L.parents[0]}


def test_perplexity_of_a_model_that_knows_nothing_is_the_vocabulary():
    # L4
    L = sequence_loss(cross_entropy, Tensor(np.zeros((T, B, V))), CLASSES)
    assert perplexity(L) == pytest.approx(V)
    assert bits_per_character(L) == pytest.approx(math.log2(V))
    assert perplexity(0.0) == 1
    assert perplexity(1e6) == math.inf
    assert math.isnan(perplexity(math.nan))


def test_squared_error():
    y, target = LOGITS[..., :2], LOGITS[..., 2:]
    d2 = (y - target) ** 2
    assert float(mse_loss(Tensor(y), target)) == pytest.approx(d2.mean())
    assert float(mse_loss(Tensor(y), target, mask=MASK)) == pytest.approx(d2[MASK].mean())
    assert both_forms(mse_loss, y, target, mask=MASK) == pytest.approx(d2[MASK].mean())
    assert both_forms(mse_loss, y, target, reduction="batchmean") == pytest.approx(d2.sum() / B)
    with pytest.raises(ShapeError, match=r"needs a target of the same shape, got \(3,\)"):
        mse_loss(Tensor(np.zeros((3, 1))), np.zeros(3))


def test_one_sequence_without_a_batch():
    L = sequence_loss(cross_entropy, Tensor(LOGITS[:, 0]), CLASSES[:, 0], reduction="batchmean")
    by_step = sequence_loss(
        cross_entropy, [Tensor(y) for y in LOGITS[:, 0]], CLASSES[:, 0], reduction="sum"
    )
    assert float(L) == pytest.approx(float(by_step), rel=1e-14)


def test_messages():
    with pytest.raises(ShapeError, match=r"outputs have 5 steps.* shape of the targets is \(3,\)"):
        sequence_loss(cross_entropy, Tensor(LOGITS), CLASSES[0])
    with pytest.raises(ShapeError, match=r"the shape of the mask is \(3, 5\)"):
        sequence_loss(cross_entropy, Tensor(LOGITS), CLASSES, mask=MASK.T)
    with pytest.raises(ValueError, match="'batchmean', got 'average'"):
        sequence_loss(cross_entropy, Tensor(LOGITS), CLASSES, reduction="average")
    for unknown in ("avg", "batchmean"):
        with pytest.raises(ValueError, match=f"'mean', 'sum', 'none', got '{unknown}'"):
            mse_loss(Tensor(LOGITS), LOGITS, reduction=unknown)
    with pytest.raises(ShapeError, match=r"mask of shape \(5, 2\) does not fit"):
        sequence_loss(cross_entropy, Tensor(LOGITS), CLASSES, mask=MASK[:, :2])
    with pytest.raises(ShapeError, match=r"mask of shape \(5, 2\) does not fit"):
        sequence_loss(cross_entropy, [Tensor(y) for y in LOGITS], CLASSES, mask=MASK[:, :2])
    with pytest.raises(ShapeError, match=r"mask of shape \(2, 2\) does not fit"):
        mse_loss(Tensor(LOGITS), LOGITS, mask=np.ones((2, 2), dtype=bool))


def negative_log(p, target, reduction):
    """A loss of probabilities, which is infinite at 0."""
    return -log(p) * target


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("filler", [np.nan, np.inf, -1e300])
@pytest.mark.parametrize(
    ("loss", "outputs", "targets", "bad"),
    [
        (cross_entropy, LOGITS, CLASSES, -100),
        (binary_cross_entropy, LOGITS[..., 0], YES_NO, np.nan),
        (mse_loss, LOGITS, LOGITS * 2, np.nan),
        (negative_log, np.exp(LOGITS), np.ones((T, B, V)), np.nan),
    ],
)
def test_what_padding_holds_has_no_influence(loss, outputs, targets, bad, filler):
    filled, wrong = outputs.copy(), targets.copy()
    filled[~MASK], wrong[~MASK] = filler, bad
    results = []
    for y, target in ((outputs, targets), (filled, wrong)):
        whole, steps = Tensor(y, True), [Tensor(row, True) for row in y]
        first = sequence_loss(loss, whole, target, mask=MASK)
        second = sequence_loss(loss, steps, target, mask=MASK)
        results.append([float(first), float(second), grad(first, whole), grad(second, steps)])
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not results[1][2][~MASK].any()
    assert np.array_equal(np.reshape(results[1][3], outputs.shape), results[1][2])


def test_a_mask_is_of_booleans_or_of_0_and_1():
    y, target = Tensor(LOGITS, requires_grad=True), LOGITS * 2
    expected = float(mse_loss(y, target, mask=MASK))
    for same in (MASK.astype(int), MASK.astype("u1").tolist(), Tensor(MASK)):
        assert float(mse_loss(y, target, mask=same)) == expected
        assert float(sequence_loss(mse_loss, y, target, mask=same)) == expected
    for weights in (MASK * 0.3, Tensor(MASK * 1.0, requires_grad=True), MASK * 2, MASK - 1):
        for loss in (mse_loss, partial(sequence_loss, mse_loss)):
            with pytest.raises(DTypeError, match=r"_loss: mask must be of booleans, got (fl|int)"):
                loss(y, target, mask=weights)


def test_a_squared_error_of_padding_has_no_gradient():
    y = Tensor([1.0, np.nan], requires_grad=True)
    L = mse_loss(y, [0.0, np.inf], mask=[True, False])
    assert float(L) == 1 and grad(L, y).tolist() == [2, 0]


def test_a_mask_in_which_no_step_counts():
    y = Tensor(LOGITS, requires_grad=True)
    L = sequence_loss(cross_entropy, y, CLASSES, mask=np.zeros((T, B), dtype=int))
    assert float(L) == 0 and not grad(L, y).any()


@pytest.mark.parametrize("mask", [None, MASK])
@pytest.mark.parametrize("form", [lambda y: y, list])
@pytest.mark.parametrize("loss", [mse_loss, binary_cross_entropy])
def test_targets_that_require_a_gradient_get_it(loss, form, mask):
    y, target = Tensor(LOGITS, requires_grad=True), Tensor(LOGITS / 9 + 0.5, requires_grad=True)
    with np.errstate(all="raise"):
        gradcheck(lambda a, b: sequence_loss(loss, form(a * 1), b * 1, mask=mask), [y, target])
    sequence_loss(loss, form(y * 1), target * 1, mask=mask).backward()
    assert target.grad is not None and (target.grad != 0).any()
