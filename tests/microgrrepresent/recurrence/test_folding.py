"""Folding: every recurrence of the gallery becomes one cell, and unfolds to itself."""

import re

import numpy as np
import pytest

from microgrrepresent import (
    Graph,
    GraphError,
    Tensor,
    fold,
    grad,
    isomorphic,
    scope,
    sigmoid,
    step,
    steps,
    stop_gradient,
    tanh,
    unfold,
)
from microgrrepresent.recurrence import difference, recurrence
from tests.microgrrepresent.recurrences import (
    PROGRAMS,
    Parameters,
    plain,
    rnn,
    truncated,
    truncated_at_the_end,
    zero,
)


def inputs(T):
    return Tensor(np.random.default_rng(1).normal(size=(12, 3))[np.arange(T) % 12], name="X")


def run(name, T):
    return PROGRAMS[name](inputs(T), Parameters())


@pytest.mark.parametrize("T", [7, 8, 9])
@pytest.mark.parametrize("name", PROGRAMS)
def test_unfolding_gives_the_graph_back(name, T):
    graph = Graph(run(name, T))
    folded = fold(graph)
    assert difference(unfold(folded, T), graph) is None
    again = unfold(folded, T).outputs[0]
    assert np.array_equal(again.value, graph.outputs[0].value)


@pytest.mark.parametrize("T", [6, 13])
@pytest.mark.parametrize("name", PROGRAMS)
def test_another_number_of_steps_is_the_program_run_so_often(name, T):
    assert difference(unfold(fold(Graph(run(name, 9))), T), Graph(run(name, T))) is None


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_cell_does_not_grow_with_the_steps(name):
    few, many = (fold(Graph(run(name, T))) for T in (7, 13))
    assert len(few.cell) == len(many.cell)
    assert str(few).count("\n") == str(many).count("\n")


def with_gradient(name, T):
    p = Parameters()
    loss = PROGRAMS[name](inputs(T), p)
    return Graph(grad(loss, list(p.values()), create_graph=True))


UNEVEN = ("truncated", "truncated_by_detaching")
"""Every third step, a gradient has fewer terms."""


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name not in UNEVEN])
def test_a_gradient_folds_too(name):
    graph = with_gradient(name, 8)
    assert difference(unfold(fold(graph), 8), graph) is None


AFTER_THE_LOOP = [
    "inputs_projected_before",
    "losses_after_the_loop",
    "losses_after_the_loop_with_more",
]


@pytest.mark.parametrize("name", AFTER_THE_LOOP)
def test_the_gradient_of_what_knows_no_step_is_of_each_step_too(name):
    longer = unfold(fold(with_gradient(name, 9)), 11)
    assert difference(longer, with_gradient(name, 11)) is None


# --- cuts -----------------------------------------------------------------------------------------


def test_a_cut_is_no_break_of_the_pattern_and_has_a_name():
    folded = fold(Graph(truncated(inputs(9), Parameters())))
    (state,) = [delay for delay in folded.delays if delay.source.name == "h"]
    assert state.lag == 1 and state.cuts == (4, 7)
    assert "h[t-1] is cut every 3 steps (t = 4, 7)" in str(folded)
    assert str(folded).count("stop_gradient") == 0
    whole = fold(Graph(plain(inputs(9), Parameters())))
    assert not any(delay.cuts for delay in whole.delays)


def test_what_is_cut_stands_for_its_cuts():
    graph = Graph(truncated(inputs(9), Parameters()))
    cut = next(node for node in graph if node.op is stop_gradient)
    folded = fold(graph)
    assert folded.template(cut).name == "h" and folded.template(cut).op is tanh


def test_cuts_at_the_end_of_a_step():
    folded = fold(Graph(truncated_at_the_end(inputs(8), Parameters())))
    assert {delay.source.name: delay.cuts for delay in folded.delays} == {
        "h": (3, 5, 7),
        "c": (3, 5, 7),
    }


def uneven(T, at):
    p, h = Parameters(), zero()
    for t, x in steps(inputs(T)):
        h = rnn(x, stop_gradient(h) if t in at else h, p).named("h")
    return Graph(h.sum())


def test_cuts_without_a_period_fold_and_only_their_own_number_of_steps_is_known():
    graph = uneven(9, at=(3, 4, 8))
    folded = fold(graph)
    assert "is cut at t = 3, 4, 8" in str(folded)
    assert difference(unfold(folded, 9), graph) is None
    with pytest.raises(GraphError, match=r"cuts at t = 3, 4, 8 do not tell where the next"):
        unfold(folded, 10)


def test_a_state_is_cut_where_it_is_detached_whoever_else_stops_its_gradient():
    h, total = Tensor(np.zeros(3), name="h_0"), 0
    for t, x in steps(np.ones((9, 3))):
        h = tanh((h.detach() if t in (4, 7) else h) + x).named("h")
        total = total + (stop_gradient(h) * h).sum()
    (delay,) = (delay for delay in fold([h, total]).delays if delay.source.name == "h")
    assert delay.cuts == (4, 7)


