"""Attention: shares that sum to 1, scores by their formulas, masks, gradients."""

import numpy as np
import pytest

from microgrrepresent import Graph, Tensor, grad, gradcheck
from microgrrepresent import sum as total
from rnn import Attention, sequence_mask

rng = np.random.default_rng(0)
T, B, Q, K = 5, 3, 4, 6
SCORES = {"dot": (Q, Q), "general": (Q, K), "additive": (Q, K)}
every_score = pytest.mark.parametrize("score", SCORES)


def made(score, **more):
    q, k = SCORES[score]
    attention = Attention(q, k, score, rng=0, **more)
    return attention, rng.standard_normal((B, q)), rng.standard_normal((T, B, k))


def softmax(e):
    e = np.exp(e - e.max(axis=0))
    return e / e.sum(axis=0)


@every_score
def test_by_its_formula(score):
    attention, q, s = made(score)
    e = np.empty((T, B))
    for k in range(T):
        for b in range(B):
            if score == "dot":
                e[k, b] = q[b] @ s[k, b]
            elif score == "general":
                e[k, b] = q[b] @ attention.weight.data @ s[k, b]
            else:
                W, U, v = attention.weight.data, attention.weight_key.data, attention.v.data
                e[k, b] = v @ np.tanh(W @ q[b] + U @ s[k, b])
    alpha = softmax(e)
    context, weights = attention(q, s)
    np.testing.assert_allclose(weights.numpy(), alpha, rtol=1e-12)
    np.testing.assert_allclose(context.numpy(), np.einsum("tb,tbk->bk", alpha, s), rtol=1e-12)


@every_score
def test_shares_sum_to_1_and_padding_gets_none(score):
    attention, q, s = made(score)
    mask = sequence_mask([5, 2, 1], T)
    context, weights = attention(q, s, mask)
    np.testing.assert_allclose(weights.numpy().sum(axis=0), 1, rtol=1e-14)
    assert not weights.numpy()[~mask].any()
    for b, n in enumerate((5, 2, 1)):
        alone, _ = attention(q[b], s[:n, b])
        np.testing.assert_allclose(context.numpy()[b], alone.numpy(), rtol=1e-12)


@every_score
def test_gradients(score):
    attention, q, s = made(score)
    q, s = Tensor(q, requires_grad=True), Tensor(s, requires_grad=True)
    mask = sequence_mask([5, 2, 1], T)
    gradcheck(lambda *_: total(attention(q, s, mask)[0] * 2.5), [q, s, *attention.parameters()])
    g = grad(total(attention(q, s, mask)[0]), s)
    assert not g[~mask].any()


def test_equal_keys_get_equal_shares():
    attention, q, _ = made("additive")
    _, weights = attention(q, np.ones((T, B, K)))
    np.testing.assert_allclose(weights.numpy(), 1 / T, rtol=1e-13)


def test_names():
    attention, q, s = made("dot")
    context, weights = attention(q, s)
    assert (context.name, weights.name) == ("C", "α")
    assert len(Graph(context).find(name="e")) == 1


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: Attention(3, 3, "cosine"), "score is 'dot', 'general' or 'additive'"),
        (lambda: Attention(-1, 3, "general"), "query_size must be an integer >= 1, got -1"),
        (
            lambda: Attention(3, 3, "additive", 2.5),
            "hidden_size must be an integer >= 1, got 2.5",
        ),
        (lambda: Attention(3, 4), "the dot product needs query and key of one length, got 3 and"),
        (
            lambda: Attention(3, 3)(np.zeros((2, 3)), np.zeros((2, 5, 3))),
            r"expected a query of shape \(B, 3\) and keys of shape \(T, B, 3\), time first, .*"
            r"got \(2, 3\) and \(2, 5, 3\)",
        ),
        (
            lambda: Attention(3, 3)(np.zeros((2, 3)), np.zeros((5, 2, 3)), np.ones((2, 5))),
            r"expected a mask of shape \(5, 2\), got \(2, 5\)",
        ),
        (
            lambda: Attention(3, 3)(np.zeros((2, 3)), np.zeros((0, 2, 3))),
            r"keys \(0, 2, 3\) have no steps; at least one is needed",
        ),
        (
            lambda: Attention(3, 3)(np.zeros(3), np.zeros((2, 3)), [False, False]),
            "the mask is False at every step of a sequence",
        ),
    ],
)
def test_errors(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


@pytest.mark.parametrize("mask", [[0.0, -np.inf], [1, 0]])
def test_a_mask_says_yes_or_no(mask):
    with pytest.raises(TypeError, match="expected a mask of bool, True where to look, got"):
        Attention(3, 3)(np.zeros(3), np.zeros((2, 3)), mask)


@pytest.mark.parametrize("score", ["dot", "general", "additive"])
def test_what_padding_holds_has_no_influence(score):
    attention = Attention(4, 4, score, rng=0)
    draw = np.random.default_rng(0)
    q, s = Tensor(draw.standard_normal((2, 4)), requires_grad=True), draw.standard_normal((3, 2, 4))
    mask = sequence_mask([3, 1])
    s[~mask] = 0
    runs = []
    for filler in (0, np.nan, np.inf):
        s[~mask] = filler
        keys = Tensor(s, requires_grad=True)
        context, weights = attention(q, keys, mask)
        loss = total(context * context)
        leaves = [q, keys, *attention.parameters()]
        runs.append([context.numpy(), weights.numpy(), *grad(loss, leaves)])
    for other in runs[1:]:
        for a, b in zip(runs[0], other, strict=True):
            np.testing.assert_array_equal(a, b)
