"""The first node with a NaN or inf is named, with its scope and step (T10)."""

import numpy as np
import pytest

from microgrrepresent import Tensor, exp, log, scope, softmax, sqrt, steps, tanh, where
from rnn.diagnosis import find_nonfinite

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def test_a_finite_graph_has_none():
    w = Tensor([1.0, 2.0], requires_grad=True)
    assert find_nonfinite(tanh(w).sum()) is None
    assert find_nonfinite(Tensor([1, 2])) is None


def test_an_exploding_recurrence_is_named_at_its_step():
    """h doubles its exponent at each step: 2, 4, 16, 256, 65536, ... overflows at t = 10."""
    h = Tensor([2.0, 0.5], requires_grad=True, name="h")
    with scope("rnn"):
        for _ in steps(range(12)):
            h = (h * h).named("h")
    found = find_nonfinite(h.sum())
    assert (found.kind, found.scope, found.step, found.node.name) == ("value", "rnn", 10, "h")
    assert str(found) == (
        "the value of h_10 has 1 of 2 elements that are inf: mul in rnn at t=10, "
        "applied to h_9, which goes from 7.45834e-155 to 1.34078e+154"
    )


def test_the_first_nan_not_the_last_is_named():
    x = Tensor([1.0, 0.0, -1.0], requires_grad=True, name="x")
    y = log(x).named("y")
    loss = exp(tanh(y * 2)).sum()
    found = find_nonfinite(loss)
    assert found.node is y and found.kind == "value"
    assert "2 of 3 elements that are NaN or inf: log" in str(found)


def test_a_nan_made_of_an_infinity_that_was_given_is_named_where_it_is_made():
    a = Tensor([np.inf], name="a")
    b = (a * 2).named("b")
    c = (b - b).named("c")
    found = find_nonfinite(c.sum())
    assert found.node is c
    assert str(found) == "the value of c is NaN: sub, applied to b, which is inf"
    assert find_nonfinite(b.sum()).node is a


def test_infinite_gradients_of_finite_values_are_found():
    """s^-1/2 at 1e-300 is 1e150, and its slope -1e450/2."""
    s = Tensor(1e-300, requires_grad=True, name="s")
    with scope("norm"):
        r = (s**-0.5).named("r")
    found = find_nonfinite(r)
    assert (found.node, found.kind, found.scope) == (s, "gradient", "norm")
    assert str(found).startswith("the gradient with respect to s is inf: the derivative of pow")
    assert find_nonfinite(sqrt(Tensor(4.0, requires_grad=True))) is None


def test_a_nan_gradient_names_the_first_edge_of_the_sweep():
    a, w = Tensor(1e200, name="a"), Tensor(1e-200, requires_grad=True, name="w")
    with scope("inner"):
        u = (w * a).named("u")  # du/dw = 1e200
    with scope("outer"):
        loss = (u * a).named("loss")  # dloss/du = 1e200; together 1e400
    found = find_nonfinite(loss)
    assert (found.node, found.scope, found.kind) == (w, "inner", "gradient")


def test_a_mask_of_minus_inf_is_no_fault():
    scores = Tensor([0.5, 1.0, 2.0], requires_grad=True, name="scores")
    masked = where(np.array([True, True, False]), scores, -np.inf)
    assert find_nonfinite(softmax(masked)[0]) is None


def test_a_bad_input_is_named_as_given():
    x = Tensor([1.0, np.nan], name="x")
    w = Tensor(2.0, requires_grad=True, name="w")
    assert str(find_nonfinite((w * x).sum())) == (
        "the value of x has 1 of 2 elements that are NaN: it was given so; no operation made it"
    )
    x = Tensor([1.0, np.inf], name="x")
    assert find_nonfinite((w * x).sum()).node is x


def test_what_is_no_loss_is_said():
    with pytest.raises(TypeError, match="find_nonfinite: the loss must be a Tensor"):
        find_nonfinite(3.0)


def test_a_gradient_is_blamed_on_the_use_that_spoils_it():
    x = Tensor(1e-300, requires_grad=True, name="x")
    for steep_first in (True, False):  # the sweep comes to the one that was made last first
        if steep_first:
            steep, flat = 1e200 * (1e200 * x), tanh(x)
        else:
            flat, steep = tanh(x), 1e200 * (1e200 * x)
        assert (
            "x is inf: the derivative of mul, which makes" in find_nonfinite(steep + flat).message
        )


def test_nan_of_an_infinite_input_is_the_fault_of_the_operation_that_made_it():
    scores = Tensor([0.0, -np.inf], name="e", requires_grad=True)
    shifted = scores - scores
    found = find_nonfinite(shifted.sum())
    assert found.node is shifted and found.kind == "value"
    assert "sub" in found.message and "applied to e" in found.message
