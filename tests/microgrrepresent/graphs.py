"""Small graphs, and whether two are the same, for the tests of graphs and of their JSON."""

import numpy as np

from microgrrepresent import (
    Graph,
    Tensor,
    scope,
    steps,
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


def same(a, b):
    """Two graphs that agree in every field of every node, arrays to the sign of zero."""
    assert len(a) == len(b)
    assert [a.index(o) for o in a.outputs] == [b.index(o) for o in b.outputs]
    for m, n in zip(a, b, strict=True):
        assert m.op is n.op and m.name == n.name and m.requires_grad == n.requires_grad
        assert (m.scope, m.step) == (n.scope, n.step)
        assert [a.index(p) for p in m.parents] == [b.index(p) for p in n.parents]
        inside = m.derivative_of is not None and m.derivative_of in a
        assert (n.derivative_of is not None) == inside
        if inside:
            assert a.index(m.derivative_of) == b.index(n.derivative_of)
        assert m.dtype == n.dtype and m.shape == n.shape
        np.testing.assert_array_equal(m.value, n.value)
        signs = [np.signbit(v.real) & ~np.isnan(v) for v in (m.value, n.value)]
        assert np.array_equal(*signs)
        assert not n.value.flags.writeable
        assert repr(m.params) == repr(n.params)
    return True
