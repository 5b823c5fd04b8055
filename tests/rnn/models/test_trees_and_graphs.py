"""Recursive networks over trees, and recurrent networks over graphs."""

import numpy as np
import pytest

from microgrrepresent import Graph, Tensor, grad, gradcheck
from microgrrepresent import sum as total
from rnn import Cell, GraphRecurrentCell, GRUCell, RecursiveCell, unroll

rng = np.random.default_rng(0)


def test_a_tree_by_its_equation():
    cell = RecursiveCell(3, rng=0)
    W, b = cell.weight.data, cell.bias.data
    x = rng.standard_normal((4, 3))
    compose = lambda *hs: np.tanh(W @ np.concatenate(hs) + b)  # noqa: E731
    expected = compose(compose(x[0], x[1]), compose(x[2], x[3]))
    np.testing.assert_allclose(cell(((x[0], x[1]), (x[2], x[3]))).numpy(), expected, rtol=1e-13)
    expected = compose(x[0], compose(compose(x[1], x[2]), x[3]))
    np.testing.assert_allclose(cell((x[0], ((x[1], x[2]), x[3]))).numpy(), expected, rtol=1e-13)


def test_the_graph_is_the_tree():
    cell = RecursiveCell(2, rng=0)
    a, b, c = (Tensor(x, name=name) for name, x in zip("abc", np.eye(3)[:, :2], strict=True))
    root = cell(((a, b), c))
    graph = Graph(root)
    inner = graph.find(name="h")
    assert len(inner) == 2 and inner[-1] is root
    joins = graph.find(op="concatenate")
    assert joins[0].parents == (a, b)
    assert joins[1].parents == (inner[0], c)
    assert {node.scope for node in inner} == {"recursive"}


def test_a_single_leaf_is_itself():
    x = Tensor(np.ones(3))
    assert RecursiveCell(3)(x) is x


def test_more_children_and_batches():
    cell = RecursiveCell(2, children=3, bias=False, nonlinearity="relu", rng=0)
    x = rng.standard_normal((5, 4, 2))
    y = cell([x[0], [x[1], x[2], x[3]], x[4]]).numpy()
    W = cell.weight.data
    relu = lambda *hs: np.maximum(np.concatenate(hs, axis=-1) @ W.T, 0)  # noqa: E731
    np.testing.assert_allclose(y, relu(x[0], relu(*x[1:4]), x[4]), rtol=1e-13)


def test_gradients_of_a_tree():
    cell = RecursiveCell(2, rng=0)
    leaves = [Tensor(rng.standard_normal(2), requires_grad=True) for _ in range(3)]
    tree = lambda *_: total(cell((leaves[0], (leaves[1], leaves[2]))))  # noqa: E731
    gradcheck(tree, [*leaves, *cell.parameters()])


def test_a_chain_of_ten_thousand():
    cell = RecursiveCell(1, rng=0)
    tree = np.zeros(1)
    for _ in range(10_000):
        tree = (tree, np.ones(1))
    loss = total(cell(tree))
    assert np.isfinite(grad(loss, cell.weight)).all()


# --- graphs --------------------------------------------------------------------------------------

EDGES = [(0, 1), (1, 2), (2, 0), (2, 3), (3, 0)]
FEATURES = rng.standard_normal((len(EDGES), 2))


