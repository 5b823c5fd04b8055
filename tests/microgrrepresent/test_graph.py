"""Graphs: found, listed, replayed; labels of their nodes; what they keep alive."""

import doctest
import gc
import importlib
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrrepresent import (
    DTypeError,
    Graph,
    GraphError,
    ShapeError,
    StaleGraphError,
    Tensor,
    exp,
    flip,
    grad,
    relu,
    scope,
    sigmoid,
    step,
    tanh,
)
from tests.microgrrepresent.graphs import ids, parameter, same, unrolled

# --- the notes' example graphs --------------------------------------------------------------------


def test_g3_product_has_two_leaves_and_one_operation():
    x, y = Tensor(2.0, name="x"), Tensor(3.0, name="y")
    z = (x * y).named("z")
    graph = Graph(z)
    assert ids(graph) == ids([x, y, z]) and len(graph) == 3
    assert ids(graph.inputs) == ids([x, y]) and graph.parameters == ()
    assert ids(graph.outputs) == ids([z])
    assert graph.depth() == 1


def test_g4_unnamed_intermediates_are_u1_u2():
    x, w, b = Tensor([1.0, 2.0], name="x"), parameter([3.0, 4.0], "w"), parameter(0.5, "b")
    u1 = x @ w
    u2 = u1 + b
    y = sigmoid(u2).named("ŷ")
    graph = Graph(y)
    assert [graph.label(n) for n in graph] == ["x", "w", "b", "u(1)", "u(2)", "ŷ"]
    assert ids(graph.parameters) == ids([w, b]) and ids(graph.inputs) == ids([x])


def test_g5_relu_layer_lists_its_shapes():
    rng = np.random.default_rng(0)
    x, w = Tensor(rng.normal(size=(4, 3)), name="X"), parameter(rng.normal(size=(3, 2)), "W")
    b = parameter(np.zeros(2), "b")
    assert str(Graph(relu(x @ w + b).named("H"))).splitlines() == [
        "X: f64[4,3]              # input",
        "W: f64[3,2]              # parameter",
        "b: f64[2]                # parameter",
        "u(1): f64[4,2] = matmul X W",
        "u(2): f64[4,2] = add u(1) b",
        "H: f64[4,2] = relu u(2)  # output",
    ]


def test_g6_one_weight_has_two_uses():
    x, w = Tensor([1.0, 2.0], name="x"), parameter([3.0, 4.0], "w")
    y, penalty = (x @ w).named("ŷ"), 0.1 * (w**2).sum()
    graph = Graph([y, penalty])
    square = graph.find(op="pow")
    assert ids(graph.consumers(w)) == ids([y, *square])
    assert graph.consumers(penalty) == ()


def test_g8_g9_dynamical_system_applies_f_tau_minus_1_times_and_shares_theta():
    tau = 3
    theta, s = parameter(0.5, "θ"), Tensor(2.0, name="s")
    for t in range(2, tau + 1):
        with step(t):
            s = (theta * s).named("s")
    graph = Graph(s)
    assert len(graph.find(op="mul")) == tau - 1
    assert ids(graph.consumers(theta)) == ids(graph.find(op="mul"))
    assert ids(graph.parameters) == ids([theta])
    assert graph.steps == (2, 3)


@pytest.mark.parametrize("length", [1, 2, 7, 30])
def test_g11_depth_is_linear_in_the_steps(length):
    assert unrolled(length)[0].depth() == 3 * length + 1


def test_g12_an_edge_is_counted_for_each_use():
    a, b = Tensor(2.0, name="a"), Tensor(3.0, name="b")
    square, product = a * a, (a + b) * (b + 1)
    graph = Graph([square, product])
    assert ids(graph.consumers(a)) == ids([square, square, graph.find(op="add")[0]])
    assert len(graph.consumers(b)) == 2
    assert sum(len(graph.consumers(n)) for n in graph) == sum(len(n.parents) for n in graph)


# --- finding --------------------------------------------------------------------------------------


def test_find_takes_every_condition_together():
    graph, _, xs = unrolled(4)
    assert ids(graph.find(name="x")) == ids(xs)
    assert [n.step for n in graph.find(name="h")] == [1, 2, 3, 4]
    assert graph.find(name="h", step=3)[0].id < graph.find(name="h", step=4)[0].id
    assert ids(graph.find(op=tanh)) == ids(graph.find(op="tanh")) == ids(graph.find(name="h"))
    assert graph.find(op="tanh", scope="rnn", step=9) == []
    assert len(graph.find(scope="rnn")) == 12
    assert ids(graph.find()) == ids(graph)
    assert graph.steps == (1, 2, 3, 4)


