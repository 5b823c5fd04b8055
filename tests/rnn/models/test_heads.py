"""Pooling and the models above a layer: padding must not count."""

import numpy as np
import pytest

from microgrrepresent import Tensor, grad, gradcheck
from microgrrepresent import sum as total
from rnn import (
    GRU,
    LSTM,
    RNN,
    Embedding,
    Encoder,
    GRUCell,
    SequenceClassifier,
    SequenceTagger,
    last_state,
    mean_state,
    pad,
)

rng = np.random.default_rng(0)
LENGTHS = [5, 2, 1]


def test_pooling_by_hand():
    y = rng.standard_normal((5, 3, 4))
    for b, n in enumerate(LENGTHS):
        np.testing.assert_array_equal(last_state(Tensor(y), LENGTHS).numpy()[b], y[n - 1, b])
        np.testing.assert_allclose(
            mean_state(Tensor(y), LENGTHS).numpy()[b], y[:n, b].mean(axis=0), rtol=1e-13
        )
    np.testing.assert_array_equal(last_state(Tensor(y)).numpy(), y[-1])
    np.testing.assert_allclose(mean_state(Tensor(y)).numpy(), y.mean(axis=0))
    np.testing.assert_array_equal(last_state(Tensor(y[:, 0])).numpy(), y[-1, 0])


@pytest.mark.parametrize("pool", [last_state, mean_state])
def test_pooling_ignores_padding(pool):
    y = rng.standard_normal((5, 3, 4))
    other = y.copy()
    for b, n in enumerate(LENGTHS):
        other[n:, b] = 1e6
    np.testing.assert_array_equal(
        pool(Tensor(y), LENGTHS).numpy(), pool(Tensor(other), LENGTHS).numpy()
    )
    x = Tensor(y, requires_grad=True)
    gradcheck(lambda *_: total(pool(x, LENGTHS) * 1.5), [x])
    g = grad(total(pool(x, LENGTHS)), x)
    assert not any(g[n:, b].any() for b, n in enumerate(LENGTHS))
    assert pool(Tensor(y.astype(np.float32)), LENGTHS).dtype == np.float32


@pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
@pytest.mark.parametrize("pooling", ["last", "mean"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_classified_batch_equals_its_sequences(kind, pooling, bidirectional):
    layer = kind(3, 4, num_layers=2, bidirectional=bidirectional, rng=0)
    model = SequenceClassifier(layer, 2, pooling, rng=1)
    x = rng.standard_normal((5, 3, 3))
    scores = model(x, LENGTHS).numpy()
    assert scores.shape == (3, 2)
    for b, n in enumerate(LENGTHS):
        np.testing.assert_allclose(model(x[:n, b]).numpy(), scores[b], rtol=1e-11)


def test_last_of_two_directions_is_the_end_of_each():
    layer = GRU(3, 4, bidirectional=True, rng=0)
    model = SequenceClassifier(layer, 2, rng=1)
    x = Tensor(rng.standard_normal((5, 1, 3)))
    output, h = layer(x)
    expected = model.head(np.concatenate([h.numpy()[0], h.numpy()[1]], axis=-1))
    np.testing.assert_allclose(model(x).numpy(), expected.numpy(), rtol=1e-13)
    np.testing.assert_array_equal(h.numpy()[1], output.numpy()[0, :, 4:])


def test_tagging_gives_scores_at_every_step():
    model = SequenceTagger(LSTM(3, 4, bidirectional=True, rng=0), 5, Embedding(7, 3, rng=1), rng=2)
    ids = rng.integers(0, 7, (5, 3))
    scores = model(ids, LENGTHS)
    assert scores.shape == (5, 3, 5)
    for b, n in enumerate(LENGTHS):
        np.testing.assert_allclose(model(ids[:n, b]).numpy(), scores.numpy()[:n, b], rtol=1e-11)
    names = list(model.state_dict())
    assert names[0] == "embedding.weight" and names[1] == "layer.weight_ih_l0"
    assert names[-1] == "head.bias"


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: SequenceClassifier(GRU(3, 4), 2, "max"), "pooling is 'last' or 'mean'"),
        (lambda: SequenceTagger(GRU(3, 4, batch_first=True), 2), "time is the first axis"),
        (
            lambda: mean_state(Tensor(np.zeros((5, 3, 4))), [1, 2]),
            r"expected 3 integers, one for each sequence of the batch, got shape \(2,\)",
        ),
        (
            lambda: last_state(Tensor(np.zeros((5, 3, 4))), [-1, 2, 5]),
            r"between 0 and T = 5 valid steps, got -1\.\.5",
        ),
    ],
)
def test_errors(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


@pytest.mark.parametrize(
    "model", [Encoder, lambda x: SequenceClassifier(x, 2), lambda x: SequenceTagger(x, 2)]
)
def test_a_sequence_is_read_by_a_layer(model):
    for no_layer in (3, GRUCell(3, 5)):
        with pytest.raises(TypeError, match=r"a layer: RNN, GRU or LSTM, got (3|GRUC)"):
            model(no_layer)


def test_what_padding_holds_reaches_no_pool():
    y = rng.standard_normal((5, 3, 4))
    y[np.arange(5)[:, None] >= LENGTHS] = np.nan
    for pool in (last_state, mean_state):
        outputs = Tensor(y, requires_grad=True)
        pooled = pool(outputs, LENGTHS)
        assert np.isfinite(pooled.numpy()).all()
        g = grad(total(pooled * pooled), outputs)
        assert np.isfinite(g).all() and not g[np.isnan(y)].any()


@pytest.mark.parametrize("pooling", ["last", "mean"])
@pytest.mark.parametrize("direction", [{}, {"reverse": True}, {"bidirectional": True}])
def test_a_classifier_of_padded_sequences_equals_one_by_one(pooling, direction):
    model = SequenceClassifier(GRU(3, 4, rng=0, **direction), 2, pooling, rng=0)
    x = np.random.default_rng(0).standard_normal((5, 3, 3))
    scores = model(x, LENGTHS).numpy()
    for b, n in enumerate(LENGTHS):
        np.testing.assert_allclose(model(x[:n, b : b + 1]).numpy()[0], scores[b], rtol=1e-12)


@pytest.mark.parametrize("pool", [last_state, mean_state])
def test_pooling_of_padding_before_and_of_nothing(pool):
    y = np.random.default_rng(0).normal(size=(4, 3, 2))
    pre = y.copy()
    pre[2:, 0], pre[:2, 0] = y[:2, 0], np.nan
    pooled = pool(Tensor(y), [2, 4, 0]).numpy()
    assert not pooled[2].any() and pooled[:2].all()
    np.testing.assert_array_equal(pool(Tensor(pre), [2, 4, 0], "left").numpy(), pooled)


@pytest.mark.parametrize("make", [lambda layer: SequenceClassifier(layer, 2, "mean", rng=0),
                                  lambda layer: SequenceClassifier(layer, 2, rng=0)])  # fmt: skip
def test_a_classifier_of_padding_before(make):
    model = make(GRU(3, 4, bidirectional=True, rng=0))
    padded = [pad([np.ones((2, 3)), np.eye(3)], side=side) for side in ("right", "left")]
    right, left = (model(p.values, p.lengths, p.side).numpy() for p in padded)
    np.testing.assert_allclose(left, right, rtol=1e-14)
    tagger = SequenceTagger(GRU(3, 4, rng=0), 2, rng=0)
    right, left = (tagger(p.values, p.lengths, p.side).numpy() for p in padded)
    np.testing.assert_allclose(left[1:, 0], right[:2, 0], rtol=1e-14)
