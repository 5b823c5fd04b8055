"""Layouts of ONNX and Keras: order of gates by hand, round trips, and what has no place there.

That the numbers are right is tested with onnxruntime (parity) and with Keras' (test_reference).
"""

import numpy as np
import pytest

from rnn import GRU, LSTM, RNN, GRUCell, ResidualRNNCell, StateDictError
from rnn.weights import load_keras, load_onnx, to_keras, to_onnx

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
    W, R, B, P, _ = to_onnx(numbered(LSTM(INPUT, H, peephole="diagonal")))
    i, f, g, o = range(3), range(3, 6), range(6, 9), range(9, 12)
    expected = [*i, *o, *f, *g]
    np.testing.assert_array_equal(rows_of(W[0, :, 0]), expected)
    np.testing.assert_array_equal(rows_of(R[0, :, 0]), expected)
    np.testing.assert_array_equal(rows_of(B[0]), expected * 2)
    np.testing.assert_array_equal(np.floor(P[0]), [5] * 3 + [7] * 3 + [6] * 3)  # i, o, f
    W, _, _, P, _ = to_onnx(numbered(GRU(INPUT, H)))
    r, z, n = range(3), range(3, 6), range(6, 9)
    np.testing.assert_array_equal(rows_of(W[0, :, 0]), [*z, *r, *n])
    assert P is None


def test_order_of_the_gates_in_keras():
    kernel, recurrent, bias = to_keras(numbered(LSTM(INPUT, H))).weights
    assert (kernel.shape, recurrent.shape, bias.shape) == ((2, 12), (3, 12), (12,))
    np.testing.assert_array_equal(rows_of(kernel[0]), range(12))
    kernel, _, bias = to_keras(numbered(GRU(INPUT, H))).weights
    np.testing.assert_array_equal(rows_of(kernel[0]), [3, 4, 5, 0, 1, 2, 6, 7, 8])
    assert bias.shape == (2, 9)
    np.testing.assert_array_equal(np.floor(bias[:, 0]), [3, 4])  # b_ih, b_hh
    assert to_keras(GRU(INPUT, H, reset_after=False)).weights[2].shape == (9,)
    assert len(to_keras(LSTM(INPUT, H, 2, bidirectional=True)).weights) == 12
    assert len(to_keras(LSTM(INPUT, H, bias=False)).weights) == 2


KERAS = {
    "rnn": lambda: RNN(INPUT, H, 2),
    "gru": lambda: GRU(INPUT, H, bidirectional=True),
    "gru-before": lambda: GRU(INPUT, H, reset_after=False),
    "gru-write": lambda: GRU(INPUT, H, update_gate="write"),
    "gru-no-reset": lambda: GRU(INPUT, H, reset_gate=False),
    "lstm": lambda: LSTM(INPUT, H, 2, bidirectional=True),
    "lstm-1997": lambda: LSTM(INPUT, H, forget_gate=False),
    "lstm-no-bias": lambda: LSTM(INPUT, H, bias=False),
    "lstm-1997-no-bias": lambda: LSTM(INPUT, H, forget_gate=False, bias=False),
    "lstm-1997-relu-gates": lambda: LSTM(
        INPUT, H, forget_gate=False, gate_activation="relu", activation="identity"
    ),
    "gru-no-reset-no-bias": lambda: GRU(INPUT, H, 2, reset_gate=False, bias=False),
    "gru-no-reset-before": lambda: GRU(INPUT, H, reset_gate=False, reset_after=False),
    "rnn-relu": lambda: RNN(INPUT, H, nonlinearity="relu", bias=False, reverse=True),
    "rnn-identity": lambda: RNN(INPUT, H, 2, nonlinearity="identity"),
}
FUNCTIONS = {
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "relu": lambda a: np.maximum(a, 0),
    "tanh": np.tanh,
    "linear": lambda a: a,
}


