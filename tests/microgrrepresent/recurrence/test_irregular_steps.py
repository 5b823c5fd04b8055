"""One step that is irregular in one thing, each thing in turn: refused, and the reason is kept."""

from __future__ import annotations

import numpy as np
import pytest

from microgrrepresent import (
    Graph,
    GraphError,
    Tensor,
    fold,
    grad,
    step,
    steps,
    stop_gradient,
    tanh,
)
from microgrrepresent.recurrence import difference, recurrence
from tests.microgrrepresent.recurrence.random_recurrences import Break, Program, State, Term, run

T = 10
PROGRAM = Program(
    (
        State(
            (
                Term(0, 1, matrix=True),
                Term(-1, slope=2, order=(2, 0, 1)),
                Term(-2, dtype="float32"),
                Term(0, 2),
                Term(-2),
            ),
            ("add", "mul"),
            "tanh",
            "cell",
        ),
        State(
            (Term(1, 1, dtype="float64"), Term(0, 0, order=(1, 2, 0)), Term(1, 3)), ("sub",), "sin"
        ),
    ),
    "sum",
)
BREAKS = [
    ("function", 0, 0), ("function", 1, 0),
    ("lag", 0, 0), ("lag", 0, 3), ("lag", 1, 0), ("lag", 1, 2),
    ("parameter", 0, 0), ("order", 0, 1), ("order", 1, 1), ("index", 0, 1), ("dtype", 0, 2),
    ("dtype", 1, 0), ("leaf dtype", 0, 2), ("leaf shape", 0, 4), ("leaf gradient", 0, 4),
    ("join", 0, 1), ("join", 0, 3), ("edge", 0, 3), ("edge", 1, 2), ("lag", 1, 1),
]  # fmt: skip


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("at", [4, 6])
@pytest.mark.parametrize(("kind", "state", "term"), BREAKS)
def test_one_irregular_thing_is_refused(kind, state, term, at, reverse):
    program = Program(PROGRAM.states, PROGRAM.ending, reverse=reverse)
    regular, broken = run(program, T), run(program, T, Break(kind, at, state, term))
    assert not recurrence(regular).breaks and fold(regular)
    assert difference(regular, broken) is not None
    with pytest.raises(GraphError, match="breaks the pattern"):
        fold(broken)
    assert recurrence(broken).breaks


@pytest.mark.parametrize("reverse", [False, True])
def test_lags_and_inputs_of_a_known_program(reverse):
    program = Program(PROGRAM.states, PROGRAM.ending, reverse=reverse)
    found = recurrence(run(program, T))
    assert not found.breaks
    sign = -1 if reverse else 1
    lags = {
        (found.strands[read.source].nodes[5].name, read.lag)
        for strand in found.strands
        for read in strand.reads
        if read.lag and read.source is not None
    }
    assert {(n, lag) for n, lag in lags if n} == {
        ("h0", sign), ("h0", 2 * sign), ("h1", sign), ("h1", 3 * sign),
    }  # fmt: skip
    slopes = {s.nodes[5].shape: s.slopes for s in found.strands if any(s.slopes)}
    assert slopes == {(3,): [2 * sign * sign]}
    assert set(found.states.values()) == {sign} and len(found.initial) == 2


def made_of(inputs):
    h = Tensor(np.zeros(3), name="h_0")
    for _, x in steps(inputs):
        h = tanh(h + x).named("h")
    return h


def test_inputs_made_one_step_ahead_are_read_with_a_lag():
    xs = []
    for t in range(8):
        with step(t):
            xs.append(Tensor(np.ones(3), name="x"))
    found = recurrence(made_of(xs))
    assert not found.breaks
    (x,) = (s for s in found.strands if s.nodes[s.last].name == "x")
    reads = [r for s in found.strands for r in s.reads if r.source == found.places[xs[0]][0]]
    assert list(x.nodes) == list(range(8)) and [r.lag for r in reads] == [1]


def test_a_step_that_is_left_out_and_one_that_is_alone_are_refused():
    for odd in ({4}, {3, 5}):
        total, h = 0, Tensor(np.zeros(3), name="h_0")
        for t, x in steps(np.ones((9, 3))):
            h = tanh(h + x).named("h")
            y = (h * h).sum().named("y") if t not in odd else h.sum().named("z")
            total = total + y
        with pytest.raises(GraphError, match="breaks the pattern"):
            fold(total)
        assert recurrence(total).breaks


def test_a_variable_of_a_few_steps_in_the_midst_is_refused():
    h, total = Tensor(np.zeros(3), name="h_0"), 0
    for t, x in steps(np.ones((9, 3))):
        h = tanh(h + x).named("h")
        if 3 < t < 7:
            total = total + (h * h).sum()
    with pytest.raises(GraphError, match="breaks the pattern"):
        fold([h, total])


def test_states_of_which_another_one_is_cut_each_time_are_refused():
    a, b = Tensor(np.zeros(3), name="a_0"), Tensor(np.zeros(3), name="b_0")
    for t, x in steps(np.ones((9, 3))):
        cut = stop_gradient(a) if t % 2 else stop_gradient(b)
        a, b = tanh(a + x).named("a"), tanh(cut + b).named("b")
    with pytest.raises(GraphError, match="breaks the pattern"):
        fold(Graph([a, b]))


def test_years_count_one_after_another():
    h = Tensor(0.5, name="h_0")
    for year in (1990, 2000, 10**12):
        with step(year):
            h = tanh(h * 0.5).named("h")
    folded = fold(h)
    assert folded.steps == (1990, 2000, 10**12) and sorted(folded.instances(h)) == [*folded.steps]
    assert [delay.lag for delay in folded.delays] == [1]
    assert "at each step t = 1..3" in str(folded)


def test_of_an_index_that_jumps_once_only_that_step_is_to_blame():
    X, h = Tensor(np.ones((12, 3)), name="X"), Tensor(np.zeros(3), name="h_0")
    xs = []
    for t in range(1, 9):
        with step(t):
            xs.append(X[t - 1 if t != 4 else 10])
            h = tanh(h + xs[-1]).named("h")
    (reason,) = (breaks := recurrence(h).breaks).values()
    assert list(breaks) == [xs[3]] and "has the index 10 where 3 would follow" in reason


def test_a_state_before_the_first_must_not_be_another_state():
    """h_t is made of h_{t-2}; at t = 2 there is none, but h_1 cannot stand in its place."""
    h = {-1: Tensor(np.ones(3), name="h_0"), 0: Tensor(np.zeros(3), name="h_0")}
    for other, fits in ((0, True), (1, False)):
        for t, x in steps(np.ones((8, 3))):
            h[t] = tanh(h[t - 2 if t != 2 else other] + x).named("h")
        assert bool(recurrence([h[8], h[7]]).breaks) is not fits


def test_where_a_gradient_stops_at_a_cut_the_sum_for_a_parameter_reads_something_else():
    W, h, loss = Tensor(0.5, requires_grad=True, name="W"), Tensor(1.0, name="h_0"), 0
    for t, x in steps(np.ones(10)):
        h = tanh((stop_gradient(h) if t in (4, 8) else h) * W + x).named("h")
        loss = loss + h * h
    breaks = recurrence(grad(loss, W, create_graph=True)).breaks
    assert any(n.step == 3 and "operand 1 of" in reason for n, reason in breaks.items())