def test_find_by_scope_takes_inner_scopes_but_no_mere_prefix():
    x = Tensor(1.0)
    with scope("encoder"):
        a = x + 1
        with scope("lstm"):
            b = a + 1
    with scope("encoder2"):
        c = b + 1
    graph = Graph(c)
    assert ids(n for n in graph.find(scope="encoder") if n.parents) == ids([a, b])
    assert ids(n for n in graph.find(scope="encoder/lstm") if n.parents) == ids([b])


def test_membership_and_index_are_by_identity_not_by_value():
    a, b = Tensor(1.0, name="a"), Tensor(1.0, name="b")
    graph = Graph(exp(a))
    assert a in graph and b not in graph
    assert [graph.index(n) for n in graph] == [0, 1]
    for ask in (graph.index, graph.label, graph.consumers):
        with pytest.raises(GraphError, match=r"b \(\) is not in the graph of u\(1\): no path"):
            ask(b)


def test_the_order_is_topological_for_several_outputs_and_a_repeated_one():
    graph, _, _ = unrolled(3)
    h1, h3 = graph.find(name="h", step=1)[0], graph.find(name="h", step=3)[0]
    both = Graph([h3, h1, h3])
    assert ids(both.outputs) == ids([h3, h1, h3])
    for node in both:
        assert all(both.index(p) < both.index(node) for p in node.parents)


@pytest.mark.parametrize(
    ("outputs", "message"),
    [([], "needs at least one output"), ([1.0], "made from Tensors, its outputs, got float")],
)
def test_a_graph_of_nothing_is_refused(outputs, message):
    with pytest.raises(GraphError, match=message):
        Graph(outputs)


# --- labels ---------------------------------------------------------------------------------------


def test_labels_carry_steps_and_where_needed_scopes():
    nodes = []
    for name in ("layer1", "layer2"):
        with scope(name), step(3):
            nodes.append(Tensor(1.0, name="h"))
            nodes.append(Tensor(1.0, name=name[-1]))
    total = sum(nodes[1:], nodes[0])
    graph = Graph(total)
    assert [graph.label(n) for n in nodes] == ["layer1/h_3", "1_3", "layer2/h_3", "2_3"]


def test_labels_are_unique_whatever_the_names():
    nodes = [Tensor(float(i), name=name) for i, name in enumerate(["a", "a", "a(2)", "u(1)", "a"])]
    total = nodes[0]
    for node in nodes[1:]:
        total = total + node
    found = list(map(Graph(total).label, Graph(total)))
    assert found[:5] == ["a", "a(2)", "a(2)(2)", "u(1)", "a(3)"]
    assert len(set(found)) == len(found) == 9


def test_leaves_without_a_name_are_numbered_by_kind():
    x, w = Tensor([1.0, 2.0]), parameter([1.0, 2.0])
    graph = Graph(x * w + np.ones(2))
    leaves = [graph.label(n) for n in graph if n.is_leaf]
    assert leaves == ["input(1)", "parameter(1)", "input(2)"]


def test_numbers_in_the_code_are_their_own_labels():
    x = Tensor(1.0, name="x")
    graph = Graph(2 * x + 0.5 + 2 * x)
    assert sorted(graph.label(n) for n in graph.find(op="constant")) == ["0.5", "2", "2"]
    assert str(graph).count("\n") == 4  # x and four results; the numbers have no lines


# --- the listing ----------------------------------------------------------------------------------


def test_listing_of_an_unrolled_net():
    graph, _, _ = unrolled(2)
    assert str(graph).splitlines() == [
        "W: f64[3,3]                                    # parameter",
        "x: f64[3]                                      # input",
        "x(2): f64[3]                                   # input",
        "h_0: f64[3]                                    # input",
        "u(1): f64[3] = matmul h_0 W                    # rnn, t=1",
        "u(2): f64[3] = add u(1) x                      # rnn, t=1",
        "h_1: f64[3] = tanh u(2)                        # rnn, t=1",
        "u(3): f64[3] = matmul h_1 W                    # rnn, t=2",
        "u(4): f64[3] = add u(3) x(2)                   # rnn, t=2",
        "h_2: f64[3] = tanh u(4)                        # rnn, t=2",
        "L: f64[] = sum[axis=(0,), keepdims=False] h_2  # output",
    ]


def test_listing_shows_indices_as_python_writes_them():
    x = Tensor(np.zeros((4, 5), np.float32), name="x")
    parts = [
        x[1],
        x[1:3, ::2],
        x[..., None],
        x[np.array([2, 0])],
        x[np.arange(4), np.arange(4)],
        x[np.array([0, 1, 2, 3, 3])],
        x[x.numpy() > 0],
        flip(x, (0, 1)),
    ]
    lines = [line.split("  ")[0].split(" = ")[1] for line in str(Graph(parts)).splitlines()[1:]]
    assert lines == [
        "x[1]",
        "x[1:3, ::2]",
        "x[..., None]",
        "x[[2, 0]]",
        "x[[0, 1, 2, 3], [0, 1, 2, 3]]",
        "x[i64[5]]",
        "x[bool[4,5]]",
        "flip[axis=(0, 1)] x",
    ]
    assert "x: f32[4,5]" in str(Graph(parts))


