"""Our cells, embedding and linear map against torch.nn's, and loading weights both ways."""

import numpy as np
import pytest

from microgrrepresent import Tensor, grad
from microgrrepresent import sum as total
from rnn import GRU, LSTM, RNN, Embedding, GRUCell, Linear, LSTMCell, RNNCell

torch = pytest.importorskip("torch", reason="torch is not installed: pip install .[parity]")
pytestmark = pytest.mark.parity

rng = np.random.default_rng(0)
CELLS = {
    "tanh": (RNNCell, {}),
    "relu": (RNNCell, {"nonlinearity": "relu"}),
    "gru": (GRUCell, {}),
    "lstm": (LSTMCell, {}),
    "gru-no-bias": (GRUCell, {"bias": False}),
}


def both(kind, *sizes, **arguments):
    ours = kind(*sizes, **arguments, rng=0)
    theirs = getattr(torch.nn, kind.__name__)(*sizes, **arguments).double()
    theirs.load_state_dict({name: torch.from_numpy(v) for name, v in ours.state_dict().items()})
    return ours, theirs


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("batch", [(), (4,)])
def test_cells(name, batch):
    kind, arguments = CELLS[name]
    ours, theirs = both(kind, 3, 5, **arguments)
    x = rng.standard_normal((*batch, 3))
    parts = [rng.standard_normal((*batch, 5)) for _ in ours.state_sizes()]
    h = Tensor(x, requires_grad=True)
    h_torch = torch.tensor(x, requires_grad=True)
    made = ours.parts_of(ours(h, tuple(parts) if len(parts) > 1 else parts[0]))
    state = tuple(map(torch.from_numpy, parts)) if len(parts) > 1 else torch.from_numpy(parts[0])
    made_torch = theirs(h_torch, state)
    made_torch = made_torch if isinstance(made_torch, tuple) else (made_torch,)
    for a, b in zip(made, made_torch, strict=True):
        np.testing.assert_allclose(a.numpy(), b.detach().numpy(), rtol=1e-12, atol=1e-14)
    ours_g = grad(sum(total(p * p) for p in made), [h, *ours.parameters()])
    loss = sum((p * p).sum() for p in made_torch)
    theirs_g = torch.autograd.grad(loss, [h_torch, *theirs.parameters()])
    for a, b in zip(ours_g, theirs_g, strict=True):
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-10, atol=1e-12)


def test_linear_and_embedding():
    ours, theirs = both(Linear, 4, 3)
    x = rng.standard_normal((2, 5, 4))
    np.testing.assert_allclose(ours(x).numpy(), theirs(torch.from_numpy(x)).detach().numpy())
    ours, theirs = both(Embedding, 6, 3)
    ids = np.array([[1, 5, 1]])
    np.testing.assert_array_equal(ours(ids).numpy(), theirs(torch.from_numpy(ids)).detach().numpy())


@pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
def test_weights_go_to_torch_and_come_back(kind):
    ours, theirs = both(kind, 3, 5, num_layers=2, bidirectional=True)
    other = kind(3, 5, num_layers=2, bidirectional=True, rng=1)
    other.load_state_dict(theirs.state_dict())
    for name, value in ours.state_dict().items():
        np.testing.assert_array_equal(other.state_dict()[name], value)


@pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
def test_first_values_are_drawn_from_torch_s_distribution(kind):
    """Same bounds and, over many values, the same spread."""
    torch.manual_seed(0)  # a bias of 64 values is now and then more than 0.15 away
    ours, theirs = kind(32, 64, rng=0), getattr(torch.nn, kind.__name__)(32, 64)
    for name, p in theirs.named_parameters():
        mine = ours.state_dict()[name]
        assert mine.shape == tuple(p.shape)
        assert np.abs(mine).max() <= 1 / 8
        np.testing.assert_allclose(mine.std(), p.detach().numpy().std(), rtol=0.15)
