"""Short exercises, as in the course: what is asked, and a right solution."""

from __future__ import annotations

from functools import cache

import numpy as np

from microgrrepresent import Tensor, linear, sigmoid, stack, steps, tanh
from microgrrepresent.programs import Marker, program


def chain(h_0):
    """A chain of numbers."""
    w = Tensor(0.7, requires_grad=True, name="w")

    def f(X):
        h = Tensor(np.full(X.shape[1], h_0), name="h_0")
        for _, x in steps(X):
            h = (w * h + x).named("h")
        return 0.5 * (h * h).sum()

    return f, {"w": w}


def network(activation, every):
    """A recurrent network with a loss of the last state, or of each."""
    rng = np.random.default_rng(1)
    W = Tensor(rng.standard_normal((2, 3)), requires_grad=True, name="W")
    U = Tensor(rng.standard_normal((2, 2)), requires_grad=True, name="U")

    def f(X):
        h, hs = Tensor(np.zeros((X.shape[1], 2)), name="h_0"), []
        for _, x in steps(X):
            h = activation(linear(x, W) + linear(h, U)).named("h")
            hs.append(h)
        return (stack(hs) ** 2).sum() if every else (h * h).sum()

    return f, {"W": W, "U": U}


def gate():
    """One gate."""
    rng = np.random.default_rng(2)
    W = Tensor(rng.standard_normal((2, 3)), requires_grad=True, name="W")
    V = Tensor(rng.standard_normal((2, 3)), requires_grad=True, name="V")

    def f(X):
        h = Tensor(np.zeros((X.shape[1], 2)), name="h_0")
        for _, x in steps(X):
            z = sigmoid(linear(x, W)).named("z")
            h = (z * h + (1 - z) * tanh(linear(x, V))).named("h")
        return (h * h).sum()

    return f, {"W": W, "V": V}


def neuron():
    """Logistic regression, without steps."""
    w = Tensor([0.3, 0.1, -0.4], requires_grad=True, name="w")
    b = Tensor(0.2, requires_grad=True, name="b")

    def f(x, target):
        error = sigmoid(x @ w + b).named("y") - target
        return error * error

    return f, {"w": w, "b": b}


CHAIN = """
def student(X, w):
    h = [np.zeros(X.shape[1])]
    for x in X:
        h.append(w * h[-1] + x)
    dw = 0.0
    dh = h[-1]
    for t in range(len(X), 0, -1):
        dw += np.sum(dh * h[t - 1])
        dh = dh * w
    return 0.5 * np.sum(h[-1] ** 2), {"w": dw}
"""

LAST = """
def student(X, W, U):
    h = [np.zeros((X.shape[1], 2))]
    for x in X:
        h.append(np.tanh(x @ W.T + h[-1] @ U.T))
    dW, dU = np.zeros_like(W), np.zeros_like(U)
    dh = 2 * h[-1]
    for t in range(len(X), 0, -1):
        dz = dh * (1 - h[t] ** 2)
        dW += dz.T @ X[t - 1]
        dU += dz.T @ h[t - 1]
        dh = dz @ U
    return np.sum(h[-1] ** 2), {"W": dW, "U": dU}
"""

EVERY = """
def student(X, W, U):
    h = [np.zeros((X.shape[1], 2))]
    for x in X:
        h.append(np.tanh(x @ W.T + h[-1] @ U.T))
    dW, dU = np.zeros_like(W), np.zeros_like(U)
    dh_next = 0
    for t in range(len(X), 0, -1):
        da = (dh_next + 2 * h[t]) * (1 - h[t] ** 2)
        dW += da.T @ X[t - 1]
        dU += da.T @ h[t - 1]
        dh_next = da @ U
    return sum(np.sum(state**2) for state in h[1:]), {"W": dW, "U": dU}
"""

GATE = """
def student(X, W, V):
    h, z, n = [np.zeros((X.shape[1], 2))], [None], [None]
    for x in X:
        z.append(1 / (1 + np.exp(-x @ W.T)))
        n.append(np.tanh(x @ V.T))
        h.append(z[-1] * h[-1] + (1 - z[-1]) * n[-1])
    dW, dV = np.zeros_like(W), np.zeros_like(V)
    dh = 2 * h[-1]
    for t in range(len(X), 0, -1):
        dz = dh * (h[t - 1] - n[t]) * z[t] * (1 - z[t])
        dn = dh * (1 - z[t]) * (1 - n[t] ** 2)
        dW += dz.T @ X[t - 1]
        dV += dn.T @ X[t - 1]
        dh = dh * z[t]
    return np.sum(h[-1] ** 2), {"W": dW, "V": dV}
"""

NEURON = """
def student(x, target, w, b):
    y = 1 / (1 + np.exp(-(x @ w + b)))
    dy = 2 * (y - target)
    du = dy * y * (1 - y)
    return (y - target) ** 2, {"w": du * x, "b": du}
"""

EXERCISES = {
    "chain": (CHAIN, lambda: chain(0.0)),
    "last": (LAST, lambda: network(tanh, every=False)),
    "every": (EVERY, lambda: network(tanh, every=True)),
    "gate": (GATE, gate),
    "neuron": (NEURON, neuron),
}


@cache
def exercise(name: str) -> Marker:
    """The marker of an exercise, whose trials are run once."""
    f, wrt = EXERCISES[name][1]()
    X = np.random.default_rng(0).standard_normal((5, 4, 3))
    data = {"X": X[:, :, 0] if name == "chain" else X}
    if name == "neuron":
        data = {"x": [1.0, -2.0, 0.5], "target": 1.0}
    return Marker(program(f, wrt, **data), data)
