import doctest
import gc
import importlib
import json
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
    graph_json,
    primitive,
    relu,
    scope,
    sigmoid,
    step,
    steps,
    stop_gradient,
    tanh,
)


def parameter(data, name=None):
    return Tensor(data, requires_grad=True, name=name)


def ids(nodes):
    """Nodes compare elementwise, by value; their ids compare by identity."""
    return [node.id for node in nodes]


def unrolled(length, size=3):
    """A plain recurrent net, T steps: the graph, its parameters and its inputs."""
    rng = np.random.default_rng(0)
    w = parameter(rng.normal(size=(size, size)), "W")
    xs = [Tensor(rng.normal(size=size), name="x") for _ in range(length)]
    h = Tensor(np.zeros(size), name="h_0")
    for _, x in steps(xs):
        with scope("rnn"):
            h = tanh(h @ w + x).named("h")
    return Graph(h.sum().named("L")), w, xs


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


# --- JSON -----------------------------------------------------------------------------------------


def same(a, b):
    """Two graphs that agree in every field of every node, arrays to the sign of zero."""
    assert len(a) == len(b)
    assert [a.index(o) for o in a.outputs] == [b.index(o) for o in b.outputs]
    for m, n in zip(a, b, strict=True):
        assert m.op is n.op and m.name == n.name and m.requires_grad == n.requires_grad
        assert (m.scope, m.step) == (n.scope, n.step)
        assert [a.index(p) for p in m.parents] == [b.index(p) for p in n.parents]
        inside = m.forward is not None and m.forward in a
        assert (n.forward is not None) == inside
        if inside:
            assert a.index(m.forward) == b.index(n.forward)
        assert m.dtype == n.dtype and m.shape == n.shape
        np.testing.assert_array_equal(m.value, n.value)
        signs = [np.signbit(v.real) & ~np.isnan(v) for v in (m.value, n.value)]
        assert np.array_equal(*signs)
        assert not n.value.flags.writeable
        assert repr(m.params) == repr(n.params)
    return True


def test_round_trip_of_a_net_and_its_symbolic_gradient():
    graph, w, _ = unrolled(3)
    dw = grad(graph.outputs[0], w, create_graph=True)
    whole = Graph([*graph.outputs, dw])
    assert any(n.forward is not None for n in whole)
    again = Graph.from_json(whole.to_json())
    assert same(whole, again)
    assert again.to_json() == whole.to_json()
    np.testing.assert_array_equal(
        grad(again.outputs[0], again.find(name="W")[0]), grad(graph.outputs[0], w)
    )


@pytest.mark.parametrize(
    "value",
    [
        np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324, 0.1, 1e308]),
        np.array([0.1, np.nan, 65504.0], np.float16),
        np.array([0.1, 1e-45, np.inf], np.float32),
        np.array([0.1 + 0.2j, complex(np.nan, -np.inf)]),
        np.array([0.1 - 1j], np.complex64),
        np.array([np.longdouble(1) / 3, np.longdouble("nan")], np.longdouble),
        np.array([2**64 - 1], np.uint64),
        np.array([-(2**63)], np.int64),
        np.array([True, False]),
        np.zeros((0, 3)),
        np.array(1.5),
        np.arange(6.0).reshape(2, 3).T,
    ],
    ids=lambda v: f"{v.dtype}{list(v.shape)}",
)
def test_round_trip_keeps_every_bit_of_a_value(value):
    graph = Graph(Tensor(value, name="x"))
    text = graph.to_json()
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    again = Graph.from_json(text)
    assert again.outputs[0].dtype == value.dtype
    np.testing.assert_array_equal(again.outputs[0].value, value)
    assert np.array_equal(np.signbit(again.outputs[0].value.real), np.signbit(value.real))


