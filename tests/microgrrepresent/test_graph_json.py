"""A graph as JSON: written, read again, and refused where it is not whole or right."""

import json

import numpy as np
import pytest

from microgrrepresent import (
    Graph,
    GraphError,
    Tensor,
    exp,
    flip,
    grad,
    graph_json,
    primitive,
    stop_gradient,
    tanh,
)
from tests.microgrrepresent.graphs import parameter, same, unrolled


def test_round_trip_of_a_net_and_its_symbolic_gradient():
    graph, w, _ = unrolled(3)
    dw = grad(graph.outputs[0], w, create_graph=True)
    whole = Graph([*graph.outputs, dw])
    assert any(n.derivative_of is not None for n in whole)
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
    assert outside.derivative_of in Graph(dx)  # exp's derivative is exp itself
    dx = grad(stop_gradient(x) * x, x, create_graph=True)
    assert dx.derivative_of not in Graph(dx)
    assert Graph.from_json(Graph(dx).to_json()).outputs[0].derivative_of is None


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
        (changed(derivative_of=5), '"derivative_of" should name earlier nodes'),
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


@pytest.mark.parametrize("depth", [300, 450, 900])
def test_arguments_that_are_nested_deep_are_refused(depth):
    text = '{"tuple": [' * depth + "]}" * depth
    with pytest.raises(GraphError, match=r"checksum|nested too deep|not JSON"):
        Graph.from_json(changed(params={"axis": "deep"}).replace('"deep"', text))


def test_an_argument_that_holds_itself_cannot_be_saved():
    y = Tensor([1.0]) * 2
    y.params = {"axis": []}
    y.params["axis"].append(y.params["axis"])
    with pytest.raises(GraphError, match=r"cannot be saved: .* nested too deep, or holds itself"):
        Graph(y).to_json()
