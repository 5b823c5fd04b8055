"""What becomes an array leaves the graph: never by itself where a derivative would be lost."""

import array
import copy
import io
import math
import pickle

import numpy as np
import pytest

import microgrrepresent as mg
from microgrrepresent import GradientError, ImmutableError, Tensor, no_grad


def written(out, index, value):
    out[index] = value
    return out


def filled(out, method, *args):
    getattr(out, method)(*args)
    return out


# Each takes a Tensor of shape (2,) or its array.
INTO_ARRAYS = {
    "asarray": lambda x: np.asarray(x),
    "asarray of another dtype": lambda x: np.asarray(x, np.float32),
    "array": lambda x: np.array(x),
    "array.dot": lambda x: np.ones((3, 2)).dot(x),
    "list": lambda x: np.array([x, 2 * x]),
    "list of numbers": lambda x: np.array([x[0], 3.0]),
    "nested list": lambda x: np.array([[x[0], 2.0], [x[1], 3.0]]),
    "stacked lists": lambda x: np.concatenate([[x], [x]]),
    "sum of a list": lambda x: np.sum([x, 2 * x]),
    "mean of a list": lambda x: np.mean([x.sum(), 1.0]),
    "r_": lambda x: np.r_[x, 1.0],
    "r_ of an element": lambda x: np.r_[x[0], 1.0],
    "c_": lambda x: np.c_[x, x],
    "vectorize": lambda x: np.vectorize(lambda a: 2 * a)(x),
    "vectorize inside": lambda x: np.vectorize(lambda i: x[i])(np.arange(2)),
    "full": lambda x: np.full(3, x[0]),
    "arange": lambda x: np.arange(x[1]),
    "a row": lambda x: written(np.zeros((2, 2)), 0, x),
    "a column": lambda x: written(np.zeros((2, 2)), (slice(None), 1), x),
    "masked places": lambda x: written(np.zeros(2), np.array([True, True]), x),
    "a part, of one element": lambda x: written(np.zeros(2), slice(None), x[0]),
    "array.put": lambda x: filled(np.zeros(2), "put", [0, 1], x),
    "array.searchsorted": lambda x: np.arange(3).searchsorted(x),
    "a random sample": lambda x: np.random.default_rng(0).normal(x),
    "Tensor": lambda x: Tensor(x).numpy(),
    "a comparison in tests": lambda x: np.testing.assert_array_equal(x, x),
    "a polynomial": lambda x: np.polyval([x[0], x[1]], 1.0),
}
BY_PROTOCOL = {  # functions of NumPy without a counterpart here
    "round": np.round,
    "median": np.median,
    "unique": np.unique,
    "histogram": lambda x: np.histogram(x)[0],
    "outer": lambda x: np.outer(x, x),
    "vstack": lambda x: np.vstack([x, x]),
    "interp": lambda x: np.interp(x, [0.0, 2.0], [1.0, 3.0]),
    "save": lambda x: np.save(io.BytesIO(), x),
    "savez": lambda x: np.savez(io.BytesIO(), x=x),
    "copyto": lambda x: np.copyto(np.zeros(2), x),
    "full_like": lambda x: np.full_like(np.zeros(2), x),
    "full_like of a Tensor": lambda x: np.full_like(two(False), x),
    "full_like by name": lambda x: np.full_like(two(False), fill_value=x),
    "arctan": np.arctan,
    "add.reduce": np.add.reduce,
    "add.at": lambda x: np.add.at(np.zeros(2), [0, 1], x),
    "added in place": lambda x: np.zeros(2).__iadd__(x),
    "with dtype": lambda x: np.sum(x, dtype=np.float32),
    "in float32": lambda x: np.exp(x, dtype=np.float32),
    "linalg": lambda x: np.linalg.norm(x, 1),
}


def two(requires_grad):
    return Tensor([1.0, 1.5], requires_grad=requires_grad, name="x")


def equal(found, expected):
    np.testing.assert_array_equal(found, expected)
    assert type(found) is type(expected)


