"""The line of code that made a node: which one, which part of it, and when it is noted."""

import threading

import numpy as np
import pytest

from microgrrepresent import Graph, Tensor, grad, scope, source_lines, step, steps, tanh
from microgrrepresent.source import MOST
from rnn import LSTMCell, unroll


def lines(nodes):
    return {node.name or node.op.name: node.line for node in nodes}


def test_a_node_knows_its_line_and_its_part_of_it():
    f, c, i, g = (Tensor(v, name=name) for v, name in zip((0.5, 1, 0.25, 2), "fcig", strict=True))
    with source_lines():
        new = (f * c + i * g).named("new")  # the line
    forgotten, written = new.parents
    for node, operation in ((new, "f * c + i * g"), (forgotten, "f * c"), (written, "i * g")):
        assert node.line.text == 'new = (f * c + i * g).named("new")  # the line'
        assert node.line.operation == operation
        assert node.line.file == __file__
        own = test_a_node_knows_its_line_and_its_part_of_it.__code__.co_firstlineno
        assert node.line.number == own + 3
    assert f.line is None
    assert new.line.where == (
        f"tests/microgrrepresent/test_source.py:{new.line.number}"
        " in test_a_node_knows_its_line_and_its_part_of_it"
    )


def test_nothing_is_noted_outside_of_the_block_or_in_another_thread():
    x = Tensor(2.0)
    others = []
    with source_lines():
        assert (x * x).line is not None
        thread = threading.Thread(target=lambda: others.append(x * x))
        thread.start()
        thread.join()
    assert others[0].line is None
    assert (x * x).line is None


def test_other_blocks_and_loops_keep_it():
    with source_lines(), scope("a"):
        with step(3):
            y = Tensor(1.0) + 1
        for _, x in steps([Tensor(1.0)]):
            z = x * 2
    assert (y.scope, y.step, y.line.operation) == ("a", 3, "Tensor(1.0) + 1")
    assert (z.step, z.line.operation) == (1, "x * 2")


def test_a_decorated_function_is_traced():
    @source_lines()
    def body(x):
        return tanh(x)

    assert body(Tensor(1.0)).line.where.endswith("a_decorated_function_is_traced.body")


def test_of_a_cell_it_is_the_equation():
    with source_lines():
        run = unroll(LSTMCell(2, 3, rng=0), np.ones((2, 2)))
    found = lines(Graph(run.state.h))
    assert found["c"].operation == "kept + i * g"
    assert found["c"].where.startswith("rnn/cells/lstm.py:")
    assert found["c"].where.endswith(" in LSTMCell.forward")


def test_an_operation_by_way_of_numpy_counts_for_the_line_that_calls_it():
    x = Tensor([1.0, 2.0])
    with source_lines():
        y = np.sum(np.exp(x))
    assert y.line.operation == "np.sum(np.exp(x))"
    assert y.parents[0].line.operation == "np.exp(x)"


def test_of_several_lines_all_are_shown_and_of_too_many_the_first():
    x = Tensor(1.0)
    with source_lines():
        long = (
            tanh(x) *
            tanh(2 * x)
        )  # fmt: skip
    assert long.line.text == "tanh(x) *\ntanh(2 * x)"
    assert long.parents[1].line.text == "tanh(2 * x)"
    code = "with source_lines():\n    y = (x +\n" + "\n" * MOST + "    1)\n"
    names = {"x": x, "source_lines": source_lines}
    exec(compile(code, __file__ + "x", "exec"), names)
    assert names["y"].line.number == 2
    assert names["y"].line.parts == ("", "", "")  # there is no such file


def test_letters_of_several_bytes_do_not_shift_the_part():
    ŷ, ε = Tensor(1.0), Tensor(2.0)
    with source_lines():
        σ = "σσσ", ŷ * ε, "…"
    assert σ[1].line.parts == ('σ = "σσσ", ', "ŷ * ε", ', "…"')


def test_a_gradient_that_is_recorded_is_of_the_line_that_asks_for_it():
    x = Tensor(2.0, requires_grad=True)
    y = x * x * x
    with source_lines():
        g = grad(y, x, create_graph=True)
    assert g.line.operation == "grad(y, x, create_graph=True)"


def test_a_line_looks_like_what_it_says():
    with source_lines():
        y = Tensor(1.0) + 1
    assert repr(y.line) == f"<Line {y.line.where}: Tensor(1.0) + 1>"
    with pytest.raises(AttributeError):
        y.line = None
