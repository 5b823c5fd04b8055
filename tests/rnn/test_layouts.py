"""Layouts of ONNX and Keras: order of gates by hand, round trips, and what has no place there.

That the numbers are right is tested with onnxruntime (parity) and with Keras' (test_reference).
"""

import numpy as np
import pytest

from rnn import GRU, LSTM, RNN, StateDictError

INPUT, H = 2, 3


def numbered(layer):
    """Parameters whose values say where they stand: row r of the k-th is k + r/100."""
    for k, p in enumerate(layer.parameters(), start=1):
        rows = np.arange(p.shape[0]).reshape(-1, *[1] * (p.ndim - 1))
        p.assign(np.broadcast_to(k + rows / 100, p.shape))
    return layer


def rows_of(block):
    return np.round((block - np.floor(block)) * 100).astype(int)


def test_order_of_the_gates_in_onnx():
    W, R, B, P = numbered(LSTM(INPUT, H, peephole="diagonal")).onnx_weights()
    i, f, g, o = range(3), range(3, 6), range(6, 9), range(9, 12)
    expected = [*i, *o, *f, *g]
    np.testing.assert_array_equal(rows_of(W[0, :, 0]), expected)
    np.testing.assert_array_equal(rows_of(R[0, :, 0]), expected)
    np.testing.assert_array_equal(rows_of(B[0]), expected * 2)
    np.testing.assert_array_equal(np.floor(P[0]), [5] * 3 + [7] * 3 + [6] * 3)  # i, o, f
    W, _, _, P = numbered(GRU(INPUT, H)).onnx_weights()
    r, z, n = range(3), range(3, 6), range(6, 9)
    np.testing.assert_array_equal(rows_of(W[0, :, 0]), [*z, *r, *n])
    assert P is None


def test_order_of_the_gates_in_keras():
    kernel, recurrent, bias = numbered(LSTM(INPUT, H)).keras_weights()
    assert (kernel.shape, recurrent.shape, bias.shape) == ((2, 12), (3, 12), (12,))
    np.testing.assert_array_equal(rows_of(kernel[0]), range(12))
    kernel, _, bias = numbered(GRU(INPUT, H)).keras_weights()
    np.testing.assert_array_equal(rows_of(kernel[0]), [3, 4, 5, 0, 1, 2, 6, 7, 8])
    assert bias.shape == (2, 9)
    np.testing.assert_array_equal(np.floor(bias[:, 0]), [3, 4])  # b_ih, b_hh
    assert GRU(INPUT, H, reset_after=False).keras_weights()[2].shape == (9,)
    assert len(LSTM(INPUT, H, 2, bidirectional=True).keras_weights()) == 12
    assert len(LSTM(INPUT, H, bias=False).keras_weights()) == 2


KERAS = {
    "rnn": lambda: RNN(INPUT, H, 2),
    "gru": lambda: GRU(INPUT, H, bidirectional=True),
    "gru-before": lambda: GRU(INPUT, H, reset_after=False),
    "gru-write": lambda: GRU(INPUT, H, update_gate="write"),
    "gru-no-reset": lambda: GRU(INPUT, H, reset_gate=False),
    "lstm": lambda: LSTM(INPUT, H, 2, bidirectional=True),
    "lstm-1997": lambda: LSTM(INPUT, H, forget_gate=False),
    "lstm-no-bias": lambda: LSTM(INPUT, H, bias=False),
}


@pytest.mark.parametrize("name", KERAS)
def test_a_round_trip_through_keras_computes_the_same(name):
    first, second = KERAS[name](), KERAS[name]()
    second.load_keras_weights(first.keras_weights())
    x = np.random.default_rng(0).standard_normal((4, 2, INPUT))
    np.testing.assert_allclose(second(x)[0].numpy(), first(x)[0].numpy(), rtol=1e-12)
    for a, b in zip(first.keras_weights(), second.keras_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-15)


ONNX = {
    "rnn": lambda seed: RNN(INPUT, H, bidirectional=True, rng=seed),
    "gru": lambda seed: GRU(INPUT, H, bidirectional=True, rng=seed),
    "gru-no-reset-write": lambda seed: GRU(
        INPUT, H, reset_gate=False, update_gate="write", rng=seed
    ),
    "lstm": lambda seed: LSTM(INPUT, H, bidirectional=True, rng=seed),
    "lstm-1997": lambda seed: LSTM(INPUT, H, forget_gate=False, rng=seed),
    "lstm-peephole": lambda seed: LSTM(INPUT, H, bidirectional=True, peephole="diagonal", rng=seed),
    "lstm-coupled-peephole": lambda seed: LSTM(
        INPUT, H, coupled=True, peephole="diagonal", rng=seed
    ),
}