def as_keras_computes(kind, x, weights, how):
    """One layer in one direction, by the documentation of Keras: the outputs (T, B, H)."""
    W, U, *bias = weights
    assert bool(bias) == how["use_bias"]
    b = bias[0] if bias else np.zeros(W.shape[1])
    b_in, b_rec = b if b.ndim == 2 else (b, np.zeros_like(b))
    phi = FUNCTIONS[how.get("activation", "tanh")]
    sigma = FUNCTIONS[how.get("recurrent_activation", "sigmoid")]
    H = how["units"]
    h = c = np.zeros((x.shape[1], H))
    outputs = []
    for x_t in x[::-1] if how.get("go_backwards") else x:
        a, r = x_t @ W + b_in, h @ U + b_rec
        if kind is RNN:
            h = phi(a + r)
        elif kind is LSTM:
            i, f, g, o = np.split(a + r, 4, axis=1)
            c = sigma(f) * c + sigma(i) * phi(g)
            h = sigma(o) * phi(c)
        else:
            z, reset = (sigma(s) for s in np.split((a + r)[:, : 2 * H], 2, axis=1))
            seen = reset * r[:, 2 * H :] if how["reset_after"] else (reset * h) @ U[:, 2 * H :]
            h = z * h + (1 - z) * phi(a[:, 2 * H :] + seen)
        outputs.append(h)
    return np.array(outputs[::-1] if how.get("go_backwards") else outputs)


@pytest.mark.parametrize("name", [name for name in KERAS if not KERAS[name]().bidirectional])
def test_what_is_written_computes_the_same_in_keras(name):
    layer = KERAS[name]()
    y = x = np.random.default_rng(0).standard_normal((4, 2, INPUT))
    weights, how = to_keras(layer)
    each = 3 if how["use_bias"] else 2
    for k in range(layer.num_layers):
        y = as_keras_computes(type(layer), y, weights[k * each : (k + 1) * each], how)
    np.testing.assert_allclose(layer(x)[0].numpy(), y, rtol=1e-12)


@pytest.mark.parametrize("name", KERAS)
def test_a_round_trip_through_keras_computes_the_same(name):
    first, second = KERAS[name](), KERAS[name]()
    load_keras(second, *to_keras(first))
    x = np.random.default_rng(0).standard_normal((4, 2, INPUT))
    np.testing.assert_allclose(second(x)[0].numpy(), first(x)[0].numpy(), rtol=1e-12)
    for a, b in zip(to_keras(first).weights, to_keras(second).weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-15)


ONNX = {
    "rnn": lambda seed: RNN(INPUT, H, bidirectional=True, rng=seed),
    "gru": lambda seed: GRU(INPUT, H, bidirectional=True, rng=seed),
    "gru-no-reset-write": lambda seed: GRU(
        INPUT, H, reset_gate=False, update_gate="write", rng=seed
    ),
    "lstm": lambda seed: LSTM(INPUT, H, bidirectional=True, rng=seed),
    "lstm-1997": lambda seed: LSTM(INPUT, H, forget_gate=False, rng=seed),
    "lstm-1997-peephole": lambda seed: LSTM(
        INPUT, H, forget_gate=False, peephole="diagonal", gate_activation="relu", rng=seed
    ),
    "lstm-reverse": lambda seed: LSTM(INPUT, H, reverse=True, rng=seed),
    "lstm-peephole": lambda seed: LSTM(INPUT, H, bidirectional=True, peephole="diagonal", rng=seed),
    "lstm-coupled-peephole": lambda seed: LSTM(
        INPUT, H, coupled=True, peephole="diagonal", rng=seed
    ),
}


@pytest.mark.parametrize("name", ONNX)
def test_a_round_trip_through_onnx_changes_nothing(name):
    first, second = ONNX[name](0), ONNX[name](1)
    load(second, to_onnx(first))
    for key, value in first.state_dict().items():
        np.testing.assert_array_equal(second.state_dict()[key], value)


