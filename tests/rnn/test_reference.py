"""Our layers against reference.npz, the committed numbers of PyTorch and Keras."""

import json
from pathlib import Path

import numpy as np
import pytest

import rnn
from microgrrepresent import Tensor, grad
from microgrrepresent import sum as total
from rnn.weights import load_keras, to_keras

ARRAYS = dict(np.load(Path(__file__).parent / "reference" / "reference.npz", allow_pickle=False))
CASES = sorted({key.rsplit("/layer")[0] for key in ARRAYS if key.endswith("/layer")})


def case(name):
    return {k.removeprefix(name + "/"): v for k, v in ARRAYS.items() if k.startswith(name + "/")}


def close(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


def made(reference):
    kind, arguments = json.loads(str(reference["layer"]))
    x = reference["x"]
    hidden = 6
    return kind, getattr(rnn, kind)(x.shape[-1], hidden, **arguments)


def under(reference, prefix):
    return {k.removeprefix(prefix): v for k, v in reference.items() if k.startswith(prefix)}


def test_there_are_cases():
    assert len([c for c in CASES if c.startswith("torch/")]) == 7
    assert len([c for c in CASES if c.startswith("keras/")]) == 7


@pytest.mark.parametrize("name", [c for c in CASES if c.startswith("torch/")])
def test_torch(name):
    reference = case(name)
    kind, layer = made(reference)
    layer.load_state_dict(under(reference, "parameter/"))
    x = Tensor(reference["x"])
    states = [Tensor(s) for _, s in sorted(under(reference, "state/").items())]
    output, final = layer(
        x, tuple(states) if kind == "LSTM" else states[0], lengths=reference.get("lengths")
    )
    finals = list(final) if kind == "LSTM" else [final]
    close(output.numpy(), reference["output"])
    for i, end in enumerate(finals):
        close(end.numpy(), reference[f"final/{i}"])
    parts = [output, *finals]
    loss = sum(total(reference[f"seed/{i}"] * part) for i, part in enumerate(parts))
    gradients = grad(loss, [x, *states, *layer.parameters()])
    names = ["x", *(f"state/{i}" for i in range(len(states)))]
    names += [f"parameter/{name}" for name, _ in layer.named_parameters()]
    assert len(names) == len(under(reference, "grad/"))
    for which, g in zip(names, gradients, strict=True):
        close(g, reference[f"grad/{which}"])


@pytest.mark.parametrize("name", [c for c in CASES if c.startswith("keras/")])
def test_keras(name):
    reference = case(name)
    _, layer = made(reference)
    weights = [w for _, w in sorted(under(reference, "weights/").items())]
    load_keras(layer, weights, to_keras(layer).arguments)
    output, _ = layer(reference["x"].swapaxes(0, 1))
    # committed as Keras 3.15 gives them: on torch it takes products in float32
    np.testing.assert_allclose(output.numpy().swapaxes(0, 1), reference["output"], atol=1e-6)
    for ours, theirs in zip(to_keras(layer).weights, weights, strict=True):
        close(ours, theirs)
