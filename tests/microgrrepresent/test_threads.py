"""Threads and asyncio tasks record, differentiate and train at once."""

import asyncio
import sys
import threading

import numpy as np
import pytest

import rnn
from microgrrepresent import Tensor, backward, grad, jacobian, no_grad, scope, steps, tanh

XS = np.random.default_rng(0).normal(size=(6, 2, 2))
STEPS = 25


@pytest.fixture(autouse=True)
def threads_change_places_often():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def in_threads(work, n):
    """Run work(0), work(1), ... at once; give their results."""
    found, failed, together = {}, [], threading.Barrier(n, timeout=60)

    def run(i):
        try:
            together.wait()
            found[i] = work(i)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return [found[i] for i in range(n)]


def one_step(layer, optimizer, state):
    """One step of training; the state goes on, cut, as in truncated BPTT."""
    optimizer.zero_grad()
    with scope(f"seed{state[0]}"):
        output, h = layer(XS, state[1])
        loss = (output * output).sum()
    loss.backward()
    optimizer.step()
    with no_grad():
        layer(XS)
    return float(loss), (state[0], h.detach())


def trainer(seed):
    """A generator that trains a model of its own, one step at a time, and gives all its losses."""
    layer = rnn.GRU(2, 3, bidirectional=True, rng=seed)
    optimizer, state, losses = rnn.SGD(layer.parameters(), 0.01), (seed, None), []
    for _ in range(STEPS):
        loss, state = one_step(layer, optimizer, state)
        losses.append(loss)
        yield losses


def alone(seed):
    *_, losses = trainer(seed)
    return losses


def test_models_of_their_own_train_in_threads():
    assert in_threads(alone, 4) == [alone(seed) for seed in range(4)]


def test_models_of_their_own_train_in_tasks():
    async def train(seed):
        for losses in trainer(seed):  # noqa: B007 (the last one is what it returns)
            await asyncio.sleep(0)
        return losses

    async def main():
        return await asyncio.gather(*map(train, range(4)))

    assert asyncio.run(main()) == [alone(seed) for seed in range(4)]


def test_models_of_their_own_train_in_turns():
    for results in zip(*map(trainer, range(4)), strict=True):
        last = results
    assert list(last) == [alone(seed) for seed in range(4)]


def test_all_that_differentiates_may_run_in_threads():
    W = Tensor(np.random.default_rng(1).normal(size=(2, 2)), requires_grad=True, name="W")

    def work(i):
        h = Tensor(XS[i, 0])
        for _, x in steps(XS[: 3 + i, 1]):
            h = tanh(h @ W + x)
        loss = (h * h).sum()
        dW = grad(loss, W, create_graph=True)
        parts = backward(loss).by_step(W)
        assert list(parts) == list(range(1, 4 + i))
        np.testing.assert_allclose(sum(parts.values()), dW.numpy(), rtol=1e-12)
        return dW.numpy(), grad((dW * dW).sum(), W), jacobian(h, W)

    for mine, expected in zip(in_threads(work, 4), map(work, range(4)), strict=True):
        for got, right in zip(mine, expected, strict=True):
            np.testing.assert_array_equal(got, right)


def test_what_threads_add_to_the_gradient_of_one_leaf_adds_up():
    w = Tensor(np.ones(50), requires_grad=True)

    def work(i):
        for _ in range(200):
            (w * float(i + 1)).sum().backward()

    in_threads(work, 4)
    assert w.grad.tolist() == [200.0 * (1 + 2 + 3 + 4)] * 50
