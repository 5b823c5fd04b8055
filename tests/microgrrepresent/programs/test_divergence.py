"""A form of a program that is wrong: another one runs, or the first wrong variable is named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from microgrrepresent import GraphError, Tensor, grad, linear, program, steps, tanh
from microgrrepresent.programs import coincidence, loss_program
from microgrrepresent.programs.lines import Line, Loop

W = Tensor(np.random.default_rng(0).normal(size=(3, 3)) * 0.5, requires_grad=True, name="W")
X = np.random.default_rng(1).normal(size=(5, 2, 3))


def f(X):
    h = Tensor(np.zeros((X.shape[1], 3)), name="h_0")
    for _, x in steps(X):
        h = tanh(linear(h, W) + x).named("h")
    return (h * h).sum()


def with_backward(monkeypatch, change):
    """Let programs be made with other lines in the loop back through time."""
    right = coincidence.built

    def built(recordings, wrt):
        code = right(recordings, wrt)
        backward = tuple(
            Loop(item.first, item.last, item.down, change(item.lines))
            if isinstance(item, Loop)
            else item
            for item in code.backward
        )
        return replace(code, backward=backward)

    monkeypatch.setattr(coincidence, "built", built)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("dW = ", "dV = ", "raises .*Error: .*dW"),  # a name that is not there
        ("return L, (dW", "return L, (2 * dW", "is wrong: the gradient of W .* is not that of"),
        ("return L, (dW", "return L, (dW[:1]", "is wrong: the gradient of W .* has the shape"),
        ("dot(", "dot(X, ", "raises "),  # what NumPy refuses
        ("def prepare(T, B)", "def prepare(T, B, C)", "raises TypeError: prepare()"),
    ],
)
def test_a_fast_form_that_is_wrong_is_not_run_and_a_warning_says_why(old, new, why, monkeypatch):
    def change(text):
        return text.replace(old, new)

    right = loss_program.fast_source
    assert change(right(program(f, [W], X=X).code)) != right(program(f, [W], X=X).code)
    monkeypatch.setattr(loss_program, "fast_source", lambda code: change(right(code)))
    with pytest.warns(RuntimeWarning, match=rf"fast \(numpy\) {why}.*run as it is printed"):
        made = program(f, [W], X=X)
    L = f(Tensor(X[:3], name="X"))
    loss, gradients = made(X=X[:3])
    np.testing.assert_allclose([loss], [L.value], rtol=1e-12)
    np.testing.assert_allclose(gradients[0], grad(L, [W])[0], rtol=1e-12)
    assert made.plain and made.source() in made.source("fast")


def test_a_fast_form_that_is_right_is_run():
    assert not program(f, [W], X=X).plain


def test_a_loop_in_the_wrong_order_is_refused_with_the_line(monkeypatch):
    with_backward(monkeypatch, lambda lines: lines[1:])
    with pytest.raises(GraphError) as caught:
        program(f, [W], X=X)
    said = str(caught.value)
    assert "no program could be made of this graph" in said and "a branch" not in said
    assert "its line `da[t] = dh[t] * (1 - h[t] ** 2)` raises" in said


def test_the_first_variable_that_differs_is_named(monkeypatch):
    def change(lines):
        first, second, *others = lines
        return [first, Line(second.target, first.target), *others]  # da = dh

    with_backward(monkeypatch, change)
    with pytest.raises(GraphError) as caught:
        program(f, [W], X=X)
    said = str(caught.value)
    assert "the gradient of W (3, 3) is not that of the ordinary run" in said
    assert "da at step 8 is not what the graph has" in said and "a branch" not in said


def test_a_function_that_reads_a_value_is_to_blame():
    def reads(X):
        scale = 2.0 if float(X.numpy()[-1, 0, 0]) == X_last else 1.0
        return f(X) * scale

    X_last = X[-1, 0, 0]
    with pytest.raises(GraphError, match="a branch, or it reads a value"):
        program(reads, [W], X=np.concatenate([X, X, X[-1:]]))
