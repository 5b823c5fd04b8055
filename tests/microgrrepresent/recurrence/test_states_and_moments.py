"""What is told of a recurrence: its states, what they begin with, its sums, and when a node is."""

from __future__ import annotations

import numpy as np
import pytest

from microgrrepresent import Graph, Tensor, scope, sigmoid, stack, step, steps, tanh
from microgrrepresent.recurrence import recurrence

T = 6
INPUTS = np.linspace(-1.0, 1.0, 3 * T).reshape(T, 3)


def start(name="h_0"):
    return Tensor(np.zeros(3), name=name)


def loop(where, inputs, h, stamps=range(1, T + 1)):
    """States of a loop in a scope, by step."""
    found = {}
    for t, x in zip(stamps, inputs, strict=True):
        with scope(where), step(t):
            found[t] = h = tanh(h + x).named("h")
    return found


def test_states_begin_with_what_stands_before_the_first_step():
    h_0 = start()
    hs = loop("rnn", INPUTS, h_0)
    found = recurrence(hs[T])
    assert found.states == {found.places[hs[1]][0]: 1}
    assert {node: (s.state, s.lag) for node, s in found.initial.items()} == {
        h_0: (found.places[hs[1]][0], 1)
    }
    assert found.initial[h_0].reader is hs[1].parents[0]


def test_what_is_read_two_steps_later_begins_nothing():
    a, b = start("a"), start("b")
    hs = [a, b]
    for _, x in steps(INPUTS):
        hs.append(tanh(hs[-1] * hs[-2] + x).named("h"))
    found = recurrence(hs[-1])
    assert set(found.states.values()) == {1} and found.initial.keys() == {b}


@pytest.mark.parametrize("reverse", [False, True])
def test_a_state_of_one_step_is_known_by_the_name_of_its_start_in_its_scope(reverse):
    at = {"layer1": start("h"), "layer2": start("h")}
    if reverse:
        for name in at:
            with step(2):
                at[name] = start("h")
    made, y = {}, Tensor(INPUTS[0], name="x")
    for name, h in at.items():
        with scope(name), step(1):
            made[name] = y = tanh(h + y).named("h")
    found = recurrence(y)
    assert found.states == {found.places[h][0]: -1 if reverse else 1 for h in made.values()}
    for name, h in at.items():
        assert found.initial[h].state == found.places[made[name]][0]
        assert found.initial[h].reader.scope == name


@pytest.mark.parametrize(("first", "then"), [(T, 1), (1, T), (1, 1)])
def test_of_two_loops_one_after_the_other_each_may_have_a_single_step(first, then):
    """The state of the second one begins with a copy of the state of the same name."""
    read = loop("encoder", INPUTS[:first], start("h"), range(1, first + 1))
    C = stack([read[first]])[0].named("C")
    written = loop("decoder", INPUTS[:then], C, range(1, then + 1))
    found = recurrence(written[then])
    assert found.moments.steps == (*read, *written)
    for hs in (read, written):
        assert [found.strand(h) for h in hs.values()] == [found.strand(hs[1])] * len(hs)
        assert found.states[found.places[hs[1]][0]] == 1
    assert found.initial[C].state == found.places[written[1]][0]
    assert found.initial[C].reader is written[1].parents[0]


def test_a_result_of_the_last_step_is_no_loop_of_one_step():
    hs = loop("rnn", INPUTS, start())
    with scope("head"), step(T):
        y = tanh(hs[T]).named("y")
    found = recurrence(y)
    assert found.moments.steps == tuple(range(1, T + 1)) and found.moments.of[y] == T
    assert found.strand(y) is None


def test_a_bias_made_in_the_only_step_is_no_state():
    b_ih, b_hh, b = (Tensor(np.ones(3), True, name) for name in ("b_ih", "b_hh", "b"))
    h_0 = start("h")
    with step(1):
        h = tanh(h_0 + (b_ih + b_hh).named("b")).named("h")
        y = (h + b).named("y")
    found = recurrence(y)
    assert found.states == {found.places[h][0]: 1}


def test_where_the_pattern_is_broken_the_other_state_passes_too():
    h, odd = start(), None
    for t, x in steps(INPUTS):
        h = (sigmoid if t == 4 else tanh)(h + x).named("h")
        odd = h if t == 4 else odd
    found = recurrence(h)
    assert found.breaks and found.states[found.places[odd][0]] == 1


@pytest.mark.parametrize("name", [None, "L"])
def test_a_sum_over_the_steps_is_a_total_unless_it_has_a_name(name):
    h, total = start(), None
    sums = []
    for _, x in steps(INPUTS):
        h = tanh(h + x).named("h")
        part = h.sum()
        total = part if total is None else total + part
        if name and total is not part:
            total.named(name)
        sums.append(total)
    totals = recurrence(Graph(total)).totals
    assert set(sums[1:]) & totals == (set() if name else set(sums[1:]))
    assert h not in totals


def test_a_loop_that_needs_the_end_of_another_comes_after_it():
    encoder = loop("encoder", INPUTS, start())
    decoder = loop("decoder", INPUTS, encoder[T])
    found = recurrence(decoder[T]).moments
    assert [found.of[h] for h in encoder.values()] == [*range(1, T + 1)]
    assert [found.of[h] for h in decoder.values()] == [*range(T + 1, 2 * T + 1)]
    assert found.steps == (*range(1, T + 1), *range(1, T + 1))


