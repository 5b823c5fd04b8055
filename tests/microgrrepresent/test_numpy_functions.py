"""NumPy's functions take Tensors: they are recorded, or refuse, and lose no gradient."""

import numpy as np
import pytest

import microgrrepresent as mg
from microgrrepresent import (
    DTypeError,
    GradientError,
    Graph,
    ShapeError,
    Tensor,
    no_grad,
)

A = np.array([[1.0, -2.0, 3.0], [0.5, 5.0, -6.0]])
B = np.array([2.0, -1.0, 4.0])


UFUNCS = [
    np.exp, np.log, np.log1p, np.sqrt, np.sin, np.cos, np.tanh, np.negative, np.absolute, np.sign,
    np.add, np.subtract, np.multiply, np.divide, np.power, np.maximum, np.minimum, np.matmul,
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
]  # fmt: skip


@pytest.mark.parametrize("ufunc", UFUNCS, ids=lambda ufunc: ufunc.__name__)
def test_universal_functions(ufunc):
    arrays = [np.abs(B), np.array([1.0, 2.0, 4.0])][: ufunc.nin]
    expected = ufunc(*arrays)
    tensors = [Tensor(a) for a in arrays]
    calls = (
        [tensors] if ufunc.nin == 1 else [tensors, [arrays[0], tensors[1]], [tensors[0], arrays[1]]]
    )
    for operands in calls:
        y = ufunc(*operands)
        assert isinstance(y, Tensor) and (y.op.forward is ufunc or y.op.name == "matmul")
        np.testing.assert_array_equal(y.numpy(), expected)


FUNCTIONS = {
    "prod": lambda m, x: m.prod(x, axis=0, keepdims=True),
    "var": lambda m, x: m.var(x, 0, ddof=1),
    "std": lambda m, x: m.std(x, axis=1, keepdims=True),
    "cumsum": lambda m, x: m.cumsum(x, axis=1),
    "cumsum of all": lambda m, x: m.cumsum(x),
    "ravel": lambda m, x: m.ravel(x),
    "copy": lambda m, x: m.copy(x),
    "sum": lambda m, x: m.sum(x, axis=0),
    "sum keepdims": lambda m, x: m.sum(x, 1, keepdims=True),
    "mean": lambda m, x: m.mean(x),
    "max": lambda m, x: m.max(x, axis=(0, 1)),
    "min": lambda m, x: m.min(x, -1),
    "where": lambda m, x: m.where(x > 0, x, 0),
    "clip": lambda m, x: m.clip(x, -1, 1),
    "clip by names": lambda m, x: m.clip(x, a_min=-1, a_max=None),
    "reshape": lambda m, x: m.reshape(x, (3, 2)),
    "transpose": lambda m, x: m.transpose(x),
    "transpose axes": lambda m, x: m.transpose(x, axes=(1, 0)),
    "swapaxes": lambda m, x: m.swapaxes(x, 0, 1),
    "concatenate": lambda m, x: m.concatenate([x, A], axis=1),
    "concatenate rest": lambda m, x: m.concatenate((A, x)),
    "stack": lambda m, x: m.stack([x, A]),
    "split": lambda m, x: m.split(x, 3, axis=1)[2],
    "squeeze": lambda m, x: m.squeeze(m.expand_dims(x, 0)),
    "flip": lambda m, x: m.flip(x, axis=1),
    "broadcast_to": lambda m, x: m.broadcast_to(x, (2, 2, 3)),
}


@pytest.mark.parametrize("f", FUNCTIONS.values(), ids=FUNCTIONS)
def test_functions_of_numpy(f):
    x = Tensor(A, requires_grad=True)
    y = f(np, x)
    assert isinstance(y, Tensor) and y.requires_grad and y.shape == f(np, A).shape
    np.testing.assert_array_equal(y.numpy(), f(np, A))


def test_the_norm_and_what_records_nothing():
    x = Tensor(A)
    np.testing.assert_allclose(np.linalg.norm(x).numpy(), np.linalg.norm(A))
    assert np.linalg.norm(x).shape == () and np.linalg.norm(x, axis=0).shape == (3,)
    assert np.sum(x).shape == np.max(x).shape == np.min(x).shape == ()
    np.testing.assert_allclose(np.linalg.norm(x, axis=1).numpy(), np.linalg.norm(A, axis=1))
    assert (np.shape(x), np.ndim(x), np.size(x), np.size(x, 1)) == ((2, 3), 2, 6, 3)
    np.testing.assert_array_equal(np.asarray(x), A)
    assert np.asarray(x, dtype="float32").dtype == np.float32
    np.testing.assert_array_equal(np.array([x, x]), [A, A])