def test_a_single_cut_tells_its_period_by_where_it_stands():
    folded = fold(uneven(6, at=(4,)))
    assert difference(unfold(folded, 10), uneven(10, at=(4, 7, 10))) is None


# --- after the loop -------------------------------------------------------------------------------


def test_terms_of_the_loss_made_after_the_loop_belong_to_their_steps():
    folded = fold(Graph(run("losses_after_the_loop", 8)))
    assert not folded.epilogue
    text = str(folded)
    assert text.count("mul h[t] h[t]") == 1 and text.count("sum") == 1


def of_the_last_steps(T, k):
    """A loss on the last k of T steps."""
    p, h, hs = Parameters(), zero(), []
    for _, x in steps(inputs(T)):
        h = rnn(x, h, p).named("h")
        hs.append(h)
    return sum(((h * h).sum() for h in hs[-k:]), 0.0), p


@pytest.mark.parametrize("k", [2, 3])
def test_what_is_made_of_the_last_steps_belongs_to_them_at_any_length(k):
    loss, p = of_the_last_steps(8, k)
    text = str(fold(loss))
    assert re.search(rf"mul h\[t\] h\[t\] +# t = {9 - k}..8", text)
    both = [loss, *grad(loss, [p["W"]], create_graph=True)]
    for graph, other in ((Graph(loss), 5), (Graph(loss), 12), (Graph(both), 12)):
        longer, q = of_the_last_steps(other, k)
        again = [longer, *grad(longer, [q["W"]], create_graph=True)][: len(graph.outputs)]
        assert difference(unfold(fold(graph), 8), graph) is None
        assert difference(unfold(fold(graph), other), Graph(again)) is None


def test_steps_that_are_treated_differently_after_the_loop_stay_outside():
    p, h, hs = Parameters(), zero(), []
    for _, x in steps(inputs(8)):
        h = rnn(x, h, p).named("h")
        hs.append(h)
    total = hs[0].sum()
    for t, h in enumerate(hs[1:], start=2):
        total = total + (h * (hs[0] if t % 2 else hs[3])).sum()
    graph = Graph(total)
    assert difference(unfold(fold(graph), 8), graph) is None


# --- breaks ---------------------------------------------------------------------------------------


def test_a_step_that_differs_is_named():
    p, h = Parameters(), zero()
    for t, x in steps(inputs(6)):
        h = rnn(x, h, p) if t != 4 else sigmoid(x @ p["U"] + h @ p["W"] + p["b"])
    with pytest.raises(GraphError, match=r"step 4 breaks the pattern: it has .*sigmoid"):
        fold(Graph(h.sum()))


def test_a_step_that_reads_another_state_is_named():
    p, hs = Parameters(), [zero()]
    for t, x in steps(inputs(6)):
        hs.append(rnn(x, hs[-1] if t != 4 else hs[1], p).named("h"))
    with pytest.raises(GraphError, match=r"step 4 breaks the pattern: operand 1 of .* is h_1"):
        fold(Graph(sum(h.sum() for h in hs)))


def test_names_that_differ_from_step_to_step_are_told():
    h = Tensor(0.5)
    for t in (1, 2, 3, 4):
        with step(t):
            h = tanh(h * 2).named(f"h{t}")
    with pytest.raises(GraphError, match="the names h1 and h3 differ: give a variable one name"):
        fold(h)


@pytest.mark.parametrize("given", [None, 3])
def test_what_is_no_graph_is_not_folded(given):
    with pytest.raises(GraphError, match="made from Tensors, its outputs, got "):
        fold(given)


def test_a_graph_is_folded_before_it_is_unfolded():
    h = Tensor(0.5, name="h_0")
    with pytest.raises(GraphError, match=r"unfold\(fold\(graph\), T\), got Graph"):
        unfold(Graph(h), 3)


def test_a_first_state_is_no_step():
    with step(0):
        h = Tensor(0.5, name="h")
    for t in (1, 2, 3):
        with step(t):
            h = tanh(h * 2).named("h")
    graph = Graph(h)
    assert graph.steps == (1, 2, 3)
    assert isomorphic(unfold(fold(graph), len(graph.steps)), graph)


# --- the numbers of steps, and numbers in an index ------------------------------------------------


def over(stamps):
    h = Tensor(0.5, name="h_0")
    for stamp in stamps:
        with step(stamp):
            h = tanh(h * 0.5).named("h")
    return Graph(h)


def test_evenly_spaced_steps_go_on_and_others_do_not_tell_how():
    longer = unfold(fold(over(range(1990, 2030, 10))), 6)
    assert difference(longer, over(range(1990, 2050, 10))) is None
    with pytest.raises(GraphError, match="not evenly spaced"):
        unfold(fold(over([1990, 2000, 2005, 2015])), 6)


