"""Our weights in Keras 3, run by Keras itself (with its torch backend), in float64."""

import importlib
import os

import numpy as np
import pytest

from rnn import GRU, LSTM, RNN
from rnn.weights import load_keras, to_keras

pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch==2.13.0")
os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras", reason="Keras is not installed: pip install .[parity]")
pytestmark = pytest.mark.parity

T, B, INPUT, H = 6, 3, 4, 5
KINDS = {RNN: "SimpleRNN", GRU: "GRU", LSTM: "LSTM"}

LAYERS = {
    "rnn": lambda: RNN(INPUT, H),
    "rnn relu": lambda: RNN(INPUT, H, nonlinearity="relu"),
    "rnn no bias": lambda: RNN(INPUT, H, bias=False),
    "gru": lambda: GRU(INPUT, H),
    "gru reset before": lambda: GRU(INPUT, H, reset_after=False),
    "gru write": lambda: GRU(INPUT, H, update_gate="write"),
    "gru no reset": lambda: GRU(INPUT, H, reset_gate=False),
    "gru no bias": lambda: GRU(INPUT, H, bias=False),
    "lstm": lambda: LSTM(INPUT, H),
    "lstm no bias": lambda: LSTM(INPUT, H, bias=False),
    "lstm relu gates": lambda: LSTM(INPUT, H, gate_activation="relu"),
    "lstm 1997": lambda: LSTM(INPUT, H, forget_gate=False),
    "go_backwards": lambda: GRU(INPUT, H, reverse=True),
    "two stacked": lambda: LSTM(INPUT, H, 2),
    "two directions, two stacked": lambda: LSTM(INPUT, H, 2, bidirectional=True),
    "gru, two directions": lambda: GRU(INPUT, H, bidirectional=True),
}


@pytest.fixture(autouse=True)
def in_float64(monkeypatch):
    """Let Keras compute in float64: on torch it takes products in float32, by a table."""
    dtypes = importlib.import_module("keras.src.backend.common.dtypes")
    monkeypatch.setitem(dtypes.BIT64_TO_BIT32_DTYPE, "float64", "float64")
    before = keras.config.floatx()
    keras.config.set_floatx("float64")  # in which it converts between layers
    yield
    keras.config.set_floatx(before)


def in_keras(layer):
    """A function of x (B, T, I), and the Keras layers in it."""
    weights, arguments = to_keras(layer)
    kind = getattr(keras.layers, KINDS[type(layer)])
    made = []
    each = len(weights) // layer.num_layers
    for _ in range(layer.num_layers):
        one = kind(**arguments, return_sequences=True, dtype="float64")
        made.append(keras.layers.Bidirectional(one) if layer.bidirectional else one)

    def compute(x, mask=None):
        y = keras.ops.convert_to_tensor(x)
        for i, one in enumerate(made):
            if not one.built:
                one.build(y.shape)
                one.set_weights(weights[i * each : (i + 1) * each])
            y = one(y, mask=mask)
            if layer.reverse:  # Keras gives them in the order in which they came about
                y = keras.ops.flip(y, axis=1)
        return keras.ops.convert_to_numpy(y)

    return compute, made


def larger(layer):
    """With weights that are large enough for gates to differ."""
    draw = np.random.default_rng(3)
    for p in layer.parameters():
        p.assign(draw.standard_normal(p.shape))
    return layer


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("masked", [False, True])
def test_keras_computes_what_the_layer_does(name, masked):
    layer = larger(LAYERS[name]())
    compute, made = in_keras(layer)
    x, lengths = np.random.default_rng(0).standard_normal((T, B, INPUT)), None
    mask = None
    if masked:
        lengths = np.array([T, 2, 4])
        mask = keras.ops.convert_to_tensor(np.arange(T) < lengths[:, None])
    theirs = compute(x.swapaxes(0, 1), mask).swapaxes(0, 1)
    ours = layer(x, lengths=lengths)[0].numpy()
    valid = np.ones((T, B), bool) if lengths is None else np.arange(T)[:, None] < lengths
    scale = max(1, np.abs(theirs[valid]).max())
    assert np.abs(ours - theirs)[valid].max() <= 2e-15 * scale
    arrays = [w for one in made for w in one.get_weights()]
    for given in (
        (made,),
        (arrays, made[0].get_config()),
        (arrays, [k.get_config() for k in made]),
    ):
        again = LAYERS[name]()
        load_keras(again, *given)
        # weights that are sums of biases or of negated gates come back as sums
        np.testing.assert_allclose(again(x, lengths=lengths)[0].numpy(), ours, 1e-11, 1e-13)
