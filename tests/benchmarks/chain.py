"""The cost of a step: the chain h = tanh(h @ W + b), forward and backward, B = 4, H = 8.

Arrays this small cost nothing to compute, so what is left is what the engine adds to each
operation. All contestants get the same arrays and must give the same gradients.
"""

from statistics import median

import numpy as np

from microgrrepresent import Tensor, tanh
from tests.benchmarks.contest import Ratio, formatted, take_turns, verdict

BATCH, HIDDEN, STEPS, ROUNDS = 4, 8, 100, 200

rng = np.random.default_rng(0)
W0 = rng.normal(0, 0.3, (HIDDEN, HIDDEN))
b0 = rng.normal(0, 0.1, HIDDEN)
h0 = rng.normal(size=(BATCH, HIDDEN))


def ours():
    W, b = Tensor(W0, requires_grad=True), Tensor(b0, requires_grad=True)
    h = Tensor(h0)

    def run():
        W.grad = b.grad = None
        s = h
        for _ in range(STEPS):
            s = tanh(s @ W + b)
        s.sum().backward()
        return W.grad, b.grad

    return run


def numpy_by_hand():
    W, b = W0, b0

    def run():
        h = h0
        hs = [h]
        for _ in range(STEPS):
            h = np.tanh(h @ W + b)
            hs.append(h)
        dW, db = np.zeros_like(W), np.zeros_like(b)
        dh = np.ones_like(h)
        for t in range(STEPS, 0, -1):
            h = hs[t]
            da = dh * (1 - h * h)
            dW += hs[t - 1].T @ da
            db += da.sum(axis=0)
            dh = da @ W.T
        return dW, db

    return run


def hips_autograd():
    import autograd
    import autograd.numpy as anp

    def loss(parameters):
        W, b = parameters
        h = h0
        for _ in range(STEPS):
            h = anp.tanh(h @ W + b)
        return anp.sum(h)

    gradient = autograd.grad(loss)
    return lambda: gradient((W0, b0))


def pytorch():
    import torch

    torch.set_num_threads(1)
    W, b = torch.tensor(W0, requires_grad=True), torch.tensor(b0, requires_grad=True)
    h = torch.tensor(h0)

    def run():
        W.grad = b.grad = None
        s = h
        for _ in range(STEPS):
            s = torch.tanh(s @ W + b)
        s.sum().backward()
        return W.grad, b.grad

    return run


def table():
    contestants, absent = {"microgrrepresent": ours(), "NumPy by hand": numpy_by_hand()}, []
    for name, make in (("HIPS autograd", hips_autograd), ("PyTorch", pytorch)):
        try:
            contestants[name] = make()
        except ImportError:
            absent.append(name)
    expected = numpy_by_hand()()
    for name, run in contestants.items():
        for got, right in zip(run(), expected, strict=True):
            np.testing.assert_allclose(np.asarray(got), right, rtol=1e-9, err_msg=name)

    times = take_turns(contestants, ROUNDS)
    mine = times["microgrrepresent"]
    rows = []
    for name, other in times.items():
        row = [name, f"{median(other) / STEPS * 1e6:.1f}"]
        if name == "NumPy by hand":
            ratio = Ratio(mine, other)
            row += [f"takes {ratio} its time", "at most 2.5x", verdict(ratio.median <= 2.5)]
        elif name in ("HIPS autograd", "PyTorch"):
            ratio, bar = Ratio(other, mine), 4 if name == "HIPS autograd" else 1.3
            row += [f"is {ratio} faster", f"at least {bar}x", verdict(ratio.median >= bar)]
        else:
            row += ["", "", ""]
        rows.append(row)
    rows += [[name, "", "not installed", "", ""] for name in absent]
    return formatted(
        f"chain: h = tanh(h @ W + b), forward and backward, {BATCH}x{HIDDEN}, {STEPS} steps, "
        f"{ROUNDS} rounds",
        ["", "µs/step", "microgrrepresent", "bar", ""],
        rows,
    )