def test_listing_says_which_node_a_backward_node_belongs_to():
    x = parameter(2.0, "x")
    with scope("cell"), step(2):
        y = tanh(x).named("y")
    dx = grad(y, x, create_graph=True).named("dx")
    last = str(Graph([y, dx])).splitlines()[-1]
    assert last.endswith("# cell, t=2, backward of y_2, output")


# --- replay ---------------------------------------------------------------------------------------


def test_replay_gives_what_the_code_gives():
    graph, w, xs = unrolled(5)
    rng = np.random.default_rng(1)
    new = {node: rng.normal(size=node.shape) for node in [w, *xs]}
    before = {node: node.value.copy() for node in graph}
    results = graph.replay(new)
    h = np.zeros(3)
    for t, x in enumerate(xs, start=1):
        h = np.tanh(h @ new[w] + new[x])
        np.testing.assert_allclose(results[graph.find(name="h", step=t)[0]], h, rtol=1e-15)
    np.testing.assert_allclose(results[graph.outputs[0]], h.sum(), rtol=1e-14)
    assert ids(results) == ids(graph)
    for node in graph:
        np.testing.assert_array_equal(node.value, before[node])
    assert all(type(value) is np.ndarray for value in results.values())


def test_replay_without_new_values_gives_the_recorded_ones():
    graph, w, _ = unrolled(3)
    whole = Graph([*graph.outputs, grad(graph.outputs[0], w, create_graph=True)])
    results = whole.replay({})
    for node in whole:
        np.testing.assert_array_equal(results[node], node.value)


def test_replay_takes_a_complex_step():
    x, two = parameter([0.3, -1.2], "x"), parameter(np.float32(2), "two")
    y = (tanh(x) * two * 3).sum()
    graph = Graph(y)
    nudged = x.value.astype(complex)
    nudged[1] += 1e-30j
    derivative = graph.replay({x: nudged})[y].imag / 1e-30
    np.testing.assert_allclose(derivative, 6 * (1 - np.tanh(-1.2) ** 2), rtol=1e-15)
    assert graph.replay({two: 2 + 1j})[two].dtype == np.complex64


def test_replay_casts_to_the_leafs_type_and_copies():
    x = Tensor(np.ones(2, np.float32), name="x")
    y = x * 2
    given_value = np.array([1.0, 3.0])
    results = Graph(y).replay({x: given_value})
    assert results[x].dtype == results[y].dtype == np.float32
    given_value[:] = 7
    assert results[x].tolist() == [1, 3]
    assert Graph(y).replay({x: [1, 2]})[y].tolist() == [2, 4]
    assert Graph(y).replay({x: Tensor([5, 6])})[y].tolist() == [10, 12]


def test_replay_refuses_wrong_keys_and_values():
    x, other, k = Tensor([1.0, 2.0], name="x"), Tensor(1.0, name="other"), Tensor([0, 1], name="k")
    with scope("net"), step(2):
        y = (x[k] + 1).named("y")
    graph = Graph(y)
    one = graph.find(op="constant")[0]
    for key, message in [
        (y, r"replay: y_2 is the result of add in net at t=2, so its value follows"),
        (one, r"replay: 1 is the result of constant in net at t=2"),
        (other, r"replay: other \(\) is not in the graph of y_2"),
        ("x", "replay: the keys are leaves of the graph, the Tensors themselves, got str 'x'"),
    ]:
        with pytest.raises(GraphError, match=message):
            graph.replay({key: 0.0})
    with pytest.raises(ShapeError, match=r"replay: x has shape \(2,\), got \(3,\)"):
        graph.replay({x: [1.0, 2.0, 3.0]})
    with pytest.raises(DTypeError, match="replay: k holds int64, got float64"):
        graph.replay({k: [0.5, 1.0]})
    with pytest.raises(DTypeError, match="replay: k holds int64, got complex128"):
        graph.replay({k: [0.5j, 1.0]})
    with pytest.raises(
        IndexError, match=r"replay: take in net at t=2, which makes u\(1\): index 5"
    ):
        graph.replay({k: [0, 5]})


# --- stale graphs ---------------------------------------------------------------------------------


def test_a_leaf_assigned_after_recording_makes_the_graph_stale():
    w = parameter([1.0, 2.0], "W")
    with scope("cell"), step(4):
        y = exp(w)
    graph = Graph(y)
    w.assign([0.0, 0.0])
    message = r"W \(2,\) was given a new value by assign\(\) after .*\(exp in cell at t=4\)"
    with pytest.raises(StaleGraphError, match=message):
        Graph(y)
    with pytest.raises(StaleGraphError, match=message):
        graph.replay({})
    assert len(Graph(exp(w))) == 2  # a new recording is fresh


