"""Properties of folding and unfolding, over random recurrences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrrepresent import GraphError, fold, grad, unfold
from microgrrepresent.graph import Graph
from microgrrepresent.recurrence import difference, recurrence
from tests.microgrrepresent.recurrence.random_recurrences import broken_programs, programs, run

T = 9


@given(programs())
def test_a_recurrence_unfolds_to_itself(program):
    graph = run(program, T)
    assert difference(unfold(fold(graph), T), graph) is None


@given(programs(), st.integers(8, 14))
def test_another_number_of_steps_is_the_program_run_so_often(program, other):
    assert difference(unfold(fold(run(program, T)), other), run(program, other)) is None


@given(broken_programs(T))
def test_what_is_irregular_is_refused_and_the_reason_kept(both):
    program, broken = both
    graph = run(program, T, broken)
    if difference(graph, run(program, T)) is None:
        return  # the irregular thing happens to be the regular one
    if len(graph.steps) < T:
        return  # a whole step is left out, and the others are a recurrence or not
    with pytest.raises(GraphError, match="breaks the pattern"):
        fold(graph)
    assert recurrence(graph).breaks


@given(programs())
def test_the_lags_of_the_cell_are_those_of_the_program(program):
    folded = fold(run(program, T))
    found = {(delay.source.name, abs(delay.lag)) for delay in folded.delays if delay.source.name}
    meant = {
        (f"h{term.source}", term.lag)
        for state in program.states
        for term in state.terms
        if term.source >= 0 and term.lag and program.states[term.source].is_named
    }
    assert found == meant
    sign = -1 if program.reverse else 1
    assert all(delay.lag * sign > 0 for delay in folded.delays if delay.source.name)


@given(programs())
def test_a_gradient_unfolds_to_itself(program):
    graph = run(program, T)
    loss = sum(output.sum() for output in graph.outputs)
    if not graph.parameters:
        return
    both = Graph(grad(loss, list(graph.parameters), create_graph=True))
    try:
        folded = fold(both)
    except GraphError as error:  # where gradients add up unevenly at the ends
        assert "breaks the pattern" in str(error) and recurrence(both).breaks
        return
    assert difference(unfold(folded, T), both) is None


@given(programs())
def test_a_recurrence_has_no_breaks(program):
    assert not recurrence(run(program, T)).breaks