def test_round_trip_keeps_every_kind_of_static_argument():
    x = Tensor(1 + np.arange(24.0).reshape(2, 3, 4), name="x")
    outputs = [
        x[1],
        x[..., 1],
        x[:, None, ::-1],
        x[np.array([1, 1, 0])],
        x[x > 3],
        x[np.int64(1), np.array([0, 2])],
        x.sum((0, 2), keepdims=True),
        x * float("inf") + float("nan"),
        x * 2j,
        x.astype(np.float32),
        x.reshape(4, -1),
        flip(x),
        x.clip(None, 2.5),
    ]
    graph = Graph(outputs)
    again = Graph.from_json(graph.to_json(indent=1))
    assert same(graph, again)
    replayed = again.replay({again.find(name="x")[0]: x.value})  # the arguments still work
    for before, after in zip(graph.outputs, again.outputs, strict=True):
        np.testing.assert_array_equal(replayed[after], before.value)


_strange = primitive("strange", lambda x, how: x + 1, (None,))


@pytest.mark.parametrize(
    "argument",
    [
        np.arange(3),
        (1, [2, (None, ...)], {"a": slice(1, None)}),
        np.float32(0.1),
        np.dtype("int8"),
        float("-inf"),
        1 + 2j,
        "text",
        True,
    ],
    ids=repr,
)
def test_round_trip_of_a_primitives_own_static_arguments(argument):
    node = _strange(Tensor(1.0), how=argument)
    again = Graph.from_json(Graph(node).to_json()).outputs[0]
    assert repr(again.params["how"]) == repr(argument)
    assert type(again.params["how"]) is type(argument)


def test_what_cannot_be_saved_is_refused():
    node = _strange(Tensor(1.0), how=object())
    with pytest.raises(GraphError, match="a static argument of type object cannot be saved"):
        Graph(node).to_json()


def test_a_forward_node_outside_the_graph_is_left_out():
    x = parameter(2.0, "x")
    dx = grad(exp(x), x, create_graph=True)
    outside = Graph(dx).find(op="mul")[0]
    assert outside.forward in Graph(dx)  # exp's derivative is exp itself
    dx = grad(stop_gradient(x) * x, x, create_graph=True)
    assert dx.forward not in Graph(dx)
    assert Graph.from_json(Graph(dx).to_json()).outputs[0].forward is None


SAVED = json.loads(Graph(tanh(Tensor([1.0, 2.0], name="x"))).to_json())


def changed(**fields):
    """The saved graph of tanh(x), with other fields in its last node."""
    nodes = [dict(node) for node in SAVED["nodes"]]
    nodes[-1] |= fields
    return json.dumps({**SAVED, "nodes": nodes})