def test_a_keeping_and_a_writing_update_gate_are_one_in_a_file():
    """Both standards keep; a layer that writes negates the gate on the way in and out."""
    keeps, writes = GRU(INPUT, H), GRU(INPUT, H, update_gate="write")
    x = np.random.default_rng(0).standard_normal((4, 2, INPUT))
    for give in (
        lambda: load(writes, to_onnx(keeps)),
        lambda: load_keras(writes, *to_keras(keeps)),
    ):
        give()
        np.testing.assert_allclose(writes(x)[0].numpy(), keeps(x)[0].numpy(), rtol=1e-12)


def test_each_layer_of_a_stack_by_its_number():
    first, second = (LSTM(INPUT, H, 2, bidirectional=True) for _ in range(2))
    for layer in (0, 1):
        weights = to_onnx(first, layer)
        assert weights.W.shape == (2, 4 * H, INPUT if layer == 0 else 2 * H)
        load(second, weights, number=layer)
    for name, value in first.state_dict().items():
        np.testing.assert_array_equal(second.state_dict()[name], value)


def test_onnx_without_biases():
    layer = GRU(INPUT, H, bias=False)
    W, R, B, _, attributes = to_onnx(layer)
    assert not B.any()
    load_onnx(layer, attributes, W, R)
    load_onnx(layer, attributes, W, R, B)


def test_attributes():
    assert to_onnx(GRU(INPUT, H, reset_after=False, bidirectional=True)).attributes == {
        "hidden_size": H,
        "direction": "bidirectional",
        "linear_before_reset": 0,
        "activations": ["Sigmoid", "Tanh"] * 2,
    }
    assert to_onnx(LSTM(INPUT, H, coupled=True)).attributes["input_forget"] == 1
    assert to_onnx(RNN(INPUT, H, nonlinearity="identity", reverse=True)).attributes == {
        "hidden_size": H,
        "direction": "reverse",
        "activations": ["Affine"],
        "activation_alpha": [1.0],
        "activation_beta": [0.0],
    }


def test_the_forget_block_of_coupled_gates_is_not_read():
    """As in ONNX, where input_forget=1 makes f of i."""
    W, R, B, P, attributes = to_onnx(numbered(LSTM(INPUT, H)))
    coupled = LSTM(INPUT, H, coupled=True)
    load_onnx(coupled, attributes | {"input_forget": 1}, W, R, B, P)
    again = to_onnx(coupled)
    kept = [*range(6), *range(9, 12)]  # i, o, c
    np.testing.assert_array_equal(again.W[:, kept], W[:, kept])
    assert not again.W[:, 6:9].any() and not again.B.reshape(2, 4, H)[:, 2].any()


@pytest.mark.parametrize("fault", ["shape", "bias", "text", "complex"])
def test_what_fails_to_load_changes_nothing(fault):
    layer = GRU(INPUT, H, bidirectional=True, bias=fault != "bias", rng=0)
    other = GRU(INPUT, H, bidirectional=True, rng=1)
    before = layer.state_dict()
    arrays, node = to_keras(other).weights, to_onnx(other)
    onnx_arrays = list(node[:3])
    if fault == "bias":  # of the backward direction only
        arrays[2] *= 0
        onnx_arrays[2][0] = 0
    else:
        change = {
            "shape": lambda a: a[..., :-1],
            "text": lambda a: a.astype(str),
            "complex": lambda a: a * 1j,
        }[fault]
        arrays[-1], onnx_arrays[-1] = change(arrays[-1]), change(onnx_arrays[-1])
        state = other.state_dict()
        state["bias_hh_l0_reverse"] = change(state["bias_hh_l0_reverse"])
        with pytest.raises(StateDictError):
            layer.load_state_dict(state)
    with pytest.raises(StateDictError):
        load_keras(layer, arrays, to_keras(layer).arguments)
    with pytest.raises(StateDictError):
        load_onnx(layer, node.attributes, *onnx_arrays)
    for name, value in layer.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_layers_are_counted_from_0():
    with pytest.raises(ValueError, match=r"its layers are numbered 0\.\.1, got 2"):
        to_onnx(LSTM(INPUT, H, 2), 2)
    with pytest.raises(ValueError, match=r"numbered 0\.\.0, got -1"):
        load(LSTM(INPUT, H), to_onnx(LSTM(INPUT, H)), number=-1)


