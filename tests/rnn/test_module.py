"""Modules: what is found, in which order, under which names; saving and loading."""

import errno
import os
from collections import deque
from functools import partial

import numpy as np
import pytest

from microgrrepresent import DTypeError, Graph, ShapeError, Tensor, draw, tanh
from rnn import (
    GRU,
    LSTM,
    NARX,
    RNN,
    SGD,
    Attention,
    CheckpointError,
    CTRNNCell,
    Dropout,
    Embedding,
    FileError,
    GraphRecurrentCell,
    GRUCell,
    HopfieldNetwork,
    LanguageModel,
    Linear,
    LSTMCell,
    Module,
    StateDictError,
    Vocabulary,
    language_model_batches,
    last_state,
    log_probability,
    mse_loss,
    pad,
    save_checkpoint,
    sequence_loss,
    sequence_mask,
    unroll,
)


class Net(Module):
    def __init__(self):
        self.embedding = Embedding(4, 3, rng=0)
        self.layers = [Linear(3, 3, rng=1), Linear(3, 2, bias=False, rng=2)]
        self.by_name = {"left": Linear(2, 1, rng=3)}
        self.scale = Tensor(2.0, requires_grad=True)
        self.fixed = Tensor([1.0, 2.0])
        self.hidden = 5
        self.result = self.scale * 2  # has a history: no parameter


NAMES = [
    "embedding.weight",
    "layers.0.weight",
    "layers.0.bias",
    "layers.1.weight",
    "by_name.left.weight",
    "by_name.left.bias",
    "scale",
]


def test_parameters_in_the_order_of_their_setting():
    net = Net()
    assert [name for name, _ in net.named_parameters()] == NAMES
    assert [p.shape for p in net.parameters()] == [(4, 3), (3, 3), (3,), (2, 3), (1, 2), (1,), ()]
    assert list(net.state_dict()) == [*NAMES, "fixed"]


def test_a_shared_parameter_counts_once_and_is_saved_under_both_names():
    net = Net()
    net.tied = net.layers[0].weight
    assert [name for name, _ in net.named_parameters()] == NAMES
    assert np.array_equal(net.state_dict()["tied"], net.state_dict()["layers.0.weight"])


class Tagger(Module):
    def __init__(self):
        self.embedding, self.layer, self.head = Embedding(10, 4), GRU(4, 5), Linear(5, 10, False)


def test_a_module_with_forward_can_be_called():
    class Double(Linear):
        def __init__(self):
            super().__init__(2, 2, rng=0)

    class Net(Module):
        def __init__(self):
            self.inner = Double()

        def forward(self, x, *, scale=1):
            return self.inner(x) * scale

    net, x = Net(), np.ones((3, 2))
    np.testing.assert_array_equal(net(x, scale=2).numpy(), 2 * net.inner(x).numpy())
    with pytest.raises(TypeError, match=r"Tagger cannot be called, .* define def forward\(self, x"):
        Tagger()(x)


@pytest.mark.parametrize("vectors", [np.ones((10, 4)), np.ones((10, 4), "f4").tolist()])
def test_a_parameter_that_is_set_to_an_array_takes_its_values_over(vectors):
    model = Tagger()
    own, before = model.embedding.weight, len(model.parameters())
    model.embedding.weight = vectors
    assert model.embedding.weight is own and (own.numpy() == 1).all()
    assert len(model.parameters()) == before and "embedding.weight" in model.state_dict()
    own.requires_grad = False
    model.embedding.weight = 2 * np.ones((10, 4))
    assert not model.embedding.weight.requires_grad and (own.numpy() == 2).all()


def test_a_parameter_that_is_set_to_a_parameter_is_tied():
    model = Tagger()
    model.head = Linear(4, 10, bias=False)
    model.head.weight = model.embedding.weight
    assert len(model.parameters()) == 5 and model.head.weight is model.embedding.weight


def test_what_would_be_no_parameter_is_refused():
    layer = Linear(4, 3, rng=0)
    before = layer.weight
    for value, error, sentence in [
        (
            Tensor(np.ones((3, 4))),
            TypeError,
            "Linear.weight is a .* that requires no grad",
        ),
        (
            2 * before,
            TypeError,
            r"is a result, and no leaf; give weight = tensor",
        ),
        (None, TypeError, "Linear.weight is a parameter, got None"),
        (np.ones((4, 3)), ShapeError, r"\(3, 4\)"),
        (1j * np.ones((3, 4)), DTypeError, "complex"),
        (Tensor(np.ones((4, 3)), True), ShapeError, r"got a Tensor \(4, 3\) of float64"),
        (Tensor(np.ones((3, 4), "f4"), True), DTypeError, r"got a Tensor \(3, 4\) of float32"),
    ]:
        with pytest.raises(error, match=sentence):
            layer.weight = value
        assert layer.weight is before and len(layer.parameters()) == 2