UNRECORDED = {  # what is refused, and the operation of this package that the sentence names
    "np.add.reduce": ("add", lambda x: np.add.reduce(x)),
    "np.exp(where=)": ("exp", lambda x: np.exp(x, where=True)),
    "np.outer": (None, lambda x: np.outer(x, B)),
    "np.take": ("take", lambda x: np.take(x, [0])),
    "np.sum with these arguments (too many positional arguments)": (
        "sum",
        lambda x: np.sum(x, 0, float),
    ),
    "np.mean with these arguments (got an unexpected keyword argument 'dtype')": (
        "mean",
        lambda x: np.mean(x, dtype=float),
    ),
    "np.linalg.norm with these arguments (too many positional arguments)": (
        "norm",
        lambda x: np.linalg.norm(x, 1),
    ),
    "np.where with these arguments (missing a required argument: 'x')": ("where", np.where),
}


@pytest.mark.parametrize("call", UNRECORDED)
def test_what_would_lose_the_derivative_is_refused(call):
    ours, f = UNRECORDED[call]
    known = f"microgrrepresent.{ours}" if ours else "an operation of this package"
    with pytest.raises(GradientError) as caught:
        f(Tensor(A, requires_grad=True))
    assert str(caught.value) == (
        f"{call} of a Tensor that requires a gradient is not recorded, so that its derivative "
        f"would be lost; use {known}, or t.numpy() for the value alone"
    )


QUESTIONS = {
    "isnan": np.isnan,
    "isfinite": np.isfinite,
    "any": np.any,
    "all": lambda x: np.all(x, axis=0),
    "argmax": lambda x: np.argmax(x, axis=-1),
    "zeros_like": np.zeros_like,
    "ones_like": lambda x: np.ones_like(x, dtype=np.float32),
    "allclose": lambda x: np.allclose(A, x),
    "array_equal": lambda x: np.array_equal(x, A),
    "size": lambda x: np.size(x, 0),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_questions_are_answered_with_arrays(question):
    ask = QUESTIONS[question]
    answer, expected = ask(Tensor(A)), ask(A)
    assert type(answer) is type(expected)
    np.testing.assert_array_equal(answer, expected)


def test_logic_is_recorded_and_is_numpys():
    x = Tensor(A, requires_grad=True)
    mask = (x > 0) & ~(x > 0.5) | (A[0, 0] == A)
    np.testing.assert_array_equal(mask, (A > 0) & ~(A > 0.5) | (A[0, 0] == A))
    np.testing.assert_array_equal((A > 0) & (x > 0.5), (A > 0) & (A > 0.5))
    np.testing.assert_array_equal(True | (x > 0.5), np.ones_like(A, bool))
    assert (Tensor([6]) & 3).tolist() == [2]  # of the bits, as in NumPy
    with pytest.raises(TypeError, match="bitwise_and"):
        x & x
    other = -A
    replayed = Graph(mask).replay({x: other})[mask]
    np.testing.assert_array_equal(replayed, (other > 0) & ~(other > 0.5) | (A[0, 0] == A))


def test_a_tensor_of_tensors_would_lose_their_history():
    a = Tensor(1.0, requires_grad=True)
    for data in ([a, 2.0], [[a], [a]], (1.0, (a,))):
        for take in (Tensor, mg.sum, mg.softmax, lambda x: mg.reshape(x, -1), lambda x: a + x):
            with pytest.raises(TypeError, match="history would be lost; join them with stack"):
                take(data)


def test_what_is_no_number_is_refused():
    a = Tensor(1.0)
    for take in (Tensor, mg.sum, mg.softmax, lambda x: mg.reshape(x, -1), lambda x: a + x):
        with pytest.raises(DTypeError, match="holds numbers, got generator"):
            take(i for i in range(3))
        with pytest.raises(DTypeError, match="holds numbers, got list of <U1"):
            take(["a"])


def test_a_gradient_given_by_hand_has_the_shape_of_its_leaf():
    x = Tensor(A, requires_grad=True, name="x")
    x.grad = np.ones_like(A)
    x.grad = None
    with pytest.raises(ShapeError, match=r"x \(.*\) has its shape, got \(1,\)"):
        x.grad = np.ones(1)


def test_no_grad_decorates_functions():
    x = Tensor(2.0, requires_grad=True)

    @no_grad()
    def power(n):
        return x if n == 1 else x * power(n - 1)

    assert power(4).is_leaf and float(power(4)) == 16
    assert not (x * x).is_leaf


def test_the_package_works_on_bare_arrays():
    assert isinstance(mg.softmax(A), np.ndarray)
    np.testing.assert_allclose(mg.softmax(A).sum(-1), 1)
    assert isinstance(mg.tanh(A), np.ndarray) and isinstance(mg.sum(A), np.float64)