def test_a_loop_that_reads_another_at_its_own_step_runs_beside_it():
    lower = loop("lower", INPUTS, start())
    upper = loop("upper", [*lower.values()], start())
    found = recurrence(upper[T]).moments
    assert [found.of[h] for h in upper.values()] == [*lower] and found.steps == (*lower,)


def test_a_loop_over_rows_of_what_another_made_runs_beside_it():
    lower = loop("lower", INPUTS, start())
    rows = stack(list(lower.values()))
    upper, h = {}, start()
    for t in lower:
        with scope("upper"), step(t):
            upper[t] = h = tanh(h + rows[t - 1]).named("h")
    found = recurrence(upper[T]).moments
    assert [found.of[h] for h in upper.values()] == [*lower] and found.steps == (*lower,)


def test_what_is_made_of_the_last_state_comes_after_and_with_its_own_numbers():
    hs = loop("rnn", INPUTS, start())
    offset = Tensor(np.ones(3), name="offset")
    L = (hs[T] * (offset * 2.0)).sum()
    found = recurrence(L)
    assert {found.moments.of[node] for node in (L, L.parents[0], offset)} == {T + 1}
    assert found.after == {L, L.parents[0]}


def test_an_input_stands_at_its_step_and_a_parameter_of_each_step_before_all():
    h, xs, ws = start(), {}, {}
    for t, row in steps(INPUTS):
        ws[t] = Tensor(np.eye(3), requires_grad=True, name="W")
        xs[t] = Tensor(row, name="x")
        h = tanh(h @ ws[t] + xs[t]).named("h")
    found = recurrence(h)
    assert [found.moments.of[x] for x in xs.values()] == [*xs]
    outside = [Tensor(np.eye(3), requires_grad=True, name="W") for _ in INPUTS]
    h = start()
    for W, (_, x) in zip(outside, steps(INPUTS), strict=True):
        h = tanh(h @ W + x).named("h")
    of = recurrence(h).moments.of
    assert {of[W] for W in outside} == {0}


def test_a_weight_is_shared_and_a_memory_that_several_steps_read():
    W, encoder = Tensor(np.eye(3), requires_grad=True, name="W"), loop("encoder", INPUTS, start())
    memory, turned = stack(list(encoder.values())), W.T
    h = encoder[T]
    for _ in steps(INPUTS):
        with scope("decoder"):
            h = tanh(h @ turned + (memory @ h).sum()).named("h")
    shared = recurrence(h).shared
    assert {memory, turned} <= shared and not shared & {*encoder.values()}


def test_inputs_and_starts_stand_with_the_loop_that_reads_them_first():
    with step(1):
        z = start("z")
    rows = [Tensor(row, name="x") for row in INPUTS]
    encoder = loop("encoder", INPUTS, z)
    with scope("decoder"), step(1):
        s = tanh(encoder[T] * z)
    decoder = loop("decoder", rows, s)
    found = recurrence(decoder[T]).moments
    assert found.of[z] == 1
    assert [found.of[x] for x in rows] == [*range(T + 1, 2 * T + 1)]


def test_loops_that_look_ahead_at_each_other_run_side_by_side():
    a = loop("a", INPUTS, start())
    b = loop("b", [a[min(t + 1, T)] for t in a], start())
    c = loop("a", [b[min(t + 1, T)] for t in b], start())
    found = recurrence(c[T]).moments
    for t in a:
        assert found.of[a[t]] == found.of[b[t]] == found.of[c[t]] == t


def test_what_a_sum_begins_with_stands_beside_it_unless_others_read_it():
    hs = loop("rnn", INPUTS, start())
    for more in (False, True):
        zero = Tensor(0.0, name="zero")
        total = zero
        for h in hs.values():
            total = total + h.sum()
        L = total * zero if more else total * total
        assert recurrence(L).moments.of[zero] == (0 if more else 1)


def test_an_input_of_the_step_before_is_no_total():
    rows = [Tensor(row, name="x") for row in INPUTS]
    hs = loop("rnn", rows, start())
    errors = [h - rows[t - 2] for t, h in hs.items() if t > 1]  # step t reads rows[t - 1]
    L = sum((e * e).sum() for e in errors)
    assert not recurrence(L).totals & {*rows, *errors}


def test_in_one_step_a_parameter_is_shared_and_an_input_is_not():
    W, h_0, x = Tensor(np.eye(3), requires_grad=True, name="W"), start(), Tensor(INPUTS[0])
    with step(1):
        h = tanh(h_0 @ W + x)
    assert recurrence(h).shared == {W}


@pytest.mark.parametrize("name", ["h", "h_0"])
def test_a_layer_of_which_one_step_is_used_is_a_loop(name):
    """It is told by the name of what it reads, which is that of what it makes."""
    lower = loop("net/lower", INPUTS, start())
    with scope("net/upper"):
        before = start(name)
    upper = loop("net/upper", [lower[T]], before, [T])
    found = recurrence(upper[T])
    assert (before in found.initial) == (name == "h")
    if name == "h":
        k, _ = found.places[upper[T]]
        assert found.states[k] == 1 and found.initial[before].state == k
