"""value_and_grad and vjp, with PyTorch's transforms as the witness."""

import numpy as np
import pytest

import microgrrepresent as mg
from microgrrepresent import GradientError, Graph, Tensor, grad, value_and_grad, vjp
from rnn import Linear

A = np.array([[1.0, -2.0], [0.5, 3.0]])
B = np.array([0.25, -1.0])


def loss(w, b, scale=1.0):
    return (mg.tanh(w @ b + b) ** 2).sum() * scale


def test_value_and_gradient():
    value, dw = value_and_grad(loss)(A, B)
    w = Tensor(A, requires_grad=True)
    y = loss(w, B)
    assert value.item() == y.item() and Graph(value).parameters
    np.testing.assert_array_equal(dw, grad(y, w))
    value, (db, dw) = value_and_grad(loss, (1, 0))(A, B, scale=2.0)
    assert value.item() == 2 * y.item() and db.shape == (2,) and dw.shape == (2, 2)
    value, db = value_and_grad(loss, argnums=-1)(A, B)
    assert db.shape == (2,)


@pytest.mark.parity
def test_they_are_torchs():
    torch = pytest.importorskip("torch")

    def theirs(w, b):
        return torch.tanh(w @ b + b)

    def ours(w, b):
        return mg.tanh(w @ b + b)

    g = np.array([0.5, -3.0])
    expected, pulled = torch.func.vjp(theirs, torch.tensor(A), torch.tensor(B))
    y, pull = vjp(ours, A, B)
    np.testing.assert_allclose(y.numpy(), expected.numpy(), rtol=1e-14)
    for found, e in zip(pull(g), pulled(torch.tensor(g)), strict=True):
        np.testing.assert_allclose(found, e.numpy(), rtol=1e-13)
    slopes, value = torch.func.grad_and_value(lambda w, b: theirs(w, b).sum(), (0, 1))(
        torch.tensor(A), torch.tensor(B)
    )
    found_value, found = value_and_grad(lambda w, b: ours(w, b).sum(), (0, 1))(A, B)
    np.testing.assert_allclose(found_value.item(), value.item(), rtol=1e-14)
    for f, e in zip(found, slopes, strict=True):
        np.testing.assert_allclose(f, e.numpy(), rtol=1e-13)


def test_the_parameters_of_a_model():
    layer, x = Linear(2, 3, rng=0), np.ones((4, 2))
    run = value_and_grad(lambda _: (layer(x) ** 2).sum())
    value, gradients = run(layer.parameters())
    value.backward()
    for g, p in zip(gradients, layer.parameters(), strict=True):
        np.testing.assert_array_equal(g, p.grad)
    named = dict(layer.named_parameters())
    assert list(run(named)[1]) == list(named)
    y, pull = vjp(lambda _, x: layer(x), named, x)
    found, dx = pull(np.ones(y.shape))
    assert found.keys() == named.keys() and dx.shape == x.shape


def test_tensors_are_used_themselves_and_no_grad_is_touched():
    w = Tensor(A, requires_grad=True, name="w")
    value, _ = value_and_grad(loss)(w, B)
    assert w in Graph(value) and w.grad is None


def test_what_has_no_gradient():
    with pytest.raises(GradientError, match=r"grad: .* has shape \(2,\).*matrix"):
        value_and_grad(lambda x: x * 2)(B)
    with pytest.raises(GradientError, match="does not depend on an input"):
        value_and_grad(lambda x, y: y.sum(), 0)(B, Tensor(B))
    with pytest.raises(GradientError, match="would be lost"):
        value_and_grad(lambda x: Tensor(np.asarray(x)).sum())(B)
    with pytest.raises(TypeError, match="output must be a Tensor"):
        value_and_grad(lambda x: float(x.sum()))(B)
    _, pull = vjp(lambda x, y: y.sum(), B, B)
    assert [g.tolist() for g in pull()] == [[0, 0], [1, 1]]
    with pytest.raises(GradientError, match="does not depend on an input"):
        pull(unconnected="raise")
    with pytest.raises(mg.DTypeError, match="cannot require a gradient"):
        vjp(lambda i: i * 2.0, [1, 2])