@pytest.mark.parametrize("edge_size", [0, 2])
def test_a_round_by_its_equation(edge_size):
    cell = GraphRecurrentCell(3, 4, edge_size=edge_size, message_size=5, rng=0)
    features = FEATURES[:, :edge_size]
    x, h = rng.standard_normal((4, 3)), rng.standard_normal((4, 4))
    m = np.zeros((4, 5))
    for (u, v), e in zip(EDGES, features, strict=True):
        m[v] += cell.f.weight.data @ np.concatenate([h[v], h[u], e]) + cell.f.bias.data
    g = cell.g.state_dict()
    a = np.concatenate([x, m], axis=1) @ g["weight_ih"].T + h @ g["weight_hh"].T
    expected = np.tanh(a + g["bias_ih"] + g["bias_hh"])
    made = cell.on(EDGES, 4, features if edge_size else None)(Tensor(x), Tensor(h))
    np.testing.assert_allclose(made.numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("update", [None, "gru"])
def test_renaming_the_vertices_renames_the_result(update):
    g = GRUCell(3 + 4, 4, rng=0) if update else None
    cell = GraphRecurrentCell(3, 4, edge_size=2, update=g, rng=0)
    x = rng.standard_normal((4, 3))
    renamed = rng.permutation(4)
    plain = unroll(cell.on(EDGES, 4, FEATURES), [x] * 5).state.numpy()
    x_renamed = np.empty_like(x)
    x_renamed[renamed] = x
    other = cell.on([(renamed[u], renamed[v]) for u, v in EDGES], 4, FEATURES)
    np.testing.assert_allclose(
        unroll(other, [x_renamed] * 5).state.numpy()[renamed], plain, rtol=1e-12
    )
    assert np.abs(plain[0] - plain[1]).max() > 1e-3


def test_what_is_far_takes_as_many_rounds():
    """On a path one end hears of the other after as many rounds as there are edges."""
    cell = GraphRecurrentCell(1, 3, rng=0)
    path = cell.on([(0, 1), (1, 2), (2, 3)], 4)
    x = Tensor(rng.standard_normal((4, 1)))
    for rounds in range(1, 6):
        g = grad(total(unroll(path, [x] * rounds).state[3]), x)
        assert (np.abs(g[0]) > 0).all() == (rounds > 3)


def test_gradients_of_a_graph_network():
    cell = GraphRecurrentCell(0, 2, rng=0)
    h = Tensor(rng.standard_normal((3, 2)), requires_grad=True)
    ring = cell.on([(0, 1), (1, 2), (2, 0)], 3)
    empty = np.zeros((3, 0))
    run = lambda *_: total(unroll(ring, [empty] * 2, h).state)  # noqa: E731
    gradcheck(run, [h, *cell.parameters()])


def test_on_a_graph_it_is_a_cell():
    """With the protocol of all: a state that may be left out, an output, an array as input."""
    triangle = GraphRecurrentCell(2, 3, rng=0).on([(0, 1), (1, 2), (2, 0)], 3)
    x = rng.standard_normal((3, 2))
    h = triangle(x)
    assert isinstance(triangle, Cell) and triangle.output(h) is h
    np.testing.assert_array_equal(h.numpy(), triangle(x, triangle.initial_state()).numpy())
    run = unroll(triangle, [x] * 3)
    np.testing.assert_array_equal(run.outputs[0].numpy(), h.numpy())
    assert [run.states[t].step for t in run.states] == [0, 1, 2, 3]


def test_a_sequence_is_a_tree_that_branches_to_the_left():
    cell, xs = RecursiveCell(2, rng=0), rng.standard_normal((4, 2))
    chain = unroll(lambda x, h: cell.compose(h, x), Tensor(xs[1:]), xs[0])
    tree = cell((((xs[0], xs[1]), xs[2]), xs[3]))
    np.testing.assert_array_equal(chain.state.numpy(), tree.numpy())


def test_a_graph_without_edges_hears_nothing():
    cell = GraphRecurrentCell(2, 3, rng=0)
    x = rng.standard_normal((2, 2))
    alone = cell.on(np.zeros((0, 2), int), 2)(Tensor(x))
    h = cell.g(np.concatenate([x, np.zeros((2, 3))], axis=1))
    np.testing.assert_allclose(alone.numpy(), h.numpy(), rtol=1e-13)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: RecursiveCell(3)((np.zeros(3), np.zeros(2))),
            r"expected leaves of shape \(3,\) or \(batch, 3\), got \(2,\)",
        ),
        (
            lambda: RecursiveCell(3)((np.zeros(3), np.zeros(3), np.zeros(3))),
            "every inner node of the tree has 2 children, got one with 3",
        ),
        (
            lambda: GraphRecurrentCell(1, 2).on([(0, 4)], 4),
            r"vertices are numbered 0\.\.3; the edges name 0\.\.4",
        ),
        (
            lambda: GraphRecurrentCell(1, 2).on(np.array(EDGES).T, 4),
            r"expected edges of shape \(E, 2\).*got \(2, 5\) of int64; .* give the transpose",
        ),
        (
            lambda: GraphRecurrentCell(1, 2).on([(0.5, 1.0)], 4),
            r"pairs of integers \(u, v\), got \(1, 2\) of float64",
        ),
        (
            lambda: GraphRecurrentCell(1, 2).on(EDGES, 4)(np.zeros((3, 1))),
            r"in graph: expected x of shape \(4, 1\), a row for each vertex, got \(3, 1\)",
        ),
        (
            lambda: GraphRecurrentCell(1, 2, edge_size=2).on(EDGES, 4),
            r"expected features of shape \(5, 2\), a row for each edge, got None",
        ),
        (
            lambda: GraphRecurrentCell(1, 2, edge_size=1).on([(0, 1)], 2, np.zeros(1)),
            r"expected features of shape \(1, 1\), a row for each edge, got \(1,\)",
        ),
        (lambda: GraphRecurrentCell(-2, 3), "input_size must be an integer >= 0, got -2"),
        (
            lambda: GraphRecurrentCell(1, 2).on(EDGES, "4"),
            "vertices must be an integer >= 1, got '4'",
        ),
        (
            lambda: RecursiveCell(3)((np.zeros((2, 3)), np.zeros(3))),
            r"of one shape, got \(2, 3\) beside \(3,\); give all leaves of the tree a batch axis",
        ),
        (lambda: RecursiveCell(3, children=0), "children must be an integer >= 1, got 0"),
        (
            lambda: GraphRecurrentCell(1, 2).on(EDGES, 4, FEATURES),
            r"expected features of shape \(5, 0\), a row for each edge, got \(5, 2\)",
        ),
        (
            lambda: GraphRecurrentCell(1, 2).on(EDGES, 4)(np.zeros((4, 1)), np.zeros((3, 2))),
            r"expected h of shape \(4, 2\) beside x \(4, 1\), got \(3, 2\)",
        ),
    ],
)
def test_errors(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
