"""All variants of the layers, drawn at random: what must hold for every one of them."""

import numpy as np
import pytest

from microgrrepresent import Tensor, gradcheck
from microgrrepresent import sum as total
from rnn import (
    GRU,
    LSTM,
    RNN,
    CTRNNCell,
    LinearRecurrentCell,
    ResidualRNNCell,
    RNNCell,
    StateDictError,
)
from rnn.weights import load_keras, load_onnx, to_keras, to_onnx

INPUT, H, T, B = 3, 4, 5, 3
SEEDS = range(36)


def choose(draw, *options):
    return options[draw.integers(len(options))]


def configuration(seed):
    """A kind of layer and its arguments."""
    draw = np.random.default_rng(seed)
    kind = (RNN, GRU, LSTM)[seed % 3]
    arguments = {
        "num_layers": choose(draw, 1, 2),
        "bias": choose(draw, True, False),
        "batch_first": choose(draw, True, False),
        "learn_initial_state": choose(draw, True, False),
        choose(draw, "bidirectional", "reverse", "batch_first"): True,
    }
    if kind is RNN:
        arguments["cell"] = choose(draw, RNNCell, ResidualRNNCell, LinearRecurrentCell, CTRNNCell)
        arguments["nonlinearity"] = choose(draw, None, "tanh", "relu", "sigmoid", "identity")
        arguments["bias"] |= arguments["cell"] is CTRNNCell
    elif kind is GRU:
        arguments |= {name: choose(draw, True, False) for name in ("reset_after", "reset_gate")}
        arguments["update_gate"] = choose(draw, "keep", "write")
    else:
        arguments |= choose(draw, {}, {"forget_gate": False}, {"coupled": True})
        arguments |= {
            "peephole": choose(draw, False, "diagonal", "diagonal_previous"),
            "proj_size": choose(draw, 0, 0, 2),
            "gate_activation": choose(draw, "sigmoid", "sigmoid", "relu", "tanh", "identity"),
            "activation": choose(draw, "tanh", "relu", "identity"),
        }
    return kind, arguments


def made(seed, **more):
    """The layer, with an initial state that is not 0 if it is learned."""
    kind, arguments = configuration(seed)
    layer = kind(INPUT, H, **arguments, **more, rng=seed)
    draw = np.random.default_rng(seed)
    for cell in layer.cells:
        for tensor in cell.initial.values():
            tensor.assign(draw.uniform(-0.5, 0.5, tensor.shape))
    return layer


def run(layer, x, **how):
    """Outputs, time first, and the parts of the final state, of inputs with time first."""
    swap = layer.batch_first and x.ndim == 3
    output, state = layer(x.swapaxes(0, 1) if swap else x, **how)
    output = output.numpy().swapaxes(0, 1) if swap else output.numpy()
    return [output, *(part.numpy() for part in layer.cells[0].parts_of(state))]


def close(ours, others, tolerance=1e-12):
    for a, b in zip(ours, others, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@pytest.fixture
def x():
    return np.random.default_rng(1).standard_normal((T, B, INPUT))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_padded_batch_equals_its_sequences(seed, x):
    layer, lengths = made(seed), [2, 5, 1]
    output, *ends = run(layer, x, lengths=lengths)
    for b, n in enumerate(lengths):
        close(run(layer, x[:n, b]), [output[:n, b], *(end[:, b] for end in ends)])
        assert not output[n:, b].any()


@pytest.mark.parametrize("seed", [s for s in SEEDS if configuration(s)[0] is not RNN])
def test_both_compositions_are_one_layer(seed, x):
    per_gate = made(seed, composition="per_gate")
    close(run(per_gate, x, lengths=[4, 1, 5]), run(made(seed), x, lengths=[4, 1, 5]))


@pytest.mark.parametrize("seed", SEEDS)
def test_float32_stays_float32_and_is_near(seed, x):
    single, double = made(seed, dtype=np.float32), run(made(seed), x)
    outputs = run(single, x.astype(np.float32))
    assert {part.dtype for part in outputs} == {np.dtype(np.float32)}
    close(outputs, double, 2e-5)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("where", ["onnx", "keras"])
def test_weights_come_back_from_other_layouts_or_are_refused(seed, where, x):
    layer, again = made(seed), made(seed)
    for cell in again.cells:
        for tensor in (cell.weight_ih, getattr(cell, "weight_hh", cell.weight_ih)):
            tensor.assign(np.zeros(tensor.shape))
    _, arguments = configuration(seed)
    fits = arguments.get("cell", RNNCell) is RNNCell and not arguments.get("proj_size")
    fits &= arguments.get("peephole") != "diagonal_previous"
    if where == "keras":
        fits &= not arguments.get("peephole") and not arguments.get("coupled")
    if not fits:
        name = {"onnx": "ONNX", "keras": "Keras"}[where]
        with pytest.raises(StateDictError, match=f"{name} has no"):
            {"onnx": to_onnx, "keras": to_keras}[where](layer)
        return
    if where == "keras":
        load_keras(again, *to_keras(layer))
    else:
        for k in range(layer.num_layers):
            node = to_onnx(layer, k)
            load_onnx(again, node.attributes, *node[:4], number=k)
    close(run(again, x), run(layer, x))


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_gradients(seed, x):
    layer = made(seed)
    X = Tensor(x.swapaxes(0, 1) if layer.batch_first else x, requires_grad=True)
    gradcheck(lambda *_: total(layer(X, lengths=[2, 5, 1])[0]), [X, *layer.parameters()])
