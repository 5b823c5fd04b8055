"""Names in programs: an input or a parameter may be called as it likes."""

from __future__ import annotations

import numpy as np
import pytest

from microgrrepresent import Tensor, grad, linear, mark, program, stack, steps, tanh
from microgrrepresent.programs.identifiers import letters_of

rng = np.random.default_rng(0)
X = rng.normal(size=(6, 4, 3))
NAMES = [
    *("t", "k", "T", "B", "np", "dot", "range", "prepare", "loss_and_gradients"),
    *("lambda", "class", "None", "h", "a", "da", "dh_next", "total_1", "L", "loss", "W"),
]


def parameter(*shape, name):
    return Tensor(rng.normal(size=shape) * 0.5, requires_grad=True, name=name)


W, U = parameter(2, 2, name="W"), parameter(2, 3, name="U")


def run(X, b):
    h, hs = Tensor(np.zeros((X.shape[1], 2)), name="h_0"), []
    for _, x in steps(X):
        h = tanh(linear(x, U) + linear(h, W) + b).named("h")
        hs.append(h)
    return stack(hs)


def compare(made, f, wrt, inputs):
    """The program, and its text by itself, give what the ordinary run gives."""
    L = f(**{n: Tensor(x, name=n) for n, x in inputs.items()})
    names = {}
    exec(made.source(), names)
    given = [*inputs.values(), *(leaf.numpy() for leaf in made.code.leaves.values())]
    loss, gradients = made(**inputs)
    for found in ((loss, gradients), names["loss_and_gradients"](*given)):
        np.testing.assert_allclose(found[0], L.item())
        for a, b in zip(found[1], grad(L, wrt), strict=True):
            np.testing.assert_allclose(a, b)


@pytest.mark.parametrize("name", NAMES)
def test_an_input_may_have_any_name(name):
    def f(X, **given):
        return (run(X, 0) * given[name]).sum()

    inputs = {"X": X, name: rng.normal(size=(4, 1))}
    made = program(f, [W, U], **inputs)
    assert not made.plain
    compare(made, f, [W, U], inputs)


@pytest.mark.parametrize("name", [*NAMES, "X", "my bias", "1", ""])
def test_a_parameter_may_have_any_name(name):
    b = parameter(2, name=name)

    def f(X):
        return (run(X, b) ** 2).sum()

    made = program(f, [W, U, b], X=X)
    assert not made.plain
    compare(made, f, [W, U, b], {"X": X})


def test_a_letter_that_means_something_else_gets_an_underscore():
    assert letters_of(["t", "t_", "X", "x 1", "dh_next"]) == {
        "t": "t__",
        "t_": "t_",
        "X": "X",
        "x 1": "x_1",
        "dh_next": "dh_next_",
    }


def test_a_student_gets_the_inputs_by_their_names():
    def f(X, t):
        return ((run(X, 0) - t) ** 2).sum()

    inputs = {"X": X, "t": rng.normal(size=(6, 4, 2))}
    made = program(f, {"W": W, "U": U}, **inputs)

    def student(X, t, W, U):
        return made(X=X, t=t)

    report = mark(student, f, {"W": W, "U": U}, **inputs)
    assert report.right, str(report)