# --- size and freedom -----------------------------------------------------------------------------


def test_a_hundred_thousand_steps_and_no_recursion():
    w = parameter(0.9, "w")
    s = Tensor(1.0, name="s")
    for t in range(1, 100_001):
        with step(t):
            s = s * w
    graph = Graph(s)
    assert len(graph) == 100_002 and graph.depth() == 100_000 and len(graph.steps) == 100_000
    assert len(graph.consumers(w)) == 100_000
    assert graph.label(s) == "u(100000)"
    assert str(graph).count("\n") == 100_001
    assert float(graph.replay({w: 1.0, graph.inputs[0]: 3.0})[s]) == 3.0
    again = Graph.from_json(graph.to_json())
    assert float(again.outputs[0].value) == float(s.value) and again.depth() == 100_000


def test_a_graph_makes_no_reference_cycles():
    gc.collect()
    gc.disable()
    try:
        graph, w, _ = unrolled(3)
        whole = Graph([*graph.outputs, grad(graph.outputs[0], w, create_graph=True)])
        str(whole), whole.depth(), whole.consumers(w), whole.replay({}), whole.steps
        loaded = Graph.from_json(whole.to_json())
        alive = [weakref.ref(x) for x in (graph, whole, loaded, *whole, *loaded)]
        del graph, whole, loaded, w, _
        assert [ref for ref in alive if ref() is not None] == []
    finally:
        gc.enable()


# --- any graph ------------------------------------------------------------------------------------

UNARY = [tanh, sigmoid, exp, lambda a: -a, lambda a: a[::-1], lambda a: a.reshape(1, -1)[0]]
BINARY = [
    lambda a, b: a + b,
    lambda a, b: a * b,
    lambda a, b: a - 0.5 * b,
    lambda a, b: a * b.sum(),
]


@st.composite
def programs(draw):
    """A random program over vectors: run it on any two Tensors to get its outputs."""
    length = draw(st.integers(1, 25))
    moves = [
        (
            draw(st.sampled_from(UNARY + BINARY)),
            draw(st.integers(0, 10**6)),
            draw(st.integers(0, 10**6)),
            draw(st.sampled_from([None, "a", "h", "é"])),
            draw(st.sampled_from(["", "enc", "enc/cell"])),
            draw(st.sampled_from([None, 1, 2])),
        )
        for _ in range(length)
    ]
    n_outputs = draw(st.integers(1, 3))

    def run(x, w):
        found = [x, w]
        for f, i, j, name, place, t in moves:
            with scope(place) if place else step(t), step(t):
                a, b = found[i % len(found)], found[j % len(found)]
                found.append((f(a, b) if f in BINARY else f(a)).named(name))
        return found[-n_outputs:]

    return run


@given(programs(), st.integers(0, 5))
def test_any_graph(run, seed):
    rng = np.random.default_rng(seed)
    x, w = Tensor(rng.uniform(-0.1, 0.1, 3), name="x"), parameter(rng.uniform(-0.1, 0.1, 3), "w")
    with np.errstate(all="ignore"):
        graph = Graph(run(x, w))

        # the walk finds exactly what is behind the outputs, parents first, edges counted
        seen = set(graph.outputs)
        for node in reversed(list(graph)):
            assert node in seen
            seen.update(node.parents)
        assert len(seen) == len(graph)
        for node in graph:
            edges = [child for child in graph for parent in child.parents if parent is node]
            assert ids(graph.consumers(node)) == ids(edges)
        longest = {}
        for node in graph:
            longest[node] = max([longest[p] + 1 for p in node.parents] or [0])
        assert graph.depth() == max(longest.values())

        # labels are unique but for numbers; the listing has a line for each of the other nodes
        names = [graph.label(n) for n in graph if n.op is None or n.op.name != "constant"]
        assert len(set(names)) == len(names) == len(str(graph).splitlines())

        # saved and read back, nothing has changed
        again = Graph.from_json(graph.to_json())
        assert same(graph, again) and str(again) == str(graph)

        # replaying with new values is running the program on them
        new = {
            leaf: rng.uniform(-0.1, 0.1, 3) for leaf in graph if leaf.is_leaf and leaf.name in "xw"
        }
        results = graph.replay(new)
        expected = run(Tensor(new.get(x, x.value)), Tensor(new.get(w, w.value)))
        for output, fresh in zip(graph.outputs, expected, strict=True):
            np.testing.assert_array_equal(results[output], fresh.value)


@pytest.mark.parametrize("name", ["graph", "listing", "graph_json"])
def test_docstrings(name):
    module = importlib.import_module(f"microgrrepresent.{name}")
    assert doctest.testmod(module).failed == 0