INDICES = {
    "forward": lambda t, T: t - 1,
    "forward from the end": lambda t, T: t - 1 - T,
    "backward": lambda t, T: T - t,
    "backward from the end": lambda t, T: -t,
}


@pytest.mark.parametrize("T", [6, 11])
@pytest.mark.parametrize("kind", INDICES)
def test_an_index_counts_from_the_end_of_time_that_it_began_at(kind, T):
    def program(T):
        X, h = inputs(T), Tensor(np.zeros(3), name="h_0")
        for t in range(1, T + 1):
            with step(t):
                h = tanh(X[INDICES[kind](t, T)] + h).named("h")
        return Graph(h)

    assert difference(unfold(fold(program(8)), T), program(T)) is None


# --- what is no part of the cell ------------------------------------------------------------------


def test_a_loss_made_inside_of_the_last_step_comes_after_the_steps():
    h = Tensor(np.ones(3), name="h_0")
    for _, x in steps(np.ones((5, 3))):
        h = tanh(h + x).named("h")
    with step(5):
        loss = (h * h).sum().named("L")
    folded = fold(loss)
    assert loss in set(folded.epilogue) and folded.template(loss) is None
    assert {node.op.name for node in folded.cell if node.op} == {"add", "tanh"}


@pytest.mark.parametrize(("made", "given"), [(1, 0), (1, 2)])
def test_the_state_of_a_single_step_is_told_by_its_initial_value(made, given):
    with step(given):
        before = Tensor(np.ones(3), name="h")
    with step(made):
        h = tanh(before * 0.5).named("h")
    found = recurrence(h)
    assert found.states == {found.places[h][0]: made - given}
    assert found.initial[before].lag == made - given


def test_a_copy_that_the_same_step_reads_is_no_cut():
    p, h = Parameters(), zero()
    for _, x in steps(inputs(9)):
        h = rnn(x, h, p).named("h")
        h = (h * stop_gradient(h)).named("g")
    folded = fold(Graph(h))
    assert str(folded).count("stop_gradient h[t]") == 1 and "is cut" not in str(folded)
    assert difference(unfold(folded, 9), Graph(h)) is None


def test_a_state_may_be_cut_twice_for_two_readers():
    p, h = Parameters(), zero()
    for t, x in steps(inputs(9)):
        first, second = (stop_gradient(h), stop_gradient(h)) if t in (4, 7) else (h, h)
        h = rnn(x * second[:3], first, p).named("h")
    graph = Graph(h)
    assert difference(unfold(fold(graph), 9), graph) is None


def test_a_loop_that_reads_what_several_others_end_with_comes_after_all_of_them():
    ends = [Tensor(np.ones(3), name="h_0")]
    for i in range(8):
        h = sum(ends)
        with scope(f"loop{i}"):
            for t in (1, 2):
                with step(t):
                    h = tanh(h).named("h")
        ends.append(h)
    moments = recurrence(ends[-1]).moments
    assert moments.steps == (1, 2) * 8
    assert [moments.of[h] for h in ends[1:]] == [*range(2, 17, 2)]


def test_inputs_that_are_missing_begin_again_with_the_first():
    def run(rows):
        X, h = Tensor(rows, name="X"), Tensor(np.zeros(2), name="h_0")
        for t in range(1, len(rows) + 1):
            with step(t):
                h = tanh(h + X[t - 1]).named("h")
        return Graph(h)

    rows = np.arange(10.0).reshape(5, 2) / 10
    longer, right = unfold(fold(run(rows)), 8), run(rows[[0, 1, 2, 3, 4, 0, 1, 2]])
    np.testing.assert_array_equal(longer.outputs[0].value, right.outputs[0].value)


def test_the_listing_has_time_in_an_index():
    X, h = Tensor(np.ones((20, 3)), name="X"), Tensor(np.zeros(3), name="h_0")
    for t in range(2, 8):
        with step(t):
            h = tanh(h + X[t - 2] + X[t] + X[9 - t] + X[2 * t + 1] + X[0]).named("h")
    lines = str(fold(h)).splitlines()
    assert [line.partition(" = ")[2] for line in lines if "= X" in line] == [
        "X[t-2]", "X[t]", "X[-t+9]", "X[2t+1]", "X[0]"
    ]  # fmt: skip


def test_a_short_loop_is_stood_for_by_its_step_nearest_to_the_middle():
    h, ends = Tensor(np.ones(3), name="h_0"), []
    for name, T in (("short", 3), ("long", 9)):
        with scope(name):
            for t in range(1, T + 1):
                with step(t):
                    h = tanh(h * 0.5).named("h")
        ends.append(h)
    folded = fold(ends[-1])
    assert [folded.template(end).step for end in ends] == [3, 5]