class Held(Module):
    def __init__(self):
        self.ws = [Tensor(np.ones(2), requires_grad=True), Tensor(np.ones(3), requires_grad=True)]
        self.by_name = {"gain": (Tensor(np.ones(2), requires_grad=True),)}


def test_parameters_in_lists_and_dicts_take_values_over_place_by_place():
    model = Held()
    before = model.parameters()
    model.ws = [2 * np.ones(2), [3, 3, 3]]
    model.by_name = {"gain": [4 * np.ones(2)]}
    assert [id(p) for p in model.parameters()] == [id(p) for p in before]
    assert [p.numpy()[0] for p in model.parameters()] == [2, 3, 4]
    model.ws = [*model.ws, Tensor(np.ones(1), requires_grad=True)]
    tied = Tensor(np.zeros(2), requires_grad=True)
    model.by_name = {"gain": (tied,)}
    assert len(model.parameters()) == 4 and model.parameters()[-1] is tied
    assert tied.name == before[-1].name


@pytest.mark.parametrize(
    ("name", "value", "error", "sentence"),
    [
        ("ws", [np.ones(3), np.ones(3)], ShapeError, r"\(2,\)"),
        ("ws", [np.ones(2)], TypeError, "Held.ws.1 is a parameter, got None"),
        ("ws", None, TypeError, "Held.ws.0 is a parameter, got NoneType for Held.ws; give a list"),
        ("ws", {0: np.ones(2)}, TypeError, "got dict for Held.ws"),
        ("by_name", {}, TypeError, "Held.by_name.gain.0 is a parameter, got NoneType"),
        ("by_name", {"gain": [Tensor(np.ones(2))]}, TypeError, "requires no gradient"),
    ],
)
def test_lists_and_dicts_that_would_lose_a_parameter_are_refused(name, value, error, sentence):
    model = Held()
    before = model.parameters()
    with pytest.raises(error, match=sentence):
        setattr(model, name, value)
    assert [id(p) for p in model.parameters()] == [id(p) for p in before]


def test_lists_without_parameters_may_become_anything():
    model = Held()
    model.seen = [Tensor(np.ones(2)), 1]
    model.seen = []
    model.seen = None
    assert model.seen is None and len(model.parameters()) == 3


def test_a_tensor_that_is_no_parameter_may_be_any_other():
    net = Net()
    net.fixed = Tensor(np.ones((3, 3)))
    net.fixed = None
    assert net.fixed is None


def test_two_names_of_one_parameter_have_one_value():
    net = Net()
    net.tied = net.layers[0].weight
    state = net.state_dict()
    net.load_state_dict(state)
    state["tied"] = state["tied"] + 1
    before = net.layers[0].weight.numpy().copy()
    with pytest.raises(
        StateDictError, match=r"layers.0.weight and tied are one parameter, got two values"
    ):
        net.load_state_dict(state)
    np.testing.assert_array_equal(net.layers[0].weight.numpy(), before)
    state["layers.0.weight"] = state["tied"] = np.full((3, 3), np.nan)
    net.load_state_dict(state)


class Two(Module):
    def __init__(self):
        self.fc1, self.fc2 = Linear(3, 4, rng=0), Linear(4, 2, rng=1)

    def forward(self, x):
        return self.fc2(tanh(self.fc1(x)))


@pytest.mark.parametrize("view", ["operations", "variables", "gates", "cells"])
def test_parameters_of_one_name_say_whose_they_are(view):
    L = Two()(np.ones((5, 3))).sum().named("L")
    boxes = [box for box in draw(L, view=view).picture.boxes if box.kind == "parameter"]
    labels = ["|".join(run.text for line in box.label for run in line) for box in boxes]
    assert len(set(labels)) == 4 and {label.split("|")[-1] for label in labels} == {"fc1", "fc2"}
    assert Graph(L).label(L.parents[0].parents[1]) == "fc2/b"


