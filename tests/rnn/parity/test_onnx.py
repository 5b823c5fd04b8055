"""Weights written in ONNX's layout, run by onnxruntime, against our layers in float32."""

import itertools

import numpy as np
import pytest

from rnn import GRU, LSTM, RNN
from rnn.weights import to_onnx

onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install .[parity]")
onnxruntime = pytest.importorskip(
    "onnxruntime", reason="onnxruntime is not installed: pip install .[parity]"
)
pytestmark = pytest.mark.parity

T, B, INPUT, H = 6, 3, 4, 5


def run_onnx(kind, layer, x, state, lengths):
    """Build a model of one node, and run it. Returns Y (T, D, B, H) and the final states."""
    weights = to_onnx(layer)
    feeds = {"X": x, "W": weights.W, "R": weights.R, "B": weights.B}
    if lengths is not None:
        feeds["sequence_lens"] = lengths.astype(np.int32)
    if state is not None:
        feeds |= dict(zip(("initial_h", "initial_c"), state, strict=False))
    if weights.P is not None:
        feeds["P"] = weights.P
    slots = ["X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P"]
    slots = slots if kind == "LSTM" else slots[:6]
    outputs = ["Y", "Y_h", "Y_c"] if kind == "LSTM" else ["Y", "Y_h"]
    n = len(weights.W)
    names = [slot if slot in feeds else "" for slot in slots]
    while not names[-1]:
        names.pop()
    helper, TensorProto = onnx.helper, onnx.TensorProto
    graph = helper.make_graph(
        [helper.make_node(kind, names, outputs, **weights.attributes)],
        "layer",
        [
            helper.make_tensor_value_info(
                name,
                TensorProto.INT32 if value.dtype == np.int32 else TensorProto.FLOAT,
                value.shape,
            )
            for name, value in feeds.items()
        ],
        [
            helper.make_tensor_value_info(
                name, TensorProto.FLOAT, (T, n, B, H) if name == "Y" else (n, B, H)
            )
            for name in outputs
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(outputs, {name: np.asarray(value) for name, value in feeds.items()})


VARIANTS = {
    "rnn-tanh": (RNN, {"nonlinearity": "tanh"}),
    "rnn-relu": (RNN, {"nonlinearity": "relu"}),
    "rnn-sigmoid": (RNN, {"nonlinearity": "sigmoid"}),
    "gru-after": (GRU, {"reset_after": True}),
    "gru-before": (GRU, {"reset_after": False}),
    "gru-after-write": (GRU, {"reset_after": True, "update_gate": "write"}),
    "gru-before-write": (GRU, {"reset_after": False, "update_gate": "write"}),
    "gru-no-reset": (GRU, {"reset_gate": False}),
    "lstm": (LSTM, {}),
    "lstm-1997": (LSTM, {"forget_gate": False}),
    "lstm-coupled": (LSTM, {"coupled": True}),
    "lstm-peephole": (LSTM, {"peephole": "diagonal"}),
    "lstm-coupled-peephole": (LSTM, {"coupled": True, "peephole": "diagonal"}),
    "lstm-1997-peephole": (LSTM, {"forget_gate": False, "peephole": "diagonal"}),
    "lstm-1997-relu-gates": (LSTM, {"forget_gate": False, "gate_activation": "relu"}),
    "lstm-1997-no-bias": (LSTM, {"forget_gate": False, "bias": False}),
    "lstm-identity": (LSTM, {"activation": "identity"}),
    "lstm-identity-gates": (LSTM, {"gate_activation": "identity", "forget_gate": False}),
    "rnn-identity": (RNN, {"nonlinearity": "identity"}),
    "gru-no-reset-no-bias": (GRU, {"reset_gate": False, "bias": False}),
    "lstm-relu-gates": (LSTM, {"gate_activation": "relu", "activation": "sigmoid"}),
}
CASES = list(itertools.product(VARIANTS, ("forward", "reverse", "bidirectional"), (False, True)))


@pytest.mark.parametrize(("variant", "direction", "lengths"), CASES)
def test_layer_equals_onnxruntime(variant, direction, lengths):
    kind, arguments = VARIANTS[variant]
    draw = np.random.default_rng(3)
    bidirectional, reverse = direction == "bidirectional", direction == "reverse"
    layer = kind(
        INPUT, H, bidirectional=bidirectional, reverse=reverse, **arguments, dtype=np.float32,
        rng=draw,
    )  # fmt: skip
    for p in layer.parameters():  # larger than the first values, so that gates differ
        p.assign(draw.standard_normal(p.shape))
    n = 2 if bidirectional else 1
    parts = 2 if kind is LSTM else 1
    x = draw.standard_normal((T, B, INPUT)).astype(np.float32)
    state = [draw.standard_normal((n, B, H)).astype(np.float32) for _ in range(parts)]
    lens = np.array([6, 1, 4]) if lengths else None

    Y, *finals = run_onnx(kind.__name__, layer, x, state, lens)

    output, final = layer(x, tuple(state) if parts == 2 else state[0], lengths=lens)
    output = output.numpy()
    final = [f.numpy() for f in (final if parts == 2 else [final])]

    expected = Y.transpose(0, 2, 1, 3).reshape(T, B, -1)
    assert np.abs(output - expected).max() < 1e-5 * max(1, np.abs(expected).max())
    for ours, theirs in zip(final, finals, strict=True):
        assert np.abs(ours - theirs).max() < 1e-5 * max(1, np.abs(theirs).max())
