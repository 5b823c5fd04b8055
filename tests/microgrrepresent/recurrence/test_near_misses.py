"""Near misses: loops that are a recurrence but for one small thing, and those that just are one.

Each one is told from a recurrence by one condition only: nothing else about it is irregular.
"""

from __future__ import annotations

import numpy as np
import pytest

from microgrrepresent import (
    Graph,
    GraphError,
    Tensor,
    fold,
    grad,
    scope,
    sigmoid,
    step,
    steps,
    stop_gradient,
    tanh,
    unfold,
)
from microgrrepresent.recurrence import difference, recurrence

INPUTS = np.linspace(-1.0, 1.0, 27).reshape(9, 3)


def states(inputs=INPUTS, T=9):
    """The states of the plainest loop: h_t = tanh(h_{t-1} + x_t)."""
    h = Tensor(np.zeros(3), name="h_0")
    found = []
    for _, x in steps(inputs[:T]):
        h = tanh(h + x).named("h")
        found.append(h)
    return found


def assert_refused(outputs, reason="breaks the pattern"):
    with pytest.raises(GraphError, match=reason):
        fold(outputs)
    assert recurrence(outputs).breaks


def assert_folds(outputs):
    graph = Graph(outputs)
    folded = fold(graph)
    assert difference(unfold(folded, len(folded.steps)), graph) is None
    return folded


# --- what the steps do ----------------------------------------------------------------------------


@pytest.mark.parametrize("odd", [None, 5])
def test_a_number_that_is_no_index_does_not_grow_with_time(odd):
    square, h = Tensor(np.arange(9.0).reshape(3, 3), name="A"), Tensor(np.zeros(3), name="h_0")
    for t, x in steps(INPUTS):
        h = tanh(h + x + square.sum(axis=1 if t == odd else 0)).named("h")
    if odd is None:
        assert_folds(h)
    else:
        assert_refused(h)


@pytest.mark.parametrize("odd", [None, 5])
def test_a_mask_is_not_an_index_of_the_same_bytes(odd):
    pair, h = Tensor(np.eye(2), name="A"), Tensor(np.zeros((2, 2)), name="h_0")
    for t, _ in steps(INPUTS):
        rows = np.ones(2, np.int8 if t == odd else bool)  # row 1 twice, and both rows
        h = tanh(h + pair[rows]).named("h")
    if odd is None:
        assert_folds(h)
    else:
        assert_refused(h)


# --- what the steps read --------------------------------------------------------------------------


def test_another_state_of_the_same_variable_is_no_initial_value():
    def delayed(at_2):
        hs = [Tensor(np.zeros(3), name="h_0")]
        for t, x in steps(INPUTS):
            hs.append(tanh(hs[-1] + hs[at_2 if t == 2 else max(t - 2, 0)] + x).named("h"))
        return hs[-1]

    assert_folds(delayed(0))
    assert_refused(delayed(1))


@pytest.mark.parametrize("read", [lambda t: 2 * t, lambda t: 8 - t])
def test_one_loop_reads_another_at_one_lag(read):
    with scope("encoder"):
        hs = states()
    s = Tensor(np.zeros(3), name="s_0")
    for t, _ in steps(range(4)):
        with scope("decoder"):
            s = tanh(s * hs[read(t)]).named("s")
    assert_refused(s)


def test_a_loop_over_the_features_of_another_in_reverse_is_refused():
    def summed(read):
        features = [tanh(x).named("e") for _, x in steps([Tensor(x, name="x") for x in INPUTS])]
        s = Tensor(np.zeros(3), name="s_0")
        for t, _ in steps(range(9)):
            s = sigmoid(s * features[read(t)]).named("s")
        return s

    assert_folds(summed(lambda t: t - 1))
    assert_refused(summed(lambda t: 9 - t), "operand 2 of .* is e_8, where step 1 reads e_9")


@pytest.mark.parametrize("odd", [None, 2, 5, 8])
def test_terms_of_a_gradient_add_up_in_one_order(odd):
    W, h, total = Tensor(np.eye(3), requires_grad=True, name="W"), Tensor(np.zeros(3)), 0
    for t, x in steps(INPUTS):
        h, parts = tanh(h @ W + x).named("h"), {}
        for head in "ba" if t == odd else "ab":
            with scope(head):
                parts[head] = (h * h if head == "a" else sigmoid(h)).sum()
        total = total + parts["a"] + parts["b"]
    assert_folds(total)  # which head comes first, no operation of the forward pass tells
    both = [total, grad(total, W, create_graph=True)]
    if odd is None:
        assert_folds(both)
    else:
        assert_refused(both, f"step {odd} breaks the pattern: operand 1 of ")


def test_what_one_step_reads_may_turn_out_to_be_an_input():
    V, h = Tensor(np.eye(3), requires_grad=True, name="V"), None
    for _, x in steps([Tensor(row, name="x") for row in INPUTS]):
        start = x @ V if h is None else h
        h = tanh(start + x).named("h")
    graph = Graph(h)
    folded = assert_folds(graph)
    (product,) = (node for node in graph if node.op is not None and node.op.name == "matmul")
    x = folded.template(product.parents[0])
    assert x in folded.cell and folded.reads(product) == ((x, 0), (V, 0))