def test_a_path_of_modules_stands_before_a_parameter_but_not_before_a_cells():
    class Outer(Module):
        def __init__(self):
            self.parts = [Two(), GRU(3, 4)]
            self.by_name = {"tagger": Tagger()}

    net = Outer()
    scopes = {name: tensor.scope for name, tensor in net.named_tensors()}
    assert scopes["parts.0.fc2.bias"] == "parts/0/fc2"
    assert scopes["by_name.tagger.head.weight"] == "by_name/tagger/head"
    assert scopes["parts.1.weight_ih_l0"] == scopes["by_name.tagger.layer.weight_ih_l0"] == ""


class Coder(Module):
    def __init__(self, make=GRU):
        self.enc = make(3, 4, rng=0)
        self.dec = make(self.enc.output_size, 4, rng=1)

    def forward(self, x):
        return self.dec(self.enc(x)[0])[0]


@pytest.mark.parametrize("make", [RNN, GRU, LSTM, partial(LSTM, num_layers=2, bidirectional=True)])
def test_layers_of_one_kind_say_whose_they_are(make):
    net = Coder(make)
    L = net(np.ones((3, 2, 3))).sum().named("L")
    scopes = {node.scope.split("/")[0] for node in Graph(L) if "/" in node.scope}
    assert scopes == {"enc", "dec"}
    cells = [cell.scope for layer in (net.enc, net.dec) for cell in layer.cells]
    assert len(set(cells)) == len(cells)
    kinds = {"/".join(cell.split("/")[1:]) for cell in cells[: len(cells) // 2]}
    assert kinds == {"/".join(cell.split("/")[1:]) for cell in cells[len(cells) // 2 :]}


def test_layers_of_one_kind_are_told_apart_in_a_picture():
    L = Coder()(np.ones((3, 2, 3))).sum().named("L")
    boxes = draw(L, view="cells").picture.boxes
    said = {
        "|".join(run.text for line in box.label for run in line)
        for box in boxes
        if box.kind in ("cell", "parameter")
    }
    assert {"enc", "dec"} <= said
    assert {words.rpartition("|")[2] for words in said} == {"enc", "dec"}


def test_one_layer_keeps_its_name_and_modules_in_modules_get_their_paths():
    class Outer(Module):
        def __init__(self):
            self.a, self.b, self.one = Coder(), Coder(), LSTM(2, 3)
            self.same = self.one

    net = Outer()
    found = [net.a.enc, net.a.dec, net.b.enc, net.b.dec, net.one]
    assert [layer.scope for layer in found] == [
        *("a/enc/gru", "a/dec/gru", "b/enc/gru", "b/dec/gru", "lstm"),
    ]


def test_train_and_eval_reach_every_module():
    net = Net()
    net.drop = [Dropout(0.5)]
    assert not net.eval().drop[0].training
    assert net.train().drop[0].training
    assert not net.train(False).layers[0].training


def test_zero_grad():
    net = Net()
    (net.layers[0](np.ones((1, 3))).sum() + net.scale).backward()
    assert net.layers[0].weight.grad is not None
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_state_dict_is_a_copy():
    net = Net()
    state = net.state_dict()
    state["scale"][...] = 7
    assert float(net.scale) == 2


def test_load_state_dict_keeps_data_types_and_takes_anything_like_an_array():
    layer = Linear(2, 1, dtype=np.float32)
    layer.load_state_dict({"weight": [[1.0, 2.0]], "bias": Tensor([3.0])})
    assert layer.weight.dtype == np.float32
    assert layer([[1.0, 1.0]]).numpy().tolist() == [[6.0]]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda s: s.pop("bias"), "missing: bias (2,)"),
        (lambda s: s.update(more=np.zeros(3)), "unexpected: more (3,)"),
        (lambda s: s.update(weight=np.zeros((3, 2))), "weight: expected (2, 3), got (3, 2)"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change, sentence):
    layer = Linear(3, 2, rng=0)
    before = layer.state_dict()
    state = {name: value + 1 for name, value in before.items()}
    change(state)
    with pytest.raises(StateDictError) as error:
        layer.load_state_dict(state)
    assert sentence in str(error.value)
    assert "Linear(3, 2)" in str(error.value) and "nothing was loaded" in str(error.value)
    for name, value in layer.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_a_state_of_numbers_that_are_too_large_changes_nothing():
    layer = Linear(2, 1, dtype=np.float32, rng=0)
    before = layer.state_dict()
    state = {"weight": [[1.0, 1e300]], "bias": [1.0]}
    with pytest.raises(StateDictError, match="weight: has numbers that are too large for float32"):
        layer.load_state_dict(state)
    for name, value in layer.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    layer.load_state_dict({"weight": [[1.0, np.inf]], "bias": [1]})  # as it was saved
    assert np.isinf(layer.weight.numpy()).tolist() == [[False, True]]


def test_a_result_is_no_parameter_as_the_docs_say():
    net = Module()
    net.state = Tensor([1.0, 2.0], requires_grad=True) * 0.01
    assert net.parameters() == []


MASKED = np.ma.array([1.0, 2.0], mask=[False, True])


@pytest.mark.parametrize(
    "use",
    [
        Linear(2, 1, rng=0),
        LSTM(2, 1, rng=0),
        lambda a: GRU(2, 1, rng=0)([[a]]),
        lambda a: Embedding(3, 2, rng=0)(a.astype(int)),
        lambda a: unroll(lambda x, s: x, a, None),
        lambda a: Linear(2, 1, rng=0).load_state_dict({"weight": [a], "bias": [0.0]}),
        lambda a: setattr(Linear(1, 2, rng=0), "bias", a),
        lambda a: pad([[1.0], a]),
        lambda a: list(language_model_batches(a.astype(int), 1, 1)),
        lambda a: mse_loss(Tensor([1.0, 1.0]), a),
        lambda a: sequence_loss(mse_loss, Tensor([1.0, 1.0]), a),
        lambda a: mse_loss(Tensor([1.0, 1.0]), [1.0, 1.0], mask=a.astype(int)),
        lambda a: Attention(1, 1, "dot", rng=0)([1.0], [[1.0], [1.0]], a > 0),
        lambda a: HopfieldNetwork(2).store([a]),
        lambda a: HopfieldNetwork(2).recall(a),
        lambda a: NARX(1, 1, 1, 2, rng=0).teacher_forced([[1.0]] * 2, a[:, None]),
        lambda a: GraphRecurrentCell(1, 2, rng=0).on(a.astype(int)[None], 3),
        lambda a: last_state(Tensor(np.ones((2, 2, 1))), a.astype(int)),
        lambda a: sequence_mask(a.astype(int)),
        lambda a: log_probability(lambda x, s: (np.zeros((2, 3)), s), [0, 0], a.astype(int)[None]),
        lambda a: CTRNNCell(1, 2, tau=a),
        lambda a: LanguageModel(3, 2, rng=0)(a.astype(int)),
        lambda a: Vocabulary.of("ab").decode(a.astype(int)),
        lambda a: save_checkpoint("never.npz", {"a": a}),
    ],
)
def test_masked_arrays_are_refused(use):
    refusal = (DTypeError, CheckpointError)  # the latter says where in a checkpoint
    with pytest.raises(refusal, match=r"masked array would lose its mask.*array\.filled\(0\)"):
        use(MASKED)


def test_of_many_missing_names_the_first_and_the_last_are_named():
    layers = Module()
    layers.all = [Linear(1, 1, bias=False, rng=0) for _ in range(100)]
    with pytest.raises(StateDictError) as error:
        layers.load_state_dict({})
    assert "all.2.weight (1, 1), ... and 96 more, and all.99.weight (1, 1);" in str(error.value)


def test_save_and_load(tmp_path):
    first, second = (LSTM(3, 4, num_layers=2, rng=seed) for seed in (0, 1))
    first.save(tmp_path / "model.npz")
    second.load(tmp_path / "model.npz")
    for name, value in first.state_dict().items():
        np.testing.assert_array_equal(second.state_dict()[name], value)
    assert [file.name for file in tmp_path.iterdir()] == ["model.npz"]
    with np.load(tmp_path / "model.npz", allow_pickle=False) as file:
        assert set(file.files) == set(first.state_dict())


def test_names_that_do_not_match_are_returned_when_that_is_allowed():
    layer = Linear(2, 3, rng=0)
    bias = layer.bias.numpy().copy()
    state = {"weight": np.ones((3, 2)), "other": np.ones(1)}
    unmatched = layer.load_state_dict(state, strict=False)
    assert unmatched.missing_keys == ["bias"] and unmatched.unexpected_keys == ["other"]
    assert (layer.weight.numpy() == 1).all() and (layer.bias.numpy() == bias).all()
    assert layer.load_state_dict(layer.state_dict()) == ([], [])
    with pytest.raises(StateDictError, match="weight: expected"):
        layer.load_state_dict({"weight": np.ones((2, 2))}, strict=False)


def test_a_save_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    layer = Linear(2, 2, rng=0)
    layer.save(tmp_path / "model.npz")
    before = (tmp_path / "model.npz").read_bytes()

    write = os.write

    def broken(file, content):
        write(file, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", broken)
    with pytest.raises(FileError, match=r"cannot write .*model\.npz: no space left on device"):
        layer.save(tmp_path / "model.npz")
    assert (tmp_path / "model.npz").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["model.npz"]


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 cut"])
def test_a_file_that_is_no_npz(tmp_path, content):
    (tmp_path / "model.npz").write_bytes(content)
    with pytest.raises(StateDictError, match=r"not an \.npz file"):
        Linear(2, 2).load(tmp_path / "model.npz")


def test_an_array_of_its_own_is_no_npz(tmp_path):
    np.save(tmp_path / "model.npy", np.zeros(3))
    with pytest.raises(StateDictError, match=r"not an \.npz file"):
        Linear(2, 2).load(tmp_path / "model.npy")


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(FileError, match=r"cannot write .*file/model\.npz: "):
        Linear(2, 2).save(tmp_path / "file" / "model.npz")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(StateDictError, match=r"cannot read .*none\.npz: no such file"):
        Linear(2, 2).load(tmp_path / "none.npz")


class Unknown:
    """A tensor of a data type that NumPy has not, such as bfloat16."""

    def detach(self):
        return self

    def __array__(self, dtype=None, copy=None):
        raise TypeError("Got unsupported ScalarType BFloat16")


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (None, r"as state_dict\(\) gives, for Linear\(2, 1\), got a NoneType"),
        ([1], r"as state_dict\(\) gives, for Linear\(2, 1\), got a list"),
        ({"weight": [[1], [1, 2]]}, "weight is no array of a data type that NumPy has"),
        ({"weight": Unknown()}, r"weight is no array .*BFloat16.*convert it first, as \.float\(\)"),
    ],
)
def test_what_is_no_state(state, sentence):
    with pytest.raises(StateDictError, match=sentence):
        Linear(2, 1).load_state_dict(state)


def test_a_file_of_pickles_is_not_unpickled(tmp_path):
    np.savez(tmp_path / "model.npz", weight=np.array([{"a": 1}], dtype=object))
    with pytest.raises(StateDictError, match=r"not an \.npz file"):
        Linear(2, 2).load(tmp_path / "model.npz")


def test_a_cell_is_a_module():
    cell = LSTMCell(2, 3, peephole="diagonal")
    assert list(cell.state_dict()) == [
        "weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_ci", "weight_cf", "weight_co",
    ]  # fmt: skip


class Holder(Module):
    """A module with one attribute, or a few, that a test chooses."""

    def __init__(self, **held):
        for name, value in held.items():
            setattr(self, name, value)


def test_a_module_is_not_inside_of_itself():
    net = Holder(fc=Linear(2, 1))
    for inner, value in ((net.fc, net.fc), (net.fc, net), (net.fc, [{"a": net}])):
        with pytest.raises(TypeError, match=r"^Linear\.parent.* the \w+ that it is in.*has no end"):
            inner.parent = value
        assert not hasattr(inner, "parent")
    endless = [1]
    endless.append(endless)
    with pytest.raises(TypeError, match=r"Holder\.ws\.1' is a list that holds itself"):
        net.ws = endless
    assert list(net.state_dict()) == ["fc.weight", "fc.bias"]

    net.layers = [Linear(1, 1)]
    net.layers.append(net)  # which a module cannot see
    for walk in (Module.state_dict, Module.parameters, Module.summary):
        with pytest.raises(TypeError, match="a list in Holder holds the Holder that it is in"):
            walk(net)
    assert [type(m) for m in net.modules()] == [Holder, Linear, Linear]
    assert repr(net) == "Holder(Linear(2, 1), Linear(1, 1), ...)"
    assert not net.eval().fc.training


def test_a_module_that_two_others_share_is_one_module():
    shared = Linear(2, 2)
    net = Holder(a=Holder(inner=shared), b=Holder(inner=shared))
    assert list(net.modules()) == [net, net.a, shared, net.b]
    assert len(net.parameters()) == 2 and len(net.state_dict()) == 4


P, Q = (Tensor([float(k)], requires_grad=True) for k in (1, 2))


@pytest.mark.parametrize(
    "held",
    [{0: P, "0": Q}, {"x.0": P, "x": [Q]}, {"x.weight": P, "x": Linear(1, 1)}, [{1: P, "1": Q}]],
)
def test_two_parameters_do_not_have_one_name(held):
    with pytest.raises(ValueError, match="would be the name of two parameters"):
        Holder(held=held).state_dict()
    net = Holder(held={})
    net.held.update(held if isinstance(held, dict) else held[0])
    with pytest.raises(ValueError, match="would be the name of two parameters"):
        net.state_dict()


def in_an_array(*things):
    array = np.empty(len(things), object)
    for i, thing in enumerate(things):
        array[i] = thing
    return array


@pytest.mark.parametrize(
    "held",
    [
        {P},
        frozenset([P]),
        deque([1, P]),
        {Linear(1, 1)},
        [{"a": deque([Linear(1, 1)])}],
        {"a": P}.values(),
        in_an_array(None, P),
    ],
)
def test_parameters_where_they_have_no_names_are_refused(held):
    with pytest.raises(TypeError, match=r"^Holder\.held.* with parameters in it, .* give a list"):
        Holder(held=held)


@pytest.mark.parametrize("held", [{"a", 1}, deque([P * 2]), {Tensor(1.0)}, in_an_array(None, "a")])
def test_what_holds_no_parameters_may_be_held(held):
    assert Holder(held=held).parameters() == []


def test_a_module_with_parameters_is_not_replaced_by_something_else():
    net = Holder(fc=Linear(2, 1), cells=[Linear(1, 1)], drop=Dropout(0.5))
    for name, value in (("fc", np.ones((1, 2))), ("fc", abs), ("fc", Tensor(1.0))):
        with pytest.raises(TypeError, match=rf"Holder\.{name} is a Linear with parameters, got"):
            setattr(net, name, value)
    with pytest.raises(TypeError, match=r"Holder\.cells\.0 is a Linear with parameters, got float"):
        net.cells = [1.0]
    assert len(net.parameters()) == 4
    net.fc, net.drop, net.cells = GRUCell(2, 1), abs, None  # None takes it out, as in PyTorch
    assert len(net.parameters()) == 4
    net.fc = None
    assert net.parameters() == []


@pytest.mark.parametrize("path", ["weight", "weight.data"])
def test_numbers_that_are_too_large_do_not_become_infinite(path):
    layer = Linear(2, 1, dtype="float32")
    before = layer.weight.numpy().copy()
    target = layer if path == "weight" else layer.weight
    with pytest.raises(DTypeError, match="W holds float32, got numbers that are too large for it"):
        setattr(target, path.split(".")[-1], np.full((1, 2), 1e300))
    assert np.array_equal(layer.weight.numpy(), before)
    layer.weight = np.array([[np.inf, 1.0]])
    assert np.isinf(layer.weight.numpy()[0, 0])


def test_what_modules_of_pytorch_have_is_found_under_another_name():
    layer = Linear(2, 1)
    for name, said in {
        "to": "dtype='float32'",
        "children": r"modules\(\)",
        "requires_grad_": "p.requires_grad = False",
        "register_buffer": r"self\.b = Tensor\(array\)",
    }.items():
        with pytest.raises(AttributeError, match=f"^a Module has no '{name}'; .*{said}"):
            getattr(layer, name)
        assert not hasattr(layer, name) and name not in dir(layer)
    assert {"weight", "parameters", "in_features"} <= set(dir(layer))
    layer.children = [1]  # a name like any other
    assert layer.children == [1] and "children" in dir(layer)
    with pytest.raises(AttributeError, match="has no attribute 'wieght'"):
        _ = layer.wieght


def test_zero_grad_as_in_pytorch():
    layer = Linear(2, 1, dtype="float32")
    for holder in (layer, SGD(layer.parameters(), 0.1)):
        layer(np.ones(2, "f4")).sum().backward()
        holder.zero_grad(set_to_none=False)
        assert layer.weight.grad.tolist() == [[0, 0]] and layer.weight.grad.dtype == np.float32
        holder.zero_grad(set_to_none=True)
        assert layer.weight.grad is None