@pytest.mark.parametrize("convert", INTO_ARRAYS.values(), ids=INTO_ARRAYS)
def test_no_array_takes_a_derivative_away(convert):
    for x in (two(True), two(True) * 1):
        with pytest.raises(GradientError) as caught:
            convert(x)
        said = str(caught.value)
        assert "requires a gradient, which would be lost as an array" in said
        assert all(word in said for word in (".numpy()", ".detach()", "dot(x, ", "stack"))
        with no_grad():
            equal(convert(x), convert(x.numpy()))


@pytest.mark.parametrize("call", BY_PROTOCOL.values(), ids=BY_PROTOCOL)
def test_no_function_of_numpy_takes_a_derivative_away(call):
    for x in (two(True), two(True) * 1):
        with pytest.raises(GradientError, match=r"derivative would be lost; use .*t\.numpy\(\)"):
            call(x)
        with no_grad():
            equal(call(x), call(x.numpy()))


@pytest.mark.parametrize("name", [*INTO_ARRAYS, *BY_PROTOCOL])
def test_what_requires_no_gradient_becomes_an_array_where_numpy_wants_one(name):
    call = {**INTO_ARRAYS, **BY_PROTOCOL}[name]
    for x in (two(False), two(False) * 1, two(True).detach()):
        equal(call(x), call(x.numpy()))


def test_the_sentence_names_the_tensor_and_the_way():
    W = Tensor(np.ones((2, 3)), requires_grad=True, name="W")
    with pytest.raises(GradientError) as caught:
        np.ones((4, 2)).dot(W)
    assert str(caught.value) == (
        "W (2, 3) requires a gradient, which would be lost as an array; W.numpy() is its value "
        "alone, W.detach() a leaf with this value; to differentiate, use operations that are "
        "recorded: dot(x, W) or x @ W instead of x.dot(W), stack or concatenate instead of arrays "
        "made of Tensors or written row by row"
    )
    with pytest.raises(GradientError, match=r"a Tensor \(2, 3\) .* t\.numpy\(\)"):
        np.asarray(W * 1)
    np.testing.assert_array_equal(mg.dot(np.ones((4, 2)), W).numpy(), np.ones((4, 2)).dot(W.data))
    with pytest.raises(GradientError, match=r"^np\.take of .* use microgrrepresent\.take, or"):
        np.take(W, [0])
    with pytest.raises(GradientError, match=r"^np\.linalg\.inv of .* use an operation of this"):
        np.linalg.inv(W)


def test_explicit_conversions_give_the_value():
    y = Tensor(2.5, requires_grad=True) * 1
    assert (float(y), int(y), y.item(), y.tolist()) == (2.5, 2, 2.5, 2.5)
    assert y.numpy() == y.data == y.value == 2.5
    assert f"{y:.1f}" == "2.5" and math.exp(y) == math.exp(2.5)


def test_a_single_element_is_written_by_its_number():
    """``out[i] = y`` reaches a Tensor as ``float(y)``, and is taken for it; the docs say so."""
    y = Tensor(2.5, requires_grad=True)
    assert written(np.zeros(2), 0, y).tolist() == [2.5, 0]
    assert "``out[i] = t`` for a single element" in mg.tensor.__doc__


@pytest.mark.parametrize(
    ("kind", "use", "want"),
    [
        ("initial=t", lambda y: np.sum(np.ones(2), initial=y), 4.5),
        ("np.fromiter", lambda y: np.fromiter([y, y], float)[1], 2.5),
        ("out.fill(t)", lambda y: filled(np.zeros(2), "fill", y)[1], 2.5),
        ("out.flat[0] = t", lambda y: written(np.zeros((1, 2)).flat, 0, y)[0], 2.5),
        ("structured array", lambda y: np.array([(y, 1.0)], [("a", "f8"), ("b", "f8")])["a"], 2.5),
        ("array.array", lambda y: array.array("d", [y])[0], 2.5),
        ("math.fsum", lambda y: math.fsum([y, y]), 5.0),
    ],
)
def test_whatever_asks_for_a_number_gets_one_as_the_docs_say(kind, use, want):
    assert use(Tensor(2.5, requires_grad=True)) == pytest.approx(want)
    assert kind in Tensor.__float__.__doc__