@pytest.mark.parametrize("name", ONNX)
def test_a_round_trip_through_onnx_changes_nothing(name):
    first, second = ONNX[name](0), ONNX[name](1)
    second.load_onnx_weights(*first.onnx_weights())
    for key, value in first.state_dict().items():
        np.testing.assert_array_equal(second.state_dict()[key], value)


def test_a_keeping_and_a_writing_update_gate_are_one_in_a_file():
    """Both standards keep; a layer that writes negates the gate on the way in and out."""
    keeps, writes = GRU(INPUT, H), GRU(INPUT, H, update_gate="write")
    x = np.random.default_rng(0).standard_normal((4, 2, INPUT))
    for out, into in (("onnx", "load_onnx_weights"), ("keras", "load_keras_weights")):
        weights = getattr(keeps, f"{out}_weights")()
        getattr(writes, into)(*([weights] if out == "keras" else weights))
        np.testing.assert_allclose(writes(x)[0].numpy(), keeps(x)[0].numpy(), rtol=1e-12)


def test_each_layer_of_a_stack_by_its_number():
    first, second = (LSTM(INPUT, H, 2, bidirectional=True) for _ in range(2))
    for layer in (0, 1):
        weights = first.onnx_weights(layer)
        assert weights.W.shape == (2, 4 * H, INPUT if layer == 0 else 2 * H)
        second.load_onnx_weights(*weights, layer=layer)
    for name, value in first.state_dict().items():
        np.testing.assert_array_equal(second.state_dict()[name], value)


def test_onnx_without_biases():
    layer = GRU(INPUT, H, bias=False)
    W, R, B, _ = layer.onnx_weights()
    assert not B.any()
    layer.load_onnx_weights(W, R)
    layer.load_onnx_weights(W, R, B)


def test_attributes():
    assert GRU(INPUT, H, reset_after=False, bidirectional=True).onnx_attributes() == {
        "hidden_size": H,
        "direction": "bidirectional",
        "linear_before_reset": 0,
        "activations": ["Sigmoid", "Tanh"] * 2,
    }
    assert LSTM(INPUT, H, coupled=True).onnx_attributes()["input_forget"] == 1


def onnx(layer):
    return layer.onnx_weights()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: LSTM(INPUT, H, proj_size=2).onnx_weights(),
            "LSTMCell(2, 3): ONNX has no projection",
        ),
        (
            lambda: LSTM(INPUT, H, peephole="diagonal_previous").onnx_weights(),
            "LSTMCell(2, 3): ONNX has no peepholes of the output gate at the memory before",
        ),
        (
            lambda: LSTM(INPUT, H, coupled=True).keras_weights(),
            "LSTMCell(2, 3): Keras has no peepholes or coupled gates",
        ),
        (
            lambda: LSTM(INPUT, H).load_onnx_weights(*onnx(GRU(INPUT, H))),
            "load_onnx_weights: expected W of shape (1, 12, 2), given (1, 9, 2)",
        ),
        (
            lambda: GRU(INPUT, H).load_onnx_weights(*onnx(GRU(INPUT, H))[:2], np.zeros((1, 9))),
            "load_onnx_weights: expected B of shape (1, 18), given (1, 9)",
        ),
        (
            lambda: LSTM(INPUT, H, forget_gate=False).load_onnx_weights(*onnx(LSTM(INPUT, H))),
            "LSTMCell(2, 3) has no gate f, but the given weights have one that is not always "
            "open; make the layer with that gate",
        ),
        (
            lambda: GRU(INPUT, H, bias=False).load_onnx_weights(*onnx(GRU(INPUT, H))),
            "GRUCell(2, 3) has no biases, but the given weights do; use bias=True",
        ),
        (
            lambda: LSTM(INPUT, H).load_onnx_weights(*onnx(LSTM(INPUT, H, peephole="diagonal"))),
            "load_onnx_weights: LSTMCell(2, 3) has no peepholes, but P is given",
        ),
        (
            lambda: LSTM(INPUT, H, peephole="diagonal").load_onnx_weights(*onnx(LSTM(INPUT, H))),
            "load_onnx_weights: LSTMCell(2, 3) has peepholes, but P is not given",
        ),
        (
            lambda: LSTM(INPUT, H, 2).load_keras_weights(LSTM(INPUT, H).keras_weights()),
            "load_keras_weights: expected 6 arrays, kernel, recurrent_kernel and bias for each of "
            "2 layers and directions; given 3",
        ),
        (
            lambda: GRU(INPUT, H).load_keras_weights(
                GRU(INPUT, H, reset_after=False).keras_weights()
            ),
            "load_keras_weights: expected bias of shape (2, 9), given (9,)",
        ),
    ],
)
def test_errors(call, sentence):
    with pytest.raises(StateDictError) as error:
        call()
    assert str(error.value) == sentence
