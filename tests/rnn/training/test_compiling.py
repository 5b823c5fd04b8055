"""fit(compile=...): the same training, by the program of the loss."""

from __future__ import annotations

import numpy as np
import pytest

from microgrrepresent import GraphError, cross_entropy
from rnn import LSTM, SGD, Compile, DataError, Dropout, Linear, NonFiniteError, fit
from rnn.module import Module
from rnn.training.compiling import CompiledLoss


class Tagger(Module):
    def __init__(self, dropout=0.0):
        self.layer = LSTM(2, 4, rng=0)
        self.dropout = Dropout(dropout, rng=np.random.default_rng(1))
        self.out = Linear(4, 3, rng=1)

    def forward(self, X):
        return self.out(self.dropout(self.layer(X)[0]))


def batches(lengths=((6, 3), (9, 2), (6, 3), (4, 5))):
    rng = np.random.default_rng(0)
    return [(rng.normal(size=(T, B, 2)), rng.integers(0, 3, (T, B))) for T, B in lengths]


def trained(data, dropout=0.0, **settings):
    model = Tagger(dropout)
    optimizer = SGD(model.parameters(), 0.5)

    def loss(batch):
        X, y = batch["X"], batch["y"] if isinstance(batch, dict) else None
        return cross_entropy(model(X), y)

    def of_pairs(batch):
        return cross_entropy(model(batch[0]), batch[1])

    f = loss if isinstance(data[0], dict) else of_pairs
    rng = np.random.default_rng(0)
    settings.setdefault("clip", 0.2)
    history = fit(model, data, f, optimizer, rng, epochs=2, report=None, **settings)
    return history.losses, history.norms, [w.numpy() for w in model.parameters()]


def same(found, expected):
    for a, b in zip(found, expected, strict=True):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-10)


@pytest.mark.parametrize("how", [True, "numpy", Compile(verify=2)])
def test_the_training_is_the_same(how):
    same(trained(batches(), compile=how), trained(batches()))


def test_batches_may_be_dicts():
    named = [{"X": X, "y": y} for X, y in batches()]
    same(trained(named, compile=True), trained(batches()))


@pytest.mark.slow
def test_numba_trains_the_same():
    pytest.importorskip("numba")
    same(trained(batches(), compile="numba"), trained(batches()))


def test_dropout_is_refused_by_name_or_run_as_it_is():
    with pytest.raises(GraphError, match="mask"):
        trained(batches(), dropout=0.5, compile=True)
    with pytest.warns(RuntimeWarning, match="mask.*run as it is"):
        losses, *_ = trained(batches(), dropout=0.5, compile=Compile(otherwise="run"))
    assert len(losses) == 8


def test_a_loss_that_becomes_infinite_is_explained():
    data = batches()
    data[1] = (np.full((9, 2, 2), np.nan), data[1][1])
    with pytest.raises(NonFiniteError, match="the loss of step 2 is nan"):
        trained(data, compile=True)


def test_what_does_not_go_together_is_refused():
    with pytest.raises(DataError, match="no state to carry on"):
        trained(batches(), compile=True, carry=True)
    with pytest.raises(DataError, match=r"compile must be True.*got 'c'"):
        trained(batches(), compile="c")
    with pytest.raises(DataError, match="arrays of numbers, got 'tree'"):
        trained([("tree", np.zeros(3))], compile=True)


def test_a_batch_of_as_many_steps_as_sequences_is_followed_by_another():
    model, calls = Tagger(), []

    def loss(batch):
        calls.append(batch)
        return cross_entropy(model(batch[0]), batch[1])

    square, other, last = batches(((4, 4), (6, 3), (4, 4)))
    run = CompiledLoss(loss, Compile(otherwise="run"))
    with pytest.warns(RuntimeWarning, match="told apart.*until then it is run as it is") as given:
        run(square, model.parameters())
        run(square, model.parameters())
    assert len(given) == 1
    run(other, model.parameters())
    before = len(calls)
    value = run(last, model.parameters())
    assert len(calls) == before  # by the program
    found = [w.grad for w in model.parameters()]
    model.zero_grad()
    L = loss(last)
    L.backward()
    assert value == pytest.approx(L.item(), rel=1e-12)
    same([found], [[w.grad for w in model.parameters()]])