def test_scipy_reads_the_number_that_a_function_gives_as_the_docs_say():
    integrate = pytest.importorskip("scipy.integrate")
    optimize = pytest.importorskip("scipy.optimize")
    y = Tensor(2.5, requires_grad=True)
    assert integrate.quad(lambda x: y * x, 0, 1)[0] == pytest.approx(1.25)
    assert optimize.brentq(lambda x: y * x - 1, -1, 1) == pytest.approx(0.4)
    assert "``scipy.integrate.quad``, ``brentq``" in Tensor.__float__.__doc__


def test_what_has_no_derivative_is_answered_for_all():
    x = two(True)
    for ask in (np.argsort, np.isnan, np.signbit, np.argwhere, np.count_nonzero):
        equal(ask(x), ask(x.numpy()))
    assert np.allclose(x, [x[0], x[1]]) and np.searchsorted([0.0, 1.2], x).tolist() == [1, 2]
    assert np.where(x > 1)[0].tolist() == [1]
    assert np.full_like(x, 3).tolist() == [3, 3] == np.full_like(a=x, fill_value=3).tolist()
    assert np.logical_and(x > 1, x < 2).tolist() == [False, True]


@pytest.mark.parametrize("requires_grad", [True, False])
def test_a_tensor_is_no_place_to_write_into(requires_grad):
    x = two(requires_grad)
    with pytest.raises(ImmutableError, match=r"^np\.tanh\(out=\) would change a Tensor in place"):
        np.tanh(np.ones(2), out=x)


def test_scipy():
    special, sparse = pytest.importorskip("scipy.special"), pytest.importorskip("scipy.sparse")
    for f in (special.expit, special.logsumexp, sparse.eye(2).dot):
        with pytest.raises(GradientError, match="would be lost"):
            f(two(True))
        equal(f(two(False)), f(two(False).numpy()))


# --- plots ---------------------------------------------------------------------------------------

PLOTS = {
    "plot": lambda plt, y: plt.plot(y),
    "plot of two": lambda plt, y: plt.plot(y, y),
    "scatter": lambda plt, y: plt.scatter([0, 1], y),
    "bar": lambda plt, y: plt.bar([0, 1], y),
    "hist": lambda plt, y: plt.hist(y),
    "fill_between": lambda plt, y: plt.fill_between([0, 1], y),
    "imshow": lambda plt, y: plt.imshow(mg.reshape(y, (1, 2))),
}


@pytest.mark.parametrize("draw", PLOTS.values(), ids=PLOTS)
def test_results_are_plotted(draw):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    try:
        for y in (two(False), two(False) * 2, (two(True) * 2).detach()):
            draw(plt, y)
        with no_grad():
            draw(plt, two(True) * 2)
        line = plt.plot(Tensor([1.0, 2.0, 3.0]) * 2)[0]
        assert np.asarray(line.get_ydata()).tolist() == [2, 4, 6]
        for y in (two(True), two(True) * 2):
            with pytest.raises(
                GradientError, match=r"^.* requires a gradient, which would be lost"
            ):
                draw(plt, y)
            with no_grad():
                draw(plt, y)
    finally:
        plt.close("all")


# --- copies --------------------------------------------------------------------------------------

COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda t: pickle.loads(pickle.dumps(t)),
}


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
def test_a_copy_of_a_result_without_gradient_is_a_leaf(copied):
    y = (two(False) * 2).named("y")
    z = copied(y)
    assert z.is_leaf and z.name == "y" and not z.requires_grad and z.tolist() == [2, 3]
    y = (two(True) * 2).named("y")
    with pytest.raises(
        GradientError, match=r"^y \(2,\) requires .* lost in a copy .*; y\.numpy\(\)"
    ):
        copied(y)
    with no_grad():
        z = copied(y)
    assert z.is_leaf and not z.requires_grad and z.tolist() == [2, 3]
