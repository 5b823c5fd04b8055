"""Our layers against torch.nn's in float64: outputs, final states and every gradient.

The configurations are drawn from the whole grid of arguments by a seeded generator, the same ones
in every run; both sides get the same parameters through the state_dict.
"""

import numpy as np
import pytest

from microgrrepresent import Tensor, grad
from microgrrepresent import sum as total
from rnn import GRU, LSTM, RNN

torch = pytest.importorskip("torch", reason="torch is not installed: pip install .[parity]")
pytestmark = pytest.mark.parity

CONFIGURATIONS = 240


def configuration(seed):
    """One point of the grid: which layer, its arguments, the form of the input."""
    draw = np.random.default_rng(seed)
    kind = (RNN, GRU, LSTM)[seed % 3]
    arguments = {
        "input_size": int(draw.integers(1, 6)),
        "hidden_size": int(draw.integers(2, 6)),
        "num_layers": int(draw.integers(1, 4)),
        "bias": bool(draw.random() < 0.7),
        "batch_first": bool(draw.random() < 0.5),
        "bidirectional": bool(draw.random() < 0.5),
    }
    if kind is RNN:
        arguments["nonlinearity"] = str(draw.choice(["tanh", "relu"]))
    if kind is LSTM and draw.random() < 0.5:
        arguments["proj_size"] = int(draw.integers(1, arguments["hidden_size"]))
    form = draw.choice(["batch", "single", "lengths"], p=[0.4, 0.25, 0.35])
    T, B = int(draw.integers(1, 8)), int(draw.integers(1, 5))
    given_state = bool(draw.random() < 0.6)
    return kind, arguments, form, T, B, given_state, draw


def to_torch(array):
    return torch.tensor(array, dtype=torch.float64, requires_grad=True)


def relative_error(ours, theirs):
    theirs = np.asarray(theirs.detach() if hasattr(theirs, "detach") else theirs)
    assert ours.shape == theirs.shape
    scale = np.max(np.abs(theirs), initial=0) or 1.0
    return float(np.max(np.abs(ours - theirs), initial=0) / scale)


@pytest.mark.parametrize("seed", range(CONFIGURATIONS))
def test_layer_equals_torch(seed):
    kind, arguments, form, T, B, given_state, draw = configuration(seed)
    ours = kind(**arguments, rng=draw)
    theirs = getattr(torch.nn, kind.__name__)(**arguments).double()
    theirs.load_state_dict({name: torch.from_numpy(v) for name, v in ours.state_dict().items()})

    shape = (T, B) if form != "single" else (T,)
    if form != "single" and arguments["batch_first"]:
        shape = (B, T)
    x = draw.standard_normal((*shape, arguments["input_size"]))
    x_ours, x_torch = Tensor(x, requires_grad=True), to_torch(x)
    n = arguments["num_layers"] * (2 if arguments["bidirectional"] else 1)
    widths = [arguments["hidden_size"]]
    if kind is LSTM:
        widths = [arguments.get("proj_size") or arguments["hidden_size"], *widths]
    states = [draw.standard_normal((n, *(() if form == "single" else (B,)), w)) for w in widths]
    s_ours = [Tensor(s, requires_grad=True) for s in states]
    s_torch = [to_torch(s) for s in states]
    lengths = draw.integers(1, T + 1, B) if form == "lengths" else None

    out, final = ours(
        x_ours,
        (tuple(s_ours) if kind is LSTM else s_ours[0]) if given_state else None,
        lengths=lengths,
    )
    fed = x_torch
    if lengths is not None:
        fed = torch.nn.utils.rnn.pack_padded_sequence(
            x_torch, torch.from_numpy(lengths), arguments["batch_first"], enforce_sorted=False
        )
    out_t, final_t = theirs(
        fed, (tuple(s_torch) if kind is LSTM else s_torch[0]) if given_state else None
    )
    if lengths is not None:
        out_t, _ = torch.nn.utils.rnn.pad_packed_sequence(
            out_t, arguments["batch_first"], total_length=T
        )
    finals = list(final) if kind is LSTM else [final]
    finals_t = list(final_t) if kind is LSTM else [final_t]

    assert relative_error(out.numpy(), out_t) < 1e-10
    for f, f_t in zip(finals, finals_t, strict=True):
        assert relative_error(f.numpy(), f_t) < 1e-10

    # a loss in which every output and every final state has a weight of its own
    weights = [draw.standard_normal(part.shape) for part in (out, *finals)]
    loss = sum(total(w * part) for w, part in zip(weights, (out, *finals), strict=True))
    loss_t = sum(
        (torch.from_numpy(w) * part).sum()
        for w, part in zip(weights, (out_t, *finals_t), strict=True)
    )
    names = [name for name, _ in ours.named_parameters()]
    leaves = [x_ours, *(s_ours if given_state else []), *ours.parameters()]
    theirs_by_name = dict(theirs.named_parameters())
    leaves_t = [x_torch, *(s_torch if given_state else []), *(theirs_by_name[n] for n in names)]
    assert names == list(theirs_by_name)
    for g, g_t in zip(grad(loss, leaves), torch.autograd.grad(loss_t, leaves_t), strict=True):
        assert relative_error(g, g_t) < 1e-10


