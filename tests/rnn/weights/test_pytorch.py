"""Weights to PyTorch and back: the sentences of the README, run."""

import numpy as np
import pytest

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
    with pytest.raises(DTypeError, match=r"given float32; convert it with .to\(torch.float64\)"):
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