@pytest.mark.parametrize(
    ("layer", "changed"),
    [
        (lambda: GRU(INPUT, H), {"clip": 0.5}),
        (lambda: GRU(INPUT, H), {"clip": 0.0}),
        (lambda: GRU(INPUT, H), {"activations": [b"Relu", b"Tanh"]}),
        (lambda: GRU(INPUT, H), {"linear_before_reset": 0}),
        (lambda: GRU(INPUT, H), {"layout": 1}),
        (lambda: GRU(INPUT, H), {"activation_alpha": [0.5]}),
        (lambda: GRU(INPUT, H), {"direction": "reverse"}),
        (lambda: GRU(INPUT, H), {"hidden_size": H + 1}),
        (lambda: LSTM(INPUT, H), {"input_forget": 1}),
        (lambda: LSTM(INPUT, H, coupled=True), {"input_forget": 0}),
        (lambda: LSTM(INPUT, H), {"some_later_attribute": 3}),
        (lambda: RNN(INPUT, H, nonlinearity="identity"), {"activation_beta": [1.0]}),
    ],
)
def test_a_node_that_computes_something_else_is_refused_by_name(layer, changed):
    layer = layer()
    node, before = to_onnx(layer), layer.state_dict()
    with pytest.raises(StateDictError, match=f"the node has {next(iter(changed))}="):
        load_onnx(layer, node.attributes | changed, *[2 * a for a in node[:3]])
    for name, value in layer.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_attributes_may_be_arrays_of_numpy():
    layer = RNN(INPUT, H, nonlinearity="identity")
    node = to_onnx(layer)
    given = {name: np.array(value) for name, value in node.attributes.items()}
    load_onnx(layer, given, *node[:3])
    with pytest.raises(StateDictError, match="the node has activation_beta="):
        load_onnx(layer, given | {"activation_beta": np.ones(1)}, *node[:3])
    with pytest.raises(StateDictError, match="the node has activations="):
        load_onnx(layer, given | {"activations": [b"\xff"]}, *node[:3])


def test_the_weights_of_another_activation_are_never_taken_for_those_of_a_standard_layer():
    other = LSTM(INPUT, H, gate_activation="relu")
    weights, arguments = to_keras(other)
    for config in (None, {}, [], {"units": H}, [{}]):
        with pytest.raises(StateDictError, match=r"load_keras: .*config"):
            load_keras(LSTM(INPUT, H), weights, config)
    with pytest.raises(StateDictError, match="has recurrent_activation='relu'"):
        load_keras(LSTM(INPUT, H), weights, arguments)
    both = to_keras(LSTM(INPUT, H, 2))
    with pytest.raises(StateDictError, match="has recurrent_activation='relu'"):
        load_keras(LSTM(INPUT, H, 2), both.weights, [both.arguments, arguments])


def test_attributes_that_are_left_out_have_the_defaults_of_onnx():
    before = GRU(INPUT, H, reset_after=False)
    arrays = to_onnx(GRU(INPUT, H, reset_after=False))[:3]
    load_onnx(before, {}, *arrays)
    load_onnx(before, {"activations": [b"sigmoid", b"TANH"], "direction": b"forward"}, *arrays)
    load_onnx(GRU(INPUT, H, reset_after=False, batch_first=True), {"layout": 1}, *arrays)
    with pytest.raises(StateDictError, match=r"has linear_before_reset=0; the layer has .*=1"):
        load_onnx(GRU(INPUT, H), {}, *arrays)
    with pytest.raises(StateDictError, match=r"has activations=.*Tanh"):
        load_onnx(RNN(INPUT, H, nonlinearity="relu"), {}, *to_onnx(RNN(INPUT, H))[:3])
    with pytest.raises(StateDictError, match=r"attributes must be a mapping .* got ndarray"):
        load_onnx(before, *arrays)