def test_the_grid_covers_every_argument():
    drawn = [configuration(seed) for seed in range(CONFIGURATIONS)]
    for kind in (RNN, GRU, LSTM):
        mine = [c for c in drawn if c[0] is kind]
        for key in ("bias", "batch_first", "bidirectional"):
            assert {c[1][key] for c in mine} == {True, False}
        assert {c[1]["num_layers"] for c in mine} == {1, 2, 3}
        assert {str(c[2]) for c in mine} == {"batch", "single", "lengths"}
        assert {c[5] for c in mine} == {True, False}
    assert {bool(c[1].get("proj_size")) for c in drawn if c[0] is LSTM} == {True, False}
    assert {c[1]["nonlinearity"] for c in drawn if c[0] is RNN} == {"tanh", "relu"}


@pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
def test_second_derivatives_equal_torch(kind):
    """The gradient of a norm of the gradient, with respect to input and parameters."""
    draw = np.random.default_rng(7)
    ours = kind(3, 4, num_layers=2, bidirectional=True, rng=draw)
    theirs = getattr(torch.nn, kind.__name__)(3, 4, num_layers=2, bidirectional=True).double()
    theirs.load_state_dict({name: torch.from_numpy(v) for name, v in ours.state_dict().items()})
    x = draw.standard_normal((4, 2, 3))
    weights = draw.standard_normal((4, 2, 8))

    x_ours = Tensor(x, requires_grad=True)
    leaves = [x_ours, *ours.parameters()]
    first = grad(total(ours(x_ours)[0] * weights), leaves, create_graph=True)
    second = grad(sum(total(g * g) for g in first), leaves)

    x_torch = to_torch(x)
    leaves_t = [x_torch, *theirs.parameters()]
    loss_t = (theirs(x_torch)[0] * torch.from_numpy(weights)).sum()
    first_t = torch.autograd.grad(loss_t, leaves_t, create_graph=True)
    second_t = torch.autograd.grad(sum((g * g).sum() for g in first_t), leaves_t)
    for g, g_t in zip(second, second_t, strict=True):
        assert relative_error(g, g_t) < 1e-8


def test_a_learned_initial_state_goes_to_torch_as_a_state():
    ours = LSTM(3, 5, 2, bidirectional=True, proj_size=2, learn_initial_state=True, rng=0)
    draw = np.random.default_rng(0)
    for cell in ours.cells:
        for tensor in cell.initial.values():
            tensor.assign(draw.standard_normal(tensor.shape))
    theirs = torch.nn.LSTM(3, 5, 2, bidirectional=True, proj_size=2).double()
    own = ours.state_dict().items()
    theirs.load_state_dict(
        {k: torch.from_numpy(v) for k, v in own if not k.startswith("initial.")}, strict=True
    )
    x = draw.standard_normal((4, 2, 3))
    state = tuple(torch.tensor(part.numpy()) for part in ours.initial_state(batch=2))
    output, end = theirs(torch.from_numpy(x), state)
    made, finals = ours(x)
    assert relative_error(made.numpy(), output.detach().numpy()) < 1e-10
    for f, f_t in zip(finals, end, strict=True):
        assert relative_error(f.numpy(), f_t.detach().numpy()) < 1e-10


def test_torch_s_data_type_is_no_list_of_numbers():
    with pytest.raises(TypeError, match="expected x of float64, got float32"):
        LSTM(3, 5)(torch.zeros(4, 2, 3))
    assert LSTM(3, 5)(torch.zeros(4, 2, 3, dtype=torch.float64))[0].shape == (4, 2, 5)