def signed(graph):
    """The graph with the checksum of its content."""
    return json.dumps(
        {
            **graph,
            "sha256": graph_json._checksum({"nodes": graph["nodes"], "outputs": graph["outputs"]}),
        }
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not a saved graph, because it is not JSON"),
        ("[1]", "not a saved graph: its \"format\" should be 'microgrrepresent graph 1'"),
        ('{"format": "onnx"}', "got 'onnx'"),
        (json.dumps({**SAVED, "nodes": None}), '"outputs" should name earlier nodes'),
        (json.dumps({**SAVED, "outputs": [7]}), "by positions 0 to 1, got 7"),
        (json.dumps({**SAVED, "outputs": 1}), '"outputs" should be a list of positions'),
        (signed({**SAVED, "outputs": []}), "at least one output"),
        (json.dumps({**SAVED, "outputs": [0]}), "damaged or edited after it was written"),
        (json.dumps({k: SAVED[k] for k in SAVED if k != "sha256"}), "damaged or edited"),
        (changed(name="y"), "damaged or edited"),
        (changed(op="exp"), "damaged or edited"),
        (json.dumps({**SAVED, "nodes": [3]}), "node 0 cannot be read"),
        (changed(op="thin"), "node 1: made by the operation 'thin', which this program does not"),
        (changed(parents=[1]), 'node 1: "parents" should name earlier nodes.*got 1'),
        (changed(parents=[-1]), "got -1"),
        (changed(parents=[True]), "got True"),
        (changed(parents=[0, 0]), "tanh takes 1 inputs, got 2 parents"),
        (changed(value=None), "node 1 cannot be read"),
        (changed(value={"dtype": "float64", "shape": [3], "data": [1]}), "cannot reshape"),
        (changed(value={"dtype": "object", "shape": [1], "data": [1]}), "holds numbers"),
        (changed(value={"dtype": "f99", "shape": [1], "data": [1]}), "node 1 cannot be read"),
        (changed(value={"dtype": "int8", "shape": [1], "data": [1000]}), "node 1 cannot be read"),
        (changed(value={"dtype": "float64", "shape": [1], "data": [[1]]}), "flat list of numbers"),
        (changed(value={"dtype": "float64", "shape": [1]}), "'data' is missing"),
        (changed(name=3), '"name" and "scope" should be strings'),
        (changed(step="3"), "\"step\" should be an integer, got '3'"),
        (changed(forward=5), '"forward" should name earlier nodes'),
        (changed(params={"axis": {"oven": 1}}), "static argument of an unknown kind 'oven'"),
        (changed(params={"axis": {"a": 1, "b": 2}}), "object with one key"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_broken_file_gets_a_sentence(text, message):
    with pytest.raises(GraphError, match=message):
        Graph.from_json(text)


def test_every_single_bit_matters_or_is_refused():
    graph = Graph(tanh(Tensor([0.5, 1.0], name="x")).named("h"))
    text = graph.to_json().encode()
    for bit in range(8 * len(text)):
        raw = bytearray(text)
        raw[bit // 8] ^= 1 << bit % 8
        try:
            again = Graph.from_json(bytes(raw))
        except GraphError:
            continue
        assert [n.value.tobytes() for n in again] == [n.value.tobytes() for n in graph], bit
        assert str(again) == str(graph)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"op": "exp"}, "node 1, exp: the operation gives other numbers"),
        ({"op": "sum"}, r"the operation gives float64 \(\), not float64 \(2,\)"),
        ({"op": "linear", "parents": [0, 0]}, "does not take its parents and params"),
        ({"params": {"axis": 0}}, "does not take its parents and params"),
        (
            {"value": {"dtype": "float32", "shape": [2], "data": [0.7615942, 0.9640276]}},
            r"gives float64 \(2,\), not float32 \(2,\)",
        ),
        (
            {"value": {"dtype": "float64", "shape": [2], "data": [0.7615942, 0.97]}},
            "the operation gives other numbers than those that are saved",
        ),
    ],
)
def test_values_that_operations_do_not_give_are_refused(fields, message):
    nodes = [SAVED["nodes"][0], SAVED["nodes"][1] | fields]
    with pytest.raises(GraphError, match=message):
        Graph.from_json(signed({**SAVED, "nodes": nodes}))


def test_values_may_differ_by_the_rounding_of_another_machine():
    big = Tensor(np.array([1e10, 1.0, -1e10]), name="big")
    graph = Graph([(big * Tensor(np.array([1e10, 1.0, 1e10]))).sum(), tanh(big)])
    saved = json.loads(graph.to_json())
    tanhs = saved["nodes"][-1]["value"]["data"]
    tanhs[1] = float(np.nextafter(tanhs[1], 1))
    [at] = [i for i, node in enumerate(saved["nodes"]) if node.get("op") == "sum"]
    saved["nodes"][at]["value"]["data"] = [1.0]  # in another order of summation
    again = Graph.from_json(signed(saved))
    assert float(again.outputs[0]) == 1.0 and again.outputs[1].value[1] == tanhs[1]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, True, 3])
def test_values_that_no_tolerance_covers_come_back(value):
    graph = Graph(Tensor(np.array([value, value])).reshape(2, 1))
    again = Graph.from_json(graph.to_json())
    np.testing.assert_array_equal(again.outputs[0].value, graph.outputs[0].value)
    saved = json.loads(graph.to_json())
    changed = {"float64": 0.0, "bool": False, "int64": 4}[saved["nodes"][-1]["value"]["dtype"]]
    saved["nodes"][-1]["value"]["data"][1] = changed
    with pytest.raises(GraphError, match="reshape: the operation gives other numbers"):
        Graph.from_json(signed(saved))


def test_indenting_a_saved_graph_anew_does_no_harm():
    text = json.dumps(SAVED, indent=3, sort_keys=True)
    assert str(Graph.from_json(text)) == str(Graph.from_json(json.dumps(SAVED)))


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