@pytest.mark.parametrize("bias", ["bias_ih_l0", "bias_hh_l0"])
def test_either_bias_is_missed_by_a_layer_that_has_none(bias):
    layer = RNN(INPUT, H)
    for name in {"bias_ih_l0", "bias_hh_l0"} - {bias}:
        setattr(layer, name, np.zeros(H))
    with pytest.raises(StateDictError, match="has no biases, but the given weights do"):
        load(RNN(INPUT, H, bias=False), to_onnx(layer))


@pytest.mark.parametrize(
    "changed",
    [
        {"activation": "relu"},
        {"recurrent_activation": "hard_sigmoid"},
        {"reset_after": False},
        {"go_backwards": True},
        {"units": 7},
    ],
)
def test_a_keras_layer_that_computes_something_else_is_refused_by_name(changed):
    layer = GRU(INPUT, H)
    weights, arguments = to_keras(layer)
    name = next(iter(changed))
    with pytest.raises(StateDictError, match=f"the Keras layer has {name}="):
        load_keras(layer, weights, arguments | changed)
    with pytest.raises(StateDictError, match=f"the Keras layer has {name}="):
        config = {"layer": {"config": arguments | changed}, "merge_mode": "concat"}
        load_keras(layer, weights, config)
    load_keras(layer, weights, {"layer": {"config": arguments}, "merge_mode": "concat"})


@pytest.mark.parametrize("mode", ["sum", "mul", "ave", None])
def test_two_directions_in_keras_that_are_not_joined_are_refused_by_name(mode):
    layer = GRU(INPUT, H, bidirectional=True)
    weights, arguments = to_keras(layer)
    config = {"layer": {"config": arguments}, "merge_mode": mode}
    with pytest.raises(StateDictError, match=f"has merge_mode={mode!r}; .* merge_mode='concat'"):
        load_keras(layer, weights, config)


def test_the_backward_layer_of_a_bidirectional_is_checked_too():
    layer = GRU(INPUT, H, bidirectional=True)
    weights, arguments = to_keras(layer)
    backward = arguments | {"go_backwards": True}
    config = {"merge_mode": "concat", "layer": {"config": arguments}}
    load_keras(layer, weights, config | {"backward_layer": {"config": backward}})
    for changed in ({"activation": "relu"}, {"go_backwards": False}):
        with pytest.raises(StateDictError, match=f"the Keras layer has {next(iter(changed))}="):
            load_keras(layer, weights, config | {"backward_layer": {"config": backward | changed}})


def load(layer, node, **more):
    load_onnx(layer, node.attributes, *node[:4], **more)


