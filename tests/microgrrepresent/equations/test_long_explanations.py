"""Explanations of graphs with very many equations, terms or steps: a window, and work in line."""

import numpy as np
import pytest

from microgrrepresent import Tensor, explain, sigmoid, step, steps, tanh
from microgrrepresent.equations import explanation
from microgrrepresent.equations.terms import Value, Variable


def steps_that_differ(T):
    W, h = Tensor([[0.5, 0.1], [0.2, 0.3]], requires_grad=True, name="W"), Tensor([1.0, 2.0])
    for t, _ in steps(range(T)):
        h = (tanh(W @ h) if t % 3 else sigmoid(W @ h)).named("h")
    return (h * h).sum(), W


def test_what_takes_minutes_says_so_at_once(monkeypatch):
    loss, W = steps_that_differ(12)
    explain(loss, W)
    monkeypatch.setattr(explanation, "LARGE", 20)
    with pytest.warns(UserWarning, match=r"of \d+ nodes takes minutes; a run of a few steps"):
        explain(loss, W)


def test_of_many_equations_the_first_and_the_last_are_shown():
    loss, W = steps_that_differ(500)
    found = explain(loss, W)
    assert len(found.equations) > 1900  # all are there, as data
    text = str(found)
    assert len(text.splitlines()) < 500 and len(text) < 40_000
    assert "more equations; choose steps=[...]" in text
    assert "h_1 = tanh(a_1)" in text and "h_500 = " in text and "h_250 = " not in text
    assert "more equations" in found.markdown()
    assert "h_250 = tanh(a_250)" in str(explain(loss, W, steps=[250]))
    short, W = steps_that_differ(20)
    assert "more equations" not in str(explain(short, W))


def test_a_chain_without_steps_is_written_in_pieces_that_can_be_read():
    x = Tensor([0.5, 0.1], requires_grad=True, name="x")
    y = x
    for _ in range(2500):
        y = tanh(y) * 0.5
    text = str(explain((y * y).sum(), x))
    assert "more equations; all are in .equations" in text
    assert len(text) < 120_000 and "''''" not in text


def test_a_long_sum_names_its_first_and_last_terms():
    h, w, terms = Tensor([0.1], name="h"), Tensor([0.5], requires_grad=True, name="w"), []
    for t, _ in steps(range(90)):
        h = tanh(h * w).named("h")
        if t % 7 in (1, 3):
            terms.append((h * h).sum())
    text = str(explain(sum(terms), w))
    assert max(map(len, text.splitlines())) < 300
    assert "…" in text


def test_steps_far_apart_cost_what_the_nodes_cost():
    W, h = Tensor(np.eye(2), requires_grad=True, name="W"), Tensor(np.ones((1, 2)), name="h")
    for year in (1, 10**6, 10**9):
        with step(year):
            h = tanh(h @ W).named("h")
    assert "∂L/∂W = Σ(t=" in str(explain((h * h).sum(), W))


def test_numbers_of_very_many_steps_are_refused():
    W, h = Tensor(np.eye(2), requires_grad=True, name="W"), Tensor(np.ones((1, 2)), name="h")
    for _ in steps(range(500)):
        h = tanh(h @ W).named("h")
    loss = (h * h).sum()
    with pytest.raises(ValueError, match="numbers of at most 400 steps can be shown, got 500; ch"):
        explain(loss, W, numbers=True, steps=range(1, 501))
    assert "t=500" in str(explain(loss, W, numbers=True, steps=[1, 500]))


def test_the_steps_of_a_variable_are_not_hashed_with_it():
    class Steps(tuple):
        def __hash__(self):
            raise AssertionError("as many numbers as steps, for every term")

    h = Variable("h", "", False, (2,), Steps((1, 2, 3)), 0)
    assert {Value(h, 1): "h_1"}[Value(h, 1)] == "h_1"
