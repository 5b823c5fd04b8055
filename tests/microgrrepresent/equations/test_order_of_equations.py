"""The equations of an explanation: in which order they stand, and for which steps each one is."""

import numpy as np

from microgrrepresent import Tensor, explain, scope, steps, tanh


def section(explanation, title):
    """The lines below a title, as far as the next one."""
    lines = str(explanation).split(f"\n{title}\n")[1].split("\n\n")[0].splitlines()
    return [line.strip() for line in lines]


def test_a_loss_that_is_the_last_state_begins_the_recursion():
    w, h = Tensor(0.5, requires_grad=True, name="w"), Tensor(0.1, name="h_0")
    for _ in steps(range(3)):
        h = tanh(h * w).named("h")
    assert section(explain(h, w), "Backward") == [
        "at each step t = 3..1:",
        "∂L/∂h_3 = 1    (t = 3)",
        "∂L/∂h_t = ∂L/∂a_{t+1} w    (t = 2, 1)",
        "∂L/∂a_t = ∂L/∂h_t (1 - h_t²)",
    ]


def test_a_loop_may_run_down_in_time():
    w, h, L = Tensor(0.5, requires_grad=True, name="w"), Tensor(0.1), 0.0
    with scope("cell"):
        for _, x in steps(np.ones(4), reverse=True):
            h = tanh(h * w + x).named("h")
            L = L + h * h
    explanation = explain(L, w)
    assert section(explanation, "Forward") == [
        "at each step t = 4..1:",
        "a_t = h_{t+1} w + x_t",
        "h_t = tanh(a_t)",
        "L = Σ(t=1..4) h_t²",
    ]
    assert section(explanation, "Backward") == [
        "at each step t = 1..4:",
        "∂L/∂h_1 = 2 h_1    (t = 1)",
        "∂L/∂h_t = 2 h_t + ∂L/∂a_{t-1} w    (t = 2..4)",
        "∂L/∂a_t = ∂L/∂h_t (1 - h_t²)",
    ]


def test_what_is_read_one_step_later_has_a_letter():
    w, h, u = Tensor(0.5, requires_grad=True, name="w"), Tensor(0.1, name="h_0"), Tensor(0.2)
    for _, x in steps(np.arange(4.0)):
        h = (tanh(h * w) + u).named("h")
        u = w * x
    explanation = explain(h * h, w)
    assert section(explanation, "Forward") == [
        "at each step t = 1..4:",
        "u^(1)_t = w x_t    (t = 1..3)",
        "a_t = h_{t-1} w",
        "h_t = tanh(a_t) + u^(1)_{t-1}",
        "L = h_4²",
    ]
    assert section(explanation, "Backward")[-1] == "∂L/∂u^(1)_t = ∂L/∂h_{t+1}    (t = 3..1)"


def test_what_is_made_once_stands_before_the_steps_wherever_it_was_made():
    w, h = Tensor(0.5, requires_grad=True, name="w"), Tensor(0.1, name="h_0")
    for _, x in steps(np.ones(3)):
        h = tanh(h * w + x).named("h")
    k = (w * w).named("k")
    assert section(explain(h * h + k * k, w), "Forward")[:2] == ["k = w²", "at each step t = 1..3:"]


def test_a_total_may_have_a_term_of_the_step_before():
    w, h, s, L = Tensor(0.5, True, "w"), Tensor(0.1, name="h_0"), Tensor(0.0, name="s_0"), 0.0
    for _, x in steps(np.ones(4)):
        h = tanh(h * w + x).named("h")
        L = L + h * h + s
        s = (h + x).named("s")
    assert section(explain(L, w), "Forward")[-1] == "L = Σ(t=1..4) h_t² + Σ(t=0..3) s_t"