def own(layer, *arrays):
    """Load other weights with the attributes that fit the layer."""
    load_onnx(layer, to_onnx(layer).attributes, *arrays)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: to_onnx(LSTM(INPUT, H, proj_size=2)),
            "LSTM(2, 3, proj_size=2): ONNX has no projection",
        ),
        (
            lambda: to_onnx(LSTM(INPUT, H, peephole="diagonal_previous")),
            "LSTM(2, 3, peephole='diagonal_previous'): ONNX has no peepholes of the output gate "
            "at the memory before",
        ),
        (
            lambda: to_onnx(RNN(INPUT, H, cell=ResidualRNNCell)),
            "RNN(2, 3, cell=ResidualRNNCell): ONNX has no such cell",
        ),
        (
            lambda: own(
                LSTM(INPUT, H, forget_gate=False, peephole="diagonal"),
                *to_onnx(LSTM(INPUT, H, forget_gate=False))[:3],
                np.ones((1, 3 * H)),
            ),
            "LSTM(2, 3, forget_gate=False, peephole='diagonal') has no gate f, but the given "
            "weights have one that is not always "
            "open; make the layer with that gate",
        ),
        (
            lambda: to_keras(LSTM(INPUT, H, coupled=True)),
            "LSTM(2, 3, coupled=True): Keras has no peepholes or coupled gates",
        ),
        (
            lambda: own(LSTM(INPUT, H), *to_onnx(GRU(INPUT, H))[:4]),
            "load_onnx: expected W of shape (1, 12, 2), got (1, 9, 2); "
            "are input_size, hidden_size, directions and the kind of layer the same?",
        ),
        (
            lambda: own(GRU(INPUT, H), *to_onnx(GRU(INPUT, H))[:2], np.zeros((1, 9))),
            "load_onnx: expected B of shape (1, 18), got (1, 9); "
            "are input_size, hidden_size, directions and the kind of layer the same?",
        ),
        (
            lambda: own(LSTM(INPUT, H, forget_gate=False), *to_onnx(LSTM(INPUT, H))[:4]),
            "LSTM(2, 3, forget_gate=False) has no gate f, but the given weights have one that is "
            "not always "
            "open; make the layer with that gate",
        ),
        (
            lambda: own(GRU(INPUT, H, bias=False), *to_onnx(GRU(INPUT, H))[:4]),
            "GRU(2, 3) has no biases, but the given weights do; use bias=True",
        ),
        (
            lambda: own(LSTM(INPUT, H), *to_onnx(LSTM(INPUT, H, peephole="diagonal"))[:4]),
            "load_onnx: LSTM(2, 3) has no peepholes, but P is given; use "
            "LSTM(..., peephole='diagonal')",
        ),
        (
            lambda: own(LSTM(INPUT, H, peephole="diagonal"), *to_onnx(LSTM(INPUT, H))[:4]),
            "load_onnx: LSTM(2, 3, peephole='diagonal') has peepholes, but P is not "
            "given; give zeros or P",
        ),
        (
            lambda: own(GRU(INPUT, H), *to_onnx(GRU(INPUT, H))[:3], np.ones((1, 9))),
            "load_onnx: GRU(2, 3) has no peepholes, but P is given; leave P out",
        ),
        (
            lambda: load_keras(LSTM(INPUT, H), to_keras(LSTM(INPUT, H)).weights),
            "load_keras: config must be what get_config() of the Keras layers gave, got None; "
            "arrays do not show the activations. Or give the layers themselves: "
            "load_keras(layer, keras_layer)",
        ),
        (
            lambda: load_keras(GRU(INPUT, H), to_keras(GRU(INPUT, H)).weights, {"units": H}),
            "load_keras: the config does not say activation, recurrent_activation, reset_after; "
            "give what get_config() of the Keras layer gave",
        ),
        (
            lambda: load_onnx(GRUCell(INPUT, H), {}, *to_onnx(GRU(INPUT, H))[:3]),
            "load_onnx: expected a layer, an RNN, GRU or LSTM, got GRUCell(2, 3)",
        ),
        (
            lambda: load_keras(GRUCell(INPUT, H), []),
            "load_keras: expected a layer, an RNN, GRU or LSTM, got GRUCell(2, 3)",
        ),
        (
            lambda: to_onnx(GRUCell(INPUT, H)),
            "to_onnx: expected a layer, an RNN, GRU or LSTM, got GRUCell(2, 3)",
        ),
        (
            lambda: to_keras(GRUCell(INPUT, H)),
            "to_keras: expected a layer, an RNN, GRU or LSTM, got GRUCell(2, 3)",
        ),
        (
            lambda: load_keras(GRU(INPUT, H), None),
            "load_keras: expected a Keras layer, or a list of arrays, as get_weights() gives, for "
            "GRU(2, 3), got NoneType",
        ),
        (
            lambda: load_keras(LSTM(INPUT, H, 2), *to_keras(LSTM(INPUT, H))),
            "load_keras: expected kernel, recurrent_kernel and, unless use_bias=False, "
            "bias for each of 2 layers and directions, got 3 arrays",
        ),
        (
            lambda: load_keras(
                GRU(INPUT, H),
                to_keras(GRU(INPUT, H, reset_after=False)).weights,
                to_keras(GRU(INPUT, H)).arguments,
            ),
            "load_keras: expected bias of shape (2, 9), got (9,); "
            "are input_size, hidden_size, directions and the kind of layer the same?",
        ),
    ],
)
def test_errors(call, sentence):
    with pytest.raises(StateDictError) as error:
        call()
    assert str(error.value) == sentence
