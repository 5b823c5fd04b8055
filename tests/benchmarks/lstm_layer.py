"""An LSTM layer: T = 50, B = 16, I = 32, H = 64 in float32, forward and backward.

Against the same cell, composed of the same operations in PyTorch (eager) and in HIPS autograd. At
this size a step is half arithmetic, half what the engine adds to each operation.
"""

from statistics import median

import numpy as np

from rnn import LSTM
from tests.benchmarks.contest import Ratio, formatted, take_turns, verdict

T, B, INPUT, H, ROUNDS = 50, 16, 32, 64, 40

rng = np.random.default_rng(0)
x0 = rng.normal(size=(T, B, INPUT)).astype(np.float32)
layer = LSTM(INPUT, H, dtype=np.float32, rng=0)
state = {name.removesuffix("_l0"): value for name, value in layer.state_dict().items()}
names = list(state)


def ours():
    parameters = layer.parameters()

    def run():
        layer.zero_grad()
        output, _ = layer(x0)
        output.sum().backward()
        return [p.grad for p in parameters]

    return run


def hips_autograd():
    import autograd
    import autograd.numpy as anp

    def sigmoid(a):
        return 1 / (1 + anp.exp(-a))

    def loss(p):
        W, U, b_ih, b_hh = (p[name] for name in names)
        b = b_ih + b_hh
        h = c = np.zeros((B, H), np.float32)
        outputs = []
        for x in x0:
            a = anp.dot(x, W.T) + anp.dot(h, U.T) + b
            i, f = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H])
            g, o = anp.tanh(a[:, 2 * H : 3 * H]), sigmoid(a[:, 3 * H :])
            c = f * c + i * g
            h = o * anp.tanh(c)
            outputs.append(h)
        return anp.sum(anp.stack(outputs))

    gradient = autograd.grad(loss)
    return lambda: list(gradient(state).values())


def pytorch():
    import torch

    torch.set_num_threads(1)
    p = {name: torch.tensor(value, requires_grad=True) for name, value in state.items()}
    xs = torch.tensor(x0)

    def run():
        for parameter in p.values():
            parameter.grad = None
        W, U, b_ih, b_hh = (p[name] for name in names)
        b = b_ih + b_hh
        h = c = torch.zeros(B, H)
        outputs = []
        for x in xs:
            a = x @ W.T + h @ U.T + b
            i, f, g, o = a.split(H, dim=1)
            i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
            c = f * c + i * g
            h = o * torch.tanh(c)
            outputs.append(h)
        torch.stack(outputs).sum().backward()
        return [p[name].grad for name in names]

    return run


def table():
    contestants, absent = {"microgrrepresent": ours()}, []
    for name, make in (("HIPS autograd", hips_autograd), ("PyTorch", pytorch)):
        try:
            contestants[name] = make()
        except ImportError:
            absent.append(name)
    expected = contestants["microgrrepresent"]()
    for name, run in contestants.items():
        for got, right in zip(run(), expected, strict=True):
            np.testing.assert_allclose(np.asarray(got), right, rtol=1e-3, atol=1e-3, err_msg=name)

    times = take_turns(contestants, ROUNDS)
    rows = []
    for name, other in times.items():
        row = [name, f"{median(other) * 1e3:.2f}", "", "", ""]
        bar = {"HIPS autograd": 3, "PyTorch": 1}.get(name)
        if bar:
            ratio = Ratio(other, times["microgrrepresent"])
            row[2:] = [f"is {ratio} faster", f"at least {bar}x", verdict(ratio.median >= bar)]
        rows.append(row)
    rows += [[name, "", "not installed", "", ""] for name in absent]
    return formatted(
        f"lstm_layer: forward and backward, T={T} B={B} I={INPUT} H={H} float32, {ROUNDS} rounds",
        ["", "ms", "microgrrepresent", "bar", ""],
        rows,
    )
