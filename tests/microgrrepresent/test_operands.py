"""What is no operand, index, axis, data type or function is refused in a sentence."""

import numpy as np
import pytest

import microgrrepresent as mg
from microgrrepresent import Graph, Tensor, steps
from microgrrepresent.errors import DTypeError, FileError, GradientError, ShapeError
from microgrrepresent.files import read_file

T = Tensor([[1.0, 2.0], [3.0, 4.0]], name="t")
W = Tensor([1.5, 2.5], requires_grad=True, name="w")
MASKED = np.ma.array([1.0, 2.0], mask=[False, True])
MATRIX = np.matrix([[1.0, 2.0], [3.0, 4.0]])


class Foreign:
    """An array of another library that does not give its numbers away."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("Can't call numpy()")


WRONG = {
    "masked array": (lambda: T + MASKED, DTypeError, "would lose its mask"),
    "masked array in a list": (lambda: Tensor([MASKED, MASKED]), DTypeError, "would lose its mask"),
    "masked array, replayed": (
        lambda: Graph(T * 2).replay({T: np.ma.array(T.numpy())}),
        DTypeError,
        "would lose its mask",
    ),
    "masked gradient": (lambda: setattr(W, "grad", MASKED), DTypeError, "would lose its mask"),
    "matrix": (lambda: MATRIX * T, DTypeError, "write the matrix product as @"),
    "matrix in a list": (lambda: Tensor([MATRIX]), DTypeError, "write the matrix product as @"),
    "uneven list": (lambda: Tensor([[1, 2], [3]]), ShapeError, "must be of one length"),
    "another library's": (lambda: T + Foreign(), DTypeError, "no array of numbers: Can't call"),
    "None": (lambda: T + None, DTypeError, "holds numbers[;,] got NoneType"),
    "None alone": (lambda: mg.tanh(None), TypeError, r"^tanh: tanh\(None\): "),
    "word alone": (lambda: mg.sigmoid("a"), TypeError, r"^sigmoid: sigmoid\('a'\): "),
    "arrays that do not fit": (
        lambda: mg.linear(np.ones(3), np.ones((2, 2))),
        ShapeError,
        r"linear\(\(3,\), \(2, 2\)\): 3 != 2",
    ),
    "dtype": (lambda: Tensor([1.0], dtype="float23"), DTypeError, "got 'float23'"),
    "dtype of astype": (lambda: T.astype(object()), DTypeError, "^dtype must be"),
    "axis": (lambda: T.sum(axis="x"), TypeError, "^sum: an axis must be an integer, got 'x'"),
    "axis of an array": (lambda: T.sum(axis=np.ones(2)), TypeError, "^sum: an axis must be"),
    "shape": (lambda: T.reshape("ab"), TypeError, "^reshape: a shape must be integers, got 'ab'"),
    "shape of floats": (lambda: T.reshape(2, 2.0), TypeError, "^reshape: an axis of a shape must"),
    "nothing to join": (lambda: mg.stack(None), TypeError, "^stack: the arrays must be a list"),
    "parts": (lambda: mg.split(T, "a"), TypeError, "^split: the number of parts must"),
    "classes": (lambda: mg.one_hot([1], None), TypeError, "^one_hot: the number of classes"),
    "gradient": (lambda: setattr(W, "grad", [1.0]), ShapeError, r"has its shape, got \(1,\)"),
    "complex gradient": (lambda: setattr(W, "grad", [1j, 2]), DTypeError, "is of its float64"),
    "float of several": (lambda: float(T), ValueError, r"^float: t \(2, 2\) has 4 elements"),
    "item of several": (lambda: T.item(), ValueError, r"^item: t \(2, 2\) has 4 elements"),
    "index": (lambda: [1, 2][W], TypeError, r"is an index; w \(2,\) is of float64"),
    "length": (lambda: len(Tensor(1.0)), TypeError, "without axes has no len"),
    "remainder": (lambda: W % 2, GradientError, "^np.remainder of a Tensor that requires"),
    "floor": (lambda: 2 // W, GradientError, "^np.floor_divide of a Tensor that requires"),
    "round": (lambda: round(W), GradientError, "^np.round of a Tensor that requires"),
    "remainder of a word": (lambda: T % "a", DTypeError, r"^np.remainder of Tensor \(2, 2\), str"),
    "bits of floats": (lambda: T ^ 1, DTypeError, "^np.bitwise_xor of Tensor"),
    "function": (lambda: mg.value_and_grad(3), TypeError, "^value_and_grad: f must be a function"),
    "function to check": (lambda: mg.gradcheck(None, [W]), TypeError, "^gradcheck: f must be a"),
    "function to print": (lambda: mg.program("f", W), TypeError, "^program: f must be a function"),
    "program of a word": (
        lambda: mg.program(lambda: W.sum(), "w"),
        TypeError,
        "^program: wrt",
    ),
    "explanation by a word": (
        lambda: mg.explain(W.sum(), "w"),
        TypeError,
        "^explain: W is a Tensor",
    ),
    "compared with a Tensor": (lambda: mg.isomorphic(T, T), TypeError, r"Graph\(y\) is that of a"),
    "replayed list": (lambda: Graph(T * 2).replay([T]), TypeError, "^replay: values must be a"),
    "steps of a number": (lambda: steps(3), TypeError, "^steps: the inputs must be a sequence"),
    "first step": (lambda: steps([1], "1"), TypeError, "^steps: start must be an integer"),
    "path": (lambda: mg.save(W.sum(), None), FileError, "^a path must be a str or a Path"),
    "path to read": (
        lambda: read_file(None),
        FileError,
        "^a path must be a str or a Path, got None",
    ),
    "view": (lambda: mg.draw(W.sum(), np.ones(2)), mg.DrawingError, "^draw: view"),
}


@pytest.mark.parametrize(("call", "kind", "text"), WRONG.values(), ids=WRONG)
def test_it_is_refused_in_a_sentence(call, kind, text):
    with pytest.raises(kind, match=text):
        call()


def test_a_gradient_may_be_given_as_a_list_and_gets_the_leafs_type():
    w = Tensor(np.ones(2, np.float32), requires_grad=True)
    w.grad = [1, 2]
    assert w.grad.dtype == np.float32 and w.grad.tolist() == [1, 2]
    w.grad = own = np.zeros(2, np.float32)
    assert w.grad is own


def test_operators_without_a_derivative_are_numpys():
    for of in (lambda a: a % 2, lambda a: 2 % a, lambda a: a // 2, lambda a: 7 // a):
        np.testing.assert_array_equal(of(T), of(T.numpy()))
    np.testing.assert_array_equal(divmod(T, 2), divmod(T.numpy(), 2))
    np.testing.assert_array_equal(round(T / 3, 2), np.round(T.numpy() / 3, 2))
    whole = Tensor([5, 6])
    assert (whole ^ 3).tolist() == [6, 5] and (1 << whole).tolist() == [32, 64]
    assert (whole >> 1).tolist() == [2, 3]
    with mg.no_grad():
        assert (W % 1).tolist() == [0.5, 0.5]