def test_cuts_of_one_state_are_made_at_one_lag():
    def cut(at_the_end, at_the_beginning):
        h = Tensor(np.zeros(3), name="h_0")
        for t, x in steps(INPUTS):
            h = stop_gradient(h) if t == at_the_beginning else h
            h = tanh(h + x).named("h")
            h = stop_gradient(h) if t == at_the_end else h
        return h

    assert_folds(cut(3, None))
    assert_folds(cut(None, 7))
    assert_refused(cut(3, 7), "the other steps read another cut")


# --- which steps have a variable ------------------------------------------------------------------


def test_a_variable_has_a_node_at_every_step_from_its_first_to_its_last():
    def outputs(*at):
        hs = states()
        with scope("head"):
            ys = {}
            for t in at:
                with step(t):
                    ys[t] = (hs[t - 1] * 2.0).named("y")
        return [hs[-1], *ys.values()]

    assert_folds(outputs(*range(1, 10)))
    assert_refused(outputs(*range(1, 5), *range(6, 10)), "step 4 has no counterpart in step 5")
    assert_refused(outputs(1, 9), "step 1 has no counterpart in step 2")


def test_a_variable_of_the_midst_alone_is_refused_whoever_reads_it():
    def outputs(first, last):
        h, ys = Tensor(np.zeros(3), name="h_0"), []
        for t, x in steps(INPUTS):
            h = tanh(h + x).named("h")
            if first <= t <= last:
                ys.append((h * 2.0).named("y"))
        return [h, *ys]

    for first, last in ((1, 9), (1, 4), (6, 9)):
        assert_folds(outputs(first, last))
    assert_refused(outputs(4, 6), "step 4 has no counterpart in step 3")


def test_a_variable_that_begins_late_or_ends_early_stays_at_its_end_of_time():
    def run(T, late):
        h, z = Tensor(np.zeros(3), name="h_0"), Tensor(np.ones(3), name="z_0")
        for t, x in steps(Tensor(np.ones((T, 3)), name="X")):
            h = tanh(h + x).named("h")
            if t > T - 3 if late else t <= 3:
                with scope("few"):
                    z = sigmoid(z * h).named("z")
        return Graph([h, z])

    for late in (True, False):
        assert difference(unfold(fold(run(9, late)), 12), run(12, late)) is None


def test_of_two_steps_the_output_may_have_a_name_of_its_own():
    h = states(T=2)[-1].named("y")
    folded = assert_folds(h)
    assert [node.name for node in folded.instances(h).values()] == ["h", "y"]


def test_a_state_made_at_step_0_in_another_way_is_an_initial_value():
    W, s = Tensor(np.eye(3), requires_grad=True, name="W"), Tensor(np.ones(3), name="s")
    with step(0):
        h = sigmoid(s @ W).named("h")
    for _, x in steps(INPUTS):
        h = tanh(h @ W + x * 0.5).named("h")
    folded = assert_folds(h)
    assert folded.steps == tuple(range(1, 10))


def test_a_step_0_that_has_the_smaller_half_of_a_step_is_an_initial_value():
    W, s = Tensor(np.eye(3), requires_grad=True, name="W"), Tensor(np.ones(3), name="s")
    with step(0):
        h = sigmoid((s @ W) * 0.5).named("h")
    for _, x in steps(INPUTS):
        h = tanh(sigmoid((h @ W) * 0.5 + x * x)).named("h")
    assert assert_folds(h).steps == tuple(range(1, 10))


def test_a_step_0_that_differs_in_one_operation_is_a_step_and_refused():
    W, h = Tensor(np.eye(3), requires_grad=True, name="W"), Tensor(np.zeros(3), name="h_0")
    for t, x in steps(Tensor(INPUTS), start=0):
        u = h @ W + x * 0.5
        h = (sigmoid(u) if t == 0 else tanh(u)).named("h")
    assert_refused(h, "step 0 breaks the pattern: it has .*sigmoid")


# --- after the loop -------------------------------------------------------------------------------


def test_each_of_several_nodes_of_a_kind_after_the_loop_is_a_variable():
    hs = states()
    folded = assert_folds(sum((h * 2.0).sum() + (h * 3.0).sum() for h in hs))
    assert not folded.epilogue


# --- steps with numbers of their own --------------------------------------------------------------


def test_years_go_on_where_they_are_evenly_spaced():
    def run(years):
        h = Tensor(0.5, name="h_0")
        for year in years:
            with step(year):
                h = tanh(h * 0.5).named("h")
        return Graph(h)

    longer = unfold(fold(run([1990, 2000, 2010])), 5)
    assert difference(longer, run([1990, 2000, 2010, 2020, 2030])) is None
    with pytest.raises(GraphError, match="1990, 2000, 2015 are not evenly spaced"):
        unfold(fold(run([1990, 2000, 2015])), 5)
