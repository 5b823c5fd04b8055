"""Two graphs are the same graph if they agree in all but the values, and in nothing less."""

import numpy as np
import pytest

from microgrrepresent import Graph, Tensor, grad, isomorphic, scope, sigmoid, step, tanh
from microgrrepresent.place import Place
from microgrrepresent.recurrence import difference
from microgrrepresent.scopes import at


def graph(**changed):
    """A small graph, with one thing changed."""
    it = {
        "function": tanh, "size": 3, "dtype": "float64", "scope": "cell", "step": 2, "name": "h",
        "index": (2, 0), "gradient": True, "turned": False, "twice": False, "start": 0,
    } | changed  # fmt: skip
    x = Tensor(np.ones((3, it["size"]), it["dtype"]), name="x")
    W = Tensor(np.ones((it["size"], 2), it["dtype"]), it["gradient"], "W")
    with scope(it["scope"]), step(it["step"]):
        u = x @ W
        h = it["function"](u).named(it["name"])
        v = h[np.array(it["index"]), it["start"] : 2]
        other = it["function"](u) if it["twice"] else h
        return Graph([v.sum(), (other - u if it["turned"] else u - other).sum()])


CHANGES = {
    "function": sigmoid, "size": 4, "dtype": "float32", "scope": "cell/inner", "step": 3,
    "name": "y", "index": (2, 1), "gradient": False, "turned": True, "twice": True, "start": 1,
}  # fmt: skip


def test_a_graph_is_isomorphic_to_itself_made_again():
    assert difference(graph(), graph()) is None


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_is_changed_the_graph_is_another_one(what):
    changed = graph(**{what: CHANGES[what]})
    assert not isomorphic(changed, graph()) and not isomorphic(graph(), changed)


def test_every_number_of_a_slice_counts():
    X = Tensor(np.arange(5.0), name="X")
    slices = [Graph(X[0:4:2]), Graph(X[0:4:3]), Graph(X[1:4:2]), Graph(X[0:3:2])]  # two each
    assert [isomorphic(slices[0], other) for other in slices] == [True, False, False, False]


def test_more_outputs_are_another_graph():
    whole = graph()
    assert difference(Graph(whole.outputs[:1]), whole) == "1 outputs and 2"


def test_whose_derivative_a_node_computes_counts():
    x = Tensor([0.5, 0.25], requires_grad=True, name="x")

    def both(first, second):
        a, b = tanh(x).named("a"), tanh(x).named("b")
        g = grad((a if first else b).sum(), x, create_graph=True)
        return Graph([g, a, b, (a if second else b).sum()])

    assert isomorphic(both(True, True), both(True, True))
    assert not isomorphic(both(True, True), both(False, True))


def test_of_which_node_a_gradient_is_belongs_to_the_graph():
    def made(which):
        x = Tensor(1.0, name="x")
        a, b = tanh(x), tanh(x)
        with at(Place("", None, (a, b)[which])):
            g = x * x
        return Graph([a, b, g])

    assert difference(made(0), made(0)) is None
    assert difference(made(0), made(1)) is not None
