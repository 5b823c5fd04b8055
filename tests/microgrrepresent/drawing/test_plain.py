"""Plain DOT: everything of the graph is in it, and dot can read it."""

import re
import subprocess

import pytest

from microgrrepresent import Graph, Tensor, backward, step, tanh, where
from microgrrepresent.drawing.plain import plain_dot


def recurrence(steps):
    w, s = Tensor(0.5, requires_grad=True, name="w"), Tensor(1.0, name='s"\\')
    for t in range(1, steps + 1):
        with step(t):
            s = tanh(w * s).named("s")
    return (s * s).named("L"), w


def test_every_node_and_edge_is_there_and_parameters_at_each_use():
    L, w = recurrence(3)
    graph = Graph(L)
    text = plain_dot(graph)
    uses = len(graph.consumers(w))
    assert len(re.findall(r"^\s*n\d+ \[label=", text, re.MULTILINE)) == len(graph) - 1
    assert len(re.findall(r"^\s*n\d+_\d+ \[label=\"w\"", text, re.MULTILINE)) == uses == 3
    assert text.count("->") == sum(len(node.parents) for node in graph)
    assert [int(t) for t in re.findall(r'label="t = (\d)"', text)] == [1, 2, 3]


def test_gradients_are_dashed_and_carry_their_norm():
    L, _ = recurrence(2)
    adjoints = backward(L)
    text = plain_dot(Graph(L), adjoints)
    flows = [
        (parent, child) for child in adjoints for parent in set(child.parents) if parent in adjoints
    ]
    assert text.count("style=dashed") == len(flows)
    assert f'label="{2 * abs(float(L)) ** 0.5:.2g}"' in text  # dL/ds = 2 s


def test_an_edge_that_passes_no_derivative_has_no_gradient():
    x = Tensor([1.0, -1.0], requires_grad=True, name="x")
    L = where(x > 0, x, 0).sum()
    text = plain_dot(Graph(L), backward(L))
    assert text.count("style=dashed") == 2


@pytest.mark.parametrize("steps", [1, 8])
def test_dot_reads_it(steps):
    L, _ = recurrence(steps)
    text = plain_dot(Graph(L), backward(L))
    done = subprocess.run(
        ["dot", "-Tsvg"], input=text.encode(), capture_output=True, timeout=60, check=True
    )
    assert done.stdout.count(b'class="cluster"') == steps
