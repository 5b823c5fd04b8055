"""Weights to PyTorch and back: the sentences of the README, run."""

import numpy as np
import pytest

import rnn
from microgrrepresent import DTypeError, GradientError
from rnn import GRU, LSTM, RNN, Embedding, GRUCell, Linear, LSTMCell, RNNCell
from rnn.weights import to_torch

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch==2.13.0")
pytestmark = pytest.mark.parity

PAIRS = {
    "lstm": (
        lambda: LSTM(3, 4, 2, bidirectional=True),
        lambda: torch.nn.LSTM(3, 4, 2, bidirectional=True),
    ),
    "gru": (lambda: GRU(3, 4), lambda: torch.nn.GRU(3, 4)),
    "rnn": (lambda: RNN(3, 4, bias=False), lambda: torch.nn.RNN(3, 4, bias=False)),
    "linear": (lambda: Linear(3, 4), lambda: torch.nn.Linear(3, 4)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_weights_go_to_torch_and_back(name):
    ours, theirs = (make() for make in PAIRS[name])
    theirs = theirs.double()
    theirs.load_state_dict(to_torch(ours))
    x = np.random.default_rng(0).normal(size=(5, 2, 3))

    def first(result):
        return result[0] if isinstance(result, tuple) else result

    expected = first(theirs(torch.from_numpy(x))).detach().numpy()
    np.testing.assert_allclose(first(ours(x)).numpy(), expected, atol=1e-14)
    again = PAIRS[name][0]()
    again.load_state_dict(theirs.state_dict())
    np.testing.assert_array_equal(first(again(x)).numpy(), first(ours(x)).numpy())


def test_tensors_of_torch_are_inputs_and_states():
    layer = LSTM(3, 4, rng=0)
    x, h, c = (
        torch.randn(*size, dtype=torch.float64) for size in ((5, 2, 3), (1, 2, 4), (1, 2, 4))
    )
    expected = layer(x.numpy(), (h.numpy(), c.numpy()))[0].numpy()
    np.testing.assert_array_equal(layer(x, (h, c))[0].numpy(), expected)
    lengths = torch.tensor([5, 2])
    assert (layer(x, (h, c), lengths)[0].numpy()[2:, 1] == 0).all()
    cell = LSTMCell(3, 4, rng=0)
    np.testing.assert_array_equal(cell(x[0], (h[0], c[0])).h.numpy(), expected[0])
    assert Embedding(9, 2)(torch.tensor([[1, 2]])).shape == (1, 2, 2)
    with pytest.raises(DTypeError, match=r"got float32; convert it with .to\(torch.float64\)"):
        layer(x.float())
    with pytest.raises(GradientError, match=r"x is a torch.Tensor that requires .* x.detach\(\)"):
        layer(x.requires_grad_())


@pytest.mark.parametrize("kind", [RNN, GRU, LSTM, RNNCell, GRUCell, LSTMCell, Linear, Embedding])
def test_device_and_dtype_are_those_of_torch(kind):
    made = kind(3, 4, device=None, dtype=None)
    assert {p.dtype for p in made.parameters()} == {np.dtype("f8")}
    made = kind(3, 4, device=torch.device("cpu"), dtype=torch.float32)
    assert {p.dtype for p in made.parameters()} == {np.dtype("f4")}
    with pytest.raises(ValueError, match=r"device must be None or 'cpu', .* got 'cuda:0'"):
        kind(3, 4, device="cuda:0")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("Linear", (3, 4, True)),
        ("RNNCell", (3, 4, True, "relu")),
        ("GRUCell", (3, 4, True)),
        ("LSTMCell", (3, 4, False)),
    ],
)
def test_device_and_dtype_stand_where_torch_has_them(name, arguments):
    ours, theirs = (
        getattr(library, name)(*arguments, "cpu", torch.float32) for library in (rnn, torch.nn)
    )
    assert {n: p.shape for n, p in ours.named_parameters()} == {
        n: tuple(p.shape) for n, p in theirs.named_parameters()
    }
    assert all(p.dtype == "float32" for p in ours.parameters())


@pytest.mark.parametrize("padding", [0, -1])
def test_the_padding_of_an_embedding_is_that_of_torch(padding):
    ours, theirs = (library.Embedding(5, 3, padding) for library in (rnn, torch.nn))
    row = padding % 5
    assert ours.padding_idx == theirs.padding_idx == row
    assert not ours.weight.numpy()[row].any() and not theirs.weight[row].any()
    ids = np.array([[0, 1, 4], [2, 0, 1]])
    ours.load_state_dict({"weight": theirs.weight.detach()})
    (ours(ids) ** 2 + ours(ids)).sum().backward()
    looked_up = theirs(torch.tensor(ids))
    (looked_up**2 + looked_up).sum().backward()
    np.testing.assert_allclose(ours(ids).numpy(), looked_up.detach().numpy())
    np.testing.assert_allclose(ours.weight.grad, theirs.weight.grad, rtol=1e-6)
    assert not np.any(ours.weight.grad[row])
    with pytest.raises(ValueError, match=r"padding_idx must be in -5\.\.4, got 5"):
        rnn.Embedding(5, 3, 5)


def test_dropout_overwrites_nothing():
    assert rnn.Dropout(0.1, False).p == rnn.Dropout(0.1, inplace=False).p == 0.1
    with pytest.raises(ValueError, match="inplace must be False, got True"):
        rnn.Dropout(0.1, inplace=True)
