"""Write reference.npz: what PyTorch and Keras compute, so that tests compare without them.

Made with torch 2.13.0 and keras 3.15.1 (torch backend):

    KERAS_BACKEND=torch python tests/rnn/reference/make_reference.py
"""

import json
from pathlib import Path

import keras
import numpy as np
import torch

HERE = Path(__file__).parent
T, B, INPUT, H = 5, 3, 4, 6

TORCH = {
    "rnn_tanh": ("RNN", {}),
    "rnn_relu_2_layers": ("RNN", {"nonlinearity": "relu", "num_layers": 2}),
    "gru": ("GRU", {}),
    "gru_bidirectional_lengths": ("GRU", {"bidirectional": True, "num_layers": 2}),
    "lstm": ("LSTM", {}),
    "lstm_no_bias_batch_first": ("LSTM", {"bias": False, "batch_first": True}),
    "lstm_projected_bidirectional": (
        "LSTM",
        {"proj_size": 3, "bidirectional": True, "num_layers": 2},
    ),
}
KERAS = {
    "simple_rnn": ("RNN", {}, keras.layers.SimpleRNN, {}, False),
    "gru_reset_after": ("GRU", {}, keras.layers.GRU, {}, False),
    "gru_reset_before": (
        "GRU",
        {"reset_after": False},
        keras.layers.GRU,
        {"reset_after": False},
        False,
    ),
    "lstm": ("LSTM", {}, keras.layers.LSTM, {}, False),
    "lstm_no_bias": ("LSTM", {"bias": False}, keras.layers.LSTM, {"use_bias": False}, False),
    "lstm_bidirectional": ("LSTM", {"bidirectional": True}, keras.layers.LSTM, {}, True),
    "gru_bidirectional": ("GRU", {"bidirectional": True}, keras.layers.GRU, {}, True),
}


def torch_case(kind, arguments, lengths):
    """Parameters, inputs, outputs, final states, and gradients of a weighted sum of all outputs."""
    layer = getattr(torch.nn, kind)(INPUT, H, **arguments).double()
    n = arguments.get("num_layers", 1) * (2 if arguments.get("bidirectional") else 1)
    first = arguments.get("proj_size") or H
    shape = (B, T, INPUT) if arguments.get("batch_first") else (T, B, INPUT)
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    states = [torch.randn(n, B, first, dtype=torch.float64, requires_grad=True)]
    if kind == "LSTM":
        states.append(torch.randn(n, B, H, dtype=torch.float64, requires_grad=True))
    fed = x
    if lengths is not None:
        pack = torch.nn.utils.rnn.pack_padded_sequence
        fed = pack(x, torch.tensor(lengths), enforce_sorted=False)
    output, final = layer(fed, tuple(states) if len(states) == 2 else states[0])
    if lengths is not None:
        output, _ = torch.nn.utils.rnn.pad_packed_sequence(output, total_length=T)
    finals = list(final) if len(states) == 2 else [final]
    seeds = [torch.randn_like(part) for part in (output, *finals)]
    loss = sum((seed * part).sum() for seed, part in zip(seeds, (output, *finals), strict=True))
    loss.backward()
    case = {"x": x, "output": output, "grad/x": x.grad, "seed/0": seeds[0]}
    for i, (state, end, seed) in enumerate(zip(states, finals, seeds[1:], strict=True)):
        case |= {f"state/{i}": state, f"final/{i}": end, f"seed/{i + 1}": seed}
        case[f"grad/state/{i}"] = state.grad
    for name, p in layer.named_parameters():
        case |= {f"parameter/{name}": p, f"grad/parameter/{name}": p.grad}
    if lengths is not None:
        case["lengths"] = torch.tensor(lengths)
    return {key: value.detach().numpy() for key, value in case.items()}


def keras_case(kind, arguments, bidirectional):
    """Weights, input (B, T, I) and output."""
    layer = kind(H, return_sequences=True, dtype="float64", **arguments)
    if bidirectional:
        layer = keras.layers.Bidirectional(layer, dtype="float64")
    draw = np.random.default_rng(0)
    x = draw.standard_normal((B, T, INPUT))
    layer(x)
    layer.set_weights([draw.standard_normal(w.shape) for w in layer.get_weights()])
    case = {f"weights/{i}": w for i, w in enumerate(layer.get_weights())}
    return case | {"x": x, "output": keras.ops.convert_to_numpy(layer(x))}


def main():
    torch.manual_seed(0)
    arrays = {}
    for name, (kind, arguments) in TORCH.items():
        lengths = [2, 5, 3] if name.endswith("lengths") else None
        case = torch_case(kind, arguments, lengths)
        case["layer"] = np.array(json.dumps([kind, arguments]))
        arrays |= {f"torch/{name}/{key}": value for key, value in case.items()}
    for name, (kind, ours, layer, arguments, bidirectional) in KERAS.items():
        case = keras_case(layer, arguments, bidirectional)
        case["layer"] = np.array(json.dumps([kind, ours]))
        arrays |= {f"keras/{name}/{key}": value for key, value in case.items()}
    np.savez_compressed(HERE / "reference.npz", **arrays)


if __name__ == "__main__":
    main()
