"""Cells put together by chance: every form of their programs gives what `grad` gives."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from microgrrepresent import (
    Tensor,
    concatenate,
    grad,
    linear,
    program,
    split,
    stack,
    steps,
    tanh,
    transpose,
)

I, H = 3, 5  # noqa: E741


@dataclass
class RandomCell:
    """What stands in `tanh` of a step: operations of a few kinds, drawn for a seed.

    Attributes
    ----------
    seed : int
    parameters : dict from str to Tensor
        Made when they are met first; one that fits is used again now and then.
    drawn : list of str
        The operations, in the order of computation.
    """

    seed: int
    parameters: dict[str, Tensor] = field(default_factory=dict)
    drawn: list[str] = field(default_factory=list)

    def __call__(self, h, x):
        self._rng = np.random.default_rng(self.seed)
        self.drawn, self._made = [], 0
        found = self._matrix(self._any(h, x, 3), H)
        return found + self._matrix(h, H) if self._rng.random() < 0.3 else found

    def _matrix(self, a, width):
        """A product with a parameter, a new one or one of those that fit."""
        shape, again = (width, a.shape[1]), self._rng.random() < 0.5
        self._made += 1
        name = f"P_{self._made}"
        if name not in self.parameters:
            fit = [p for p in self.parameters.values() if p.shape == shape]
            values = np.random.default_rng(self._made).normal(size=shape) * 0.4
            new = Tensor(values, requires_grad=True, name=name)
            self.parameters[name] = fit[0] if fit and again else new
        return linear(a, self.parameters[name])

    def _any(self, h, x, depth):
        """An array with a row for each sequence."""
        rng = self._rng
        if depth == 0:
            return (h, x)[rng.integers(2)]
        kinds = ("concatenate", "stack", "split", "getitem", "transpose", "linear", "mul")
        kind = kinds[rng.integers(len(kinds))]
        a = self._any(h, x, depth - 1)
        width = a.shape[1]
        self.drawn.append(kind)
        match kind:
            case "concatenate":
                parts = [a, self._any(h, x, depth - 1)]
                return concatenate(parts[:: rng.choice([1, -1])], axis=1)
            case "stack":
                axis = int(rng.integers(3))
                pair = stack([a, self._matrix(self._any(h, x, depth - 1), width)], axis)
                return pair.mean(axis) if rng.random() < 0.5 else pair.sum(axis)
            case "split" if width > 1:
                at = int(rng.integers(1, width))
                parts = split(a, [at], axis=1)
                return parts[0] * parts[1] if 2 * at == width else parts[rng.integers(2)]
            case "getitem" if width > 1:
                return a[:, int(rng.integers(1, width)) :]
            case "transpose":
                return transpose(a)[: int(rng.integers(width)) + 1].T
            case "linear":
                return self._matrix(a, int(rng.integers(2, 6)))
        return a * self._matrix(self._any(h, x, depth - 1), width)

    def loss(self, X):
        """The loop of the README."""
        h = Tensor(np.zeros((X.shape[1], H)), name="h_0")
        for _, x in steps(X):
            h = tanh(self(h, x)).named("h")
        return (h * h).sum()


def check(loss, wrt, backend="numpy", width=I):
    """Hold a program, for lengths that it was not made for, and its text against `grad`."""
    rng = np.random.default_rng(1)
    made = program(loss, wrt, backend=backend, X=rng.normal(size=(6, 4, width)))
    for T, B in ((9, 2), (2, 5)):
        X = rng.normal(size=(T, B, width))
        L = loss(Tensor(X, name="X"))
        expected = [L.value, *grad(L, wrt)]
        names: dict[str, object] = {}
        exec(made.source(), names)
        leaves = {n: node.value for n, node in made.code.leaves.items()}
        for found, gradients in (made(X=X), names["loss_and_gradients"](X=X, **leaves)):
            for right, is_ in zip(expected, [found, *gradients], strict=True):
                np.testing.assert_allclose(is_, right, rtol=1e-9, atol=1e-12)
    return made


def parameter(name, *shape):
    values = np.random.default_rng(len(name)).normal(size=shape) * 0.5
    return Tensor(values, requires_grad=True, name=name)


V, W, Q = parameter("V", H + I, H), parameter("W", H, H + I), parameter("Q", H, H)
P = parameter("P", H + 2, H)
CELLS = {
    "[h, x] @ V": (lambda h, x: concatenate([h, x], axis=1) @ V, [V], I),
    "[x, h] @ W.T": (lambda h, x: linear(concatenate([x, h], 1), W), [W], I),
    "a parameter used twice": (lambda h, x: linear(h, Q) * linear(x, Q), [Q], H),
    "a mean of a stack": (
        lambda h, x: stack([linear(h, Q), linear(x, Q)], 1).mean(1),
        [Q],
        H,
    ),
    "a part of what is transposed": (lambda h, x: transpose(linear(h, P))[:H].T + x, [P], H),
    "a part of a part": (lambda h, x: linear(h, P)[:, 1:][:, :H] + x, [P], H),
    "parts of the state": (
        lambda h, x: linear(concatenate([h[:, 2:], h[:, :2]], 1), Q) + x,
        [Q],
        H,
    ),
}


def loop(cell):
    """The loop of the README with a cell."""

    def f(X):
        h = Tensor(np.zeros((X.shape[1], H)), name="h_0")
        for _, x in steps(X):
            h = tanh(cell(h, x)).named("h")
        return (h * h).sum()

    return f


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_has_the_right_program(name):
    cell, wrt, width = CELLS[name]
    assert not check(loop(cell), wrt, width=width).plain


@pytest.mark.parametrize("name", CELLS)
def test_the_native_text_of_a_cell_is_right(name, interpreted):
    cell, wrt, width = CELLS[name]
    assert not check(loop(cell), wrt, "numba", width).plain


def test_the_adjoint_of_what_is_joined_stands_in_the_loop_that_hands_it_on():
    cell, wrt, _ = CELLS["[x, h] @ W.T"]
    text = check(loop(cell), wrt).source()
    loops = text.partition("# back")[2].count("for t in")
    assert loops == 1 and text.index("du_1 = da @ W") < text.index("dh_next = du_1[:, 3:8]")


@pytest.mark.parametrize("axis", [0, 1])
def test_the_last_state_may_be_joined_with_another_array(axis):
    def f(X):
        h = Tensor(np.zeros((X.shape[1], H)), name="h_0")
        for _, x in steps(X):
            h = tanh(linear(h, Q) + x).named("h")
        j = concatenate([h, h * 2], axis=axis)
        return (j * j).sum()

    check(f, [Q], width=H)


def test_all_states_may_be_joined_side_by_side():
    def f(X):
        h, hs = Tensor(np.zeros((X.shape[1], H)), name="h_0"), []
        for _, x in steps(X):
            h = tanh(linear(h, Q) + x).named("h")
            hs.append(h)
        j = concatenate(hs, axis=1)
        return (j**3).sum()

    check(f, [Q], width=H)


def random_cell(seed):
    cell = RandomCell(seed)
    cell.loss(Tensor(np.ones((1, 1, I))))
    return cell.loss, list({id(p): p for p in cell.parameters.values()}.values())


@pytest.mark.parametrize("seed", [*range(12), 13, 28, 42, 50])  # the last run as printed
def test_a_random_cell_has_the_right_program(seed):
    check(*random_cell(seed))


@pytest.mark.parametrize("seed", range(12))
def test_the_native_text_of_a_random_cell_is_right(seed, interpreted):
    check(*random_cell(seed), "numba")
