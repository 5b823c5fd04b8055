"""The same training step in PyTorch, HIPS autograd and JAX, each as its users would write it."""

from __future__ import annotations

import numpy as np

from tests.benchmarks.training_step.problem import NAMES


def torch_composed(given):
    """The cell written out in PyTorch's operations."""
    import torch

    torch.set_num_threads(1)
    p = {name: torch.tensor(value, requires_grad=True) for name, value in given.parameters.items()}
    X, y = torch.tensor(given.X), torch.tensor(given.y)
    H, zeros = given.size.H, torch.zeros(given.size.B, given.size.H)

    def rnn(state, inside, W_hh, b_hh):
        (h,) = state
        return (torch.tanh(inside + h @ W_hh.T + b_hh),)

    def gru(state, inside, W_hh, b_hh):
        (h,) = state
        rec = h @ W_hh.T + b_hh
        r, z = torch.sigmoid(inside[:, : 2 * H] + rec[:, : 2 * H]).split(H, dim=1)
        n = torch.tanh(inside[:, 2 * H :] + r * rec[:, 2 * H :])
        return (n + z * (h - n),)

    def lstm(state, inside, W_hh, b_hh):
        h, c = state
        i, f, g, o = (inside + h @ W_hh.T + b_hh).split(H, dim=1)
        i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
        c = f * c + i * g
        return o * torch.tanh(c), c

    cell = {"rnn": rnn, "gru": gru, "lstm": lstm}[given.cell]

    def run():
        for parameter in p.values():
            parameter.grad = None
        W_ih, W_hh, b_ih, b_hh, V, b_out = (p[name] for name in NAMES)
        state, outputs = (zeros, zeros)[: 1 + (given.cell == "lstm")], []
        for inside in X @ W_ih.T + b_ih:
            state = cell(state, inside, W_hh, b_hh)
            outputs.append(state[0])
        scores = torch.stack(outputs) @ V.T + b_out
        loss = torch.nn.functional.cross_entropy(scores.flatten(0, 1), y.flatten())
        loss.backward()
        return loss.item(), {name: parameter.grad for name, parameter in p.items()}

    return run


def torch_fused(given):
    """PyTorch's own layer."""
    import torch

    torch.set_num_threads(1)
    kind = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[given.cell]
    layer, readout = kind(given.size.I, given.size.H), torch.nn.Linear(given.size.H, given.size.O)
    own = [getattr(layer, f"{name}_l0") for name in NAMES[:4]] + [readout.weight, readout.bias]
    p = dict(zip(NAMES, own, strict=True))
    with torch.no_grad():
        for name, parameter in p.items():
            parameter.copy_(torch.tensor(given.parameters[name]))
    X, y = torch.tensor(given.X), torch.tensor(given.y)

    def run():
        for parameter in p.values():
            parameter.grad = None
        output, _ = layer(X)
        loss = torch.nn.functional.cross_entropy(readout(output).flatten(0, 1), y.flatten())
        loss.backward()
        return loss.item(), {name: parameter.grad for name, parameter in p.items()}

    return run


def _traced(given, np_, loop):
    """The loss in the functions of another NumPy, for autograd and JAX."""
    H, B = given.size.H, given.size.B
    onehot = np.eye(given.size.O, dtype=np.float32)[given.y]
    zeros = np.zeros((B, H), np.float32)

    def sigmoid(a):
        return 0.5 * (np_.tanh(0.5 * a) + 1)

    def step(p, state, inside):
        h = state[0]
        rec = np_.dot(h, p["weight_hh"].T) + p["bias_hh"]
        if given.cell == "rnn":
            state = (np_.tanh(inside + rec),)
        elif given.cell == "gru":
            rz = sigmoid(inside[:, : 2 * H] + rec[:, : 2 * H])
            r, z = rz[:, :H], rz[:, H:]
            n = np_.tanh(inside[:, 2 * H :] + r * rec[:, 2 * H :])
            state = (n + z * (h - n),)
        else:
            a = inside + rec
            i, f = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H])
            g, o = np_.tanh(a[:, 2 * H : 3 * H]), sigmoid(a[:, 3 * H :])
            c = f * state[1] + i * g
            state = (o * np_.tanh(c), c)
        return state

    def loss(p, X):
        inside = np_.dot(X, p["weight_ih"].T) + p["bias_ih"]
        state = (zeros, zeros)[: 1 + (given.cell == "lstm")]
        h = loop(lambda s, a: step(p, s, a), state, inside)
        scores = np_.dot(h, p["weight_out"].T) + p["bias_out"]
        scores = scores - np_.max(scores, axis=-1, keepdims=True)
        log_total = np_.log(np_.sum(np_.exp(scores), axis=-1))
        return np_.mean(log_total - np_.sum(scores * onehot, axis=-1))

    return loss


def hips_autograd(given):
    """HIPS autograd."""
    import autograd
    import autograd.numpy as anp

    def loop(step, state, inside):
        outputs = []
        for a in inside:
            state = step(state, a)
            outputs.append(state[0])
        return anp.stack(outputs)

    both = autograd.value_and_grad(_traced(given, anp, loop))
    return lambda: both(given.parameters, given.X)


def jax_scan(given):
    """JAX: jit of value_and_grad of a scan."""
    import jax
    import jax.numpy as jnp

    def loop(step, state, inside):
        def body(state, a):
            state = step(state, a)
            return state, state[0]

        return jax.lax.scan(body, state, inside)[1]

    both = jax.jit(jax.value_and_grad(_traced(given, jnp, loop)))
    p = {name: jnp.asarray(value) for name, value in given.parameters.items()}
    X = jnp.asarray(given.X)
    return lambda: jax.block_until_ready(both(p, X))
