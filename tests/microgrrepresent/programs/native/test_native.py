"""Compiled programs give what the ordinary run gives; their text is also run as plain Python."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import microgrrepresent as mg
from microgrrepresent import GraphError, Tensor, cos, primitive, stack, steps, tanh
from microgrrepresent.programs import program
from microgrrepresent.programs.native.functions import functions_source
from rnn import LSTM, Linear
from tests.microgrrepresent.programs.conftest import njit
from tests.microgrrepresent.programs.test_programs import NETS, H, I, O, close, example, ordinary


def same_for_other_lengths(step, f, wrt, name, lengths, tolerance=1e-12):
    for T, B in lengths:
        inputs = example(name, T, B, seed=T)
        close(step(**inputs), ordinary(f, wrt, inputs), tolerance)


@pytest.mark.parametrize("name", NETS)
def test_the_text_is_right_as_plain_python(name, interpreted):
    f, wrt = NETS[name]()
    step = program(f, wrt, backend="numba", **example(name))
    same_for_other_lengths(step, f, wrt, name, [(9, 2), (4, 5)])


@pytest.mark.slow
@pytest.mark.parametrize("name", NETS)
def test_the_compiled_program_is_right(name):
    pytest.importorskip("numba")
    f, wrt = NETS[name]()
    step = program(f, wrt, backend="numba", **example(name))
    same_for_other_lengths(step, f, wrt, name, [(9, 2), (4, 5)])
    inputs = example(name, 6, 3, seed=1)
    _, gradients = step(**inputs)
    copies = [g.copy() for g in gradients]
    step(**example(name, 6, 3, seed=2))  # the buffers are used again
    for g, copy in zip(gradients, copies, strict=True):
        np.testing.assert_array_equal(g, copy)


@pytest.mark.slow
def test_float32_and_the_file_alone(tmp_path):
    pytest.importorskip("numba")
    layer, out = LSTM(I, H, dtype=np.float32, rng=0), Linear(H, O, dtype=np.float32, rng=1)
    wrt = [*layer.parameters(), *out.parameters()]

    def f(X, y):
        return mg.cross_entropy(out(layer(X)[0]), y)

    inputs = example("lstm")
    inputs["X"] = inputs["X"].astype(np.float32)
    step = program(f, wrt, backend="numba", **inputs)
    close(step(**inputs), ordinary(f, wrt, inputs), 1e-5)
    arrays = {**inputs, **{key: node.numpy() for key, node in step.code.leaves.items()}}
    np.savez(tmp_path / "given.npz", **arrays)
    code = (
        f"{step.source('fast')}\n\n"
        "import sys\n"
        "assert not any(m.startswith(('microgrrepresent', 'rnn')) for m in sys.modules)\n"
        "loss, gradients = prepare(6, 3)(**np.load('given.npz'))\n"
        "np.savez('found.npz', loss, *gradients)\n"
    )
    (tmp_path / "alone.py").write_text(code, "utf-8")
    subprocess.run([sys.executable, "alone.py"], cwd=tmp_path, check=True, env={})
    with np.load(tmp_path / "found.npz") as file:
        loss, *gradients = (file[key] for key in file.files)
    close((float(loss), gradients), ordinary(f, wrt, inputs), 1e-5)


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm", "stacked", "words"])
def test_a_step_is_products_and_loops_over_elements(name, interpreted):
    f, wrt = NETS[name]()
    source = program(f, wrt, backend="numba", **example(name)).source("fast")
    assert "objmode" not in source
    loops = re.findall(r"^( +)for t in .*:\n((?:\1    .*\n)+)", source, re.MULTILINE)
    assert len(loops) == 2
    for _, lines in loops:
        assert "np.dot" in lines and not re.search(r"np\.(?!dot|float)", lines)


def test_what_is_not_needed_at_the_same_time_shares_memory(interpreted):
    f, wrt = NETS["lstm"]()
    source = program(f, wrt, backend="numba", **example("lstm")).source("fast")
    prepared = source.partition("def prepare(")[2]
    wide = re.findall(r"(\w+) = np\.empty\(\(T, B, 16\)", prepared)
    assert len(wide) == 1 and re.search(rf"\bda = {wide[0]}\n", prepared)


def test_what_is_not_understood_is_left_to_numpy(interpreted):
    odd = primitive(
        "odd",
        lambda x: np.sinc(x),
        (lambda g, y, x: g * (cos(np.pi * x) - y) / x,),
        source="np.sinc(x)",
        derivative="(np.cos(np.pi * x) - y) / x",
        meets="elementwise",
        doc="sin(πx) / πx",
    )
    W = Tensor(np.array([[0.3, 0.1], [0.2, 0.5]]), requires_grad=True, name="W")

    def f(X):
        h, found = Tensor(np.full((X.shape[1], 2), 0.5), name="h_0"), []
        for _, x in steps(X):
            h = tanh(h @ W + odd(x + 0.1)).named("h")
            found.append(h)
        return (odd(stack(found)) ** 2).sum()

    X = np.random.default_rng(0).normal(size=(6, 3, 2))
    step = program(f, [W], backend="numba", X=X)
    assert "with numba.objmode" in step.source("fast")
    close(step(X=X[:5]), ordinary(f, [W], {"X": X[:5]}))


def test_a_state_may_be_a_number(interpreted):
    W = Tensor(0.5, requires_grad=True, name="W")

    def f(X):
        h = Tensor(0.0, name="h_0")
        for _, x in steps(X):
            h = tanh(W * h + x).named("h")
        return h * h

    X = np.linspace(-1, 1, 6)
    for backend in ("numpy", "numba"):
        step = program(f, [W], backend=backend, X=X)
        loss, gradients = step(X=X[:4])
        expected = ordinary(f, [W], {"X": X[:4]})
        np.testing.assert_allclose(loss, expected[0], rtol=1e-12)
        np.testing.assert_allclose(gradients[0], expected[1][0], rtol=1e-12)


def test_an_index_out_of_range_is_refused_as_numpy_does(interpreted):
    f, wrt = NETS["rnn"]()
    step = program(f, wrt, backend="numba", **example("rnn"))
    inputs = example("rnn")
    inputs["y"][2, 1] = O
    with pytest.raises(IndexError, match="out of range"):
        step(**inputs)


def test_other_numbers_are_refused(interpreted):
    W = Tensor(np.array([[0.3]], np.float16), requires_grad=True, name="W")

    def f(X):
        h = Tensor(np.zeros((X.shape[1], 1), np.float16), name="h_0")
        for _, x in steps(X):
            h = tanh(h @ W + x).named("h")
        return (h * h).sum()

    with pytest.raises(GraphError, match="float32 or float64, got float16"):
        program(f, [W], backend="numba", X=np.ones((6, 3, 1), np.float16))


def test_an_unknown_backend_is_refused():
    f, wrt = NETS["rnn"]()
    with pytest.raises(ValueError, match="backend must be 'numpy' or 'numba', got 'c'"):
        program(f, wrt, backend="c", **example("rnn"))


@pytest.mark.parametrize("missing", ["numba", "scipy"])
def test_without_numba_or_scipy_the_extra_is_named(missing, monkeypatch):
    found = importlib.util.find_spec("numpy")  # or of any module that is there
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *_: None if name == missing else found
    )
    f, wrt = NETS["rnn"]()
    with pytest.raises(ImportError, match=rf"{missing}.*pip install 'microgrrepresent\[native\]'"):
        program(f, wrt, backend="numba", **example("rnn"))


# --- exp and tanh ---------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_exp_and_tanh_are_exact_to_a_few_units_in_the_last_place(dtype):
    names = {"np": np, "numba": SimpleNamespace(njit=njit)}
    exec(functions_source(np.dtype(dtype), "exp", "tanh", "parts"), names)
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(size=2000) * 5, rng.normal(size=2000) * 1e-3]).astype(dtype)
    wide = np.float64 if dtype == np.float32 else np.longdouble
    for name, right in (("exp", np.exp), ("tanh", np.tanh)):
        found = np.array([names[name](v) for v in x])
        assert found.dtype == dtype
        expected = right(x.astype(wide))
        assert (np.abs(found - expected) <= 4 * np.spacing(np.abs(expected.astype(dtype)))).all()
    ends = np.array([np.inf, -np.inf, 1e4, -1e4, 0, np.nan], dtype)
    np.testing.assert_array_equal(
        [names["exp"](v) for v in ends], [np.inf, 0, np.inf, 0, 1, np.nan]
    )
    right = [1, -1, 1, -1, 0, np.nan]
    np.testing.assert_array_equal([names["tanh"](v) for v in ends], right)
