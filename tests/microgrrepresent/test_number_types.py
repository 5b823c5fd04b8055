"""Types of numbers: small integers, booleans, complex numbers, masked arrays, NaN and infinity."""

import numpy as np
import pytest

import microgrrepresent as mg
from microgrrepresent import DTypeError, GradientError, ImmutableError, ShapeError, Tensor, grad

INF, NAN = np.inf, np.nan


# --- what may require a gradient -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ([1, 2], "numbers that can change a little"),
        ([True], "numbers that can change a little"),
        (np.array([1], np.uint8), "numbers that can change a little"),
        (1j, "complex leaves are for complex steps"),
        (np.array([1j], np.complex64), "two Tensors of floats"),
    ],
)
def test_only_leaves_of_floats_require_a_gradient(data, why):
    with pytest.raises(DTypeError, match=f"x of .* cannot require a gradient.*{why}"):
        Tensor(data, requires_grad=True, name="x")
    x = Tensor(data, name="x")
    with pytest.raises(DTypeError, match=f"x of .* cannot require a gradient.*{why}"):
        x.requires_grad = True
    assert not x.requires_grad
    x.requires_grad = False


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "longdouble"])
def test_requires_grad_can_be_switched_on_and_off_at_leaves(dtype):
    x = Tensor([1.0, 2.0], dtype=dtype)
    x.requires_grad = True
    (x * x).sum().backward()
    assert x.grad.tolist() == [2, 4] and x.grad.dtype == dtype
    x.requires_grad = np.bool_(False)
    assert not (x * x).requires_grad


def test_what_requires_grad_can_not_be_set_to():
    y = Tensor(1.0, requires_grad=True, name="x") * 2
    for wanted in (True, False):
        with pytest.raises(GradientError, match=r"this Tensor is the result of mul.*t\.detach\(\)"):
            y.requires_grad = wanted
    with pytest.raises(TypeError, match="x: requires_grad must be True or False, got 'no'"):
        Tensor(1.0, requires_grad="no", name="x")
    with pytest.raises(TypeError, match="a Tensor: requires_grad must be True or False, got 1"):
        Tensor(1.0).requires_grad = 1


# --- new data for leaves -------------------------------------------------------------------------


def test_data_is_assigned():
    p = Tensor([0.5, 1.0], requires_grad=True, name="p", dtype="float32")
    (p * p).sum().backward()
    p.data = p.data - 0.1 * p.grad
    np.testing.assert_allclose(p.numpy(), [0.4, 0.8], rtol=1e-6)
    assert p.dtype == np.float32 and p.requires_grad
    with pytest.raises(ShapeError, match=r"assign: p has shape \(2,\), got \(3,\)"):
        p.data = np.zeros(3)
    with pytest.raises(ImmutableError, match="assign: this Tensor is the result of mul"):
        (p * 2).data = np.zeros(2)
    with pytest.raises(ValueError, match="read-only"):
        p.data[0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        p.data -= 0.1


# --- masked arrays -------------------------------------------------------------------------------

MASKED = np.ma.array([1.0, 2.0], mask=[False, True])


@pytest.mark.parametrize(
    "use",
    [
        Tensor,
        lambda a: Tensor([1.0, 1.0]) * a,
        lambda a: mg.maximum(Tensor([1.0, 1.0]), a),
        lambda a: Tensor([0.0, 0.0]).assign(a),
        lambda a: mg.binary_cross_entropy(Tensor([0.0, 0.0]), a),
        lambda a: grad(Tensor([0.0, 0.0]) * 1, [], a),
        lambda a: Tensor([a, a]),
        lambda a: Tensor([[[1.0, np.ma.masked]]]),
        lambda a: Tensor([1.0, 1.0]) * [(a, a)],
        lambda a: mg.reshape(a, 2, 1),
        lambda a: Tensor([1.0, 1.0])[a.astype(int)],
        lambda a: Tensor(np.eye(2))[:, a.astype(int)],
        lambda a: mg.take(np.eye(3), a.astype(int)),
        lambda a: mg.one_hot(a.astype(int), 3),
        lambda a: mg.cross_entropy(np.eye(2), a.astype(int)),
    ],
)
def test_masked_arrays_are_refused(use):
    with pytest.raises(DTypeError, match=r"masked array would lose its mask.*array\.filled\(0\)"):
        use(MASKED)


# --- integers ------------------------------------------------------------------------------------

INTEGERS = ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
EXACT = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.logaddexp(0, x),
    "tanh": np.tanh,
    "exp": np.exp,
    "sqrt": lambda x: np.sqrt(np.abs(x)),
    "log1p": lambda x: np.log1p(np.abs(x)),
    "sin": np.sin,
    "cos": np.cos,
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(),
    "logsumexp": lambda x: np.log(np.exp(x).sum()),
    "mean": np.mean,
    "norm": np.linalg.norm,
}


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("name", EXACT)
def test_functions_of_integers_are_computed_in_floating_point(name, dtype):
    data = np.array([0, 1, 3, 1], dtype)
    for values in (data, -data) if np.dtype(dtype).kind == "i" else (data,):
        x = mg.abs(Tensor(values)) if name in ("sqrt", "log1p") else Tensor(values)
        y = getattr(mg, name)(x)
        expected = EXACT[name](values.astype(float))
        assert y.dtype.kind == "f"
        tolerance = 10 * float(np.finfo(y.dtype).eps)
        np.testing.assert_allclose(y.numpy(), expected, rtol=tolerance, atol=tolerance)
        np.testing.assert_array_equal(getattr(mg, name)(x.numpy()), y.numpy())


def test_the_sigmoid_of_the_smallest_integer():
    for dtype in ("int8", "int16", "int32"):
        least = np.iinfo(dtype).min
        y = mg.sigmoid(Tensor(np.array([least], dtype)))
        np.testing.assert_allclose(y.numpy(), np.exp(float(least)), rtol=1e-12)
    assert mg.norm(Tensor(np.full(4, 100, np.int8))).item() == 200


OPERATIONS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "**": lambda a, b: a**b,
    "/": lambda a, b: a / b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


@pytest.mark.parametrize("f", OPERATIONS.values(), ids=OPERATIONS)
@pytest.mark.parametrize("number", [3, 200, 300, -1, 70_000, 2**40, 2**63, 10**30, -(10**30)])
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int64"])
@pytest.mark.filterwarnings("ignore:overflow")
def test_numbers_beside_small_integers_are_numpys_or_a_sentence(f, number, dtype):
    data = np.array([1, 5, 100], dtype)
    for left, call in ((True, lambda x: f(x, number)), (False, lambda x: f(number, x))):
        try:
            expected = call(data)
        except OverflowError:
            with pytest.raises(DTypeError, match=r"Python int.*; give the operands more room"):
                call(Tensor(data))
        except ValueError as refused:
            assert "negative integer powers" in str(refused) and f is OPERATIONS["**"]
            with pytest.raises(DTypeError, match=r"negative integer powers.* t\.astype\(float\)"):
                call(Tensor(data))
        else:
            found = call(Tensor(data))
            np.testing.assert_array_equal(found.numpy(), expected)
            assert found.dtype == expected.dtype, left


def test_integers_of_small_types_wrap_around_as_in_numpy():
    data = np.array([100, -128], np.int8)
    for f in (lambda x: x + x, lambda x: x * x, lambda x: -x, abs):
        np.testing.assert_array_equal(f(Tensor(data)).numpy(), f(data))


# --- complex numbers -----------------------------------------------------------------------------

Z = np.array([3j, 4.0, 1 - 1j])


def test_absolute_values_and_norms_of_complex_numbers_are_numpys():
    np.testing.assert_array_equal(abs(Tensor(Z)).numpy(), np.abs(Z))
    for axis in (None, 0):
        found = mg.norm(Tensor(Z), axis=axis).numpy()
        np.testing.assert_allclose(found, np.linalg.norm(Z, axis=axis), rtol=1e-15)
        assert found.dtype == float
    assert np.linalg.norm(Tensor([3j, 4.0])).item() == 5


def test_analytic_functions_have_a_derivative_by_a_complex_number():
    z = Tensor(0.5 + 0.25j)
    assert grad(z * z * z, z) == 3 * z.numpy() ** 2
    np.testing.assert_allclose(grad(mg.tanh(z), z), 1 - np.tanh(z.numpy()) ** 2)


@pytest.mark.parametrize(
    "f",
    [
        lambda z: abs(1j * z),
        lambda z: abs((1 + 1j) * z - 2) ** 2,
        lambda z: mg.norm(mg.stack([z, z])),
        mg.relu,
        lambda z: mg.maximum(z, 1.0),
        lambda z: mg.max(mg.stack([z, 2 * z])),
    ],
)
def test_others_have_none(f):
    z = Tensor(1 + 0j, name="z")
    with pytest.raises(DTypeError, match=r"grad: \w+ of .* is not analytic.*matter of convention"):
        grad(f(z), z)


def test_real_numbers_have_no_derivative_through_complex_ones():
    x = Tensor([1.0, 2.0], requires_grad=True)
    for f in (
        lambda x: abs(1j * x),
        lambda x: mg.norm(x * (1 + 1j)),
        lambda x: (x * 1j) * (x * 1j),
    ):
        y = f(x)
        for differentiate in (
            lambda y: grad(y, x, np.ones(y.shape)),
            lambda y: y.backward(np.ones(y.shape)),
            lambda y: grad(y, x, np.ones(y.shape), create_graph=True),
        ):
            with pytest.raises(GradientError, match=r"complex128 reached \(2,\) of float64"):
                differentiate(y)


# --- NaN and infinity, with PyTorch as the witness -----------------------------------------------


BOTH = [1.0, 1.0, NAN]


@pytest.mark.parity
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (mg.max, lambda t, x: x.max()),
        (mg.min, lambda t, x: x.min()),
        (mg.relu, lambda t, x: x.relu()),
        (lambda x: mg.maximum(x, BOTH), lambda t, x: t.maximum(x, x.new_tensor(BOTH))),
        (lambda x: mg.minimum(x, BOTH), lambda t, x: t.minimum(x, x.new_tensor(BOTH))),
        (lambda x: mg.clip(x, -1, 1), lambda t, x: x.clip(-1, 1)),
        (mg.norm, lambda t, x: x.norm()),
        (mg.softplus, lambda t, x: t.nn.functional.softplus(x)),
    ],
)
@pytest.mark.parametrize(
    "data", [[2.0, NAN, 0.5], [NAN, NAN, -3.0], [2.0, 0.5, 1.5], [0.5, INF, -INF]]
)
def test_nan_and_infinity_are_torchs(ours, theirs, data):
    torch = pytest.importorskip("torch")
    x, z = (
        Tensor(data, requires_grad=True),
        torch.tensor(data, dtype=torch.float64, requires_grad=True),
    )
    y, e = ours(x), theirs(torch, z)
    np.testing.assert_allclose(y.numpy(), e.detach().numpy(), rtol=1e-14)
    y.sum().backward()
    e.sum().backward()
    np.testing.assert_allclose(x.grad, z.grad.numpy(), rtol=1e-14)


def test_the_maximum_of_a_row_with_nan():
    x = Tensor([[1.0, NAN, NAN], [3.0, 3.0, 1.0]])
    for f in (mg.max, mg.min):
        assert np.isnan(f(x, axis=1).numpy()).tolist() == [True, False]
        assert grad(f(x, axis=1).sum(), x)[0].tolist() == [0, 0.5, 0.5]
    assert grad(mg.max(x, axis=1).sum(), x)[1].tolist() == [0.5, 0.5, 0]


def test_binary_cross_entropy_of_infinite_logits():
    """-log σ(x) and -log(1 - σ(x)) in the limit; PyTorch has inf where it has no NaN."""
    for dtype in ("float64", "float32"):
        x = Tensor([INF, INF, INF, -INF, -INF, -INF], dtype=dtype)
        t = np.array([0, 1, 0.5, 0, 1, 0.5], dtype)
        loss = mg.binary_cross_entropy(x, t, reduction="none")
        assert loss.numpy().tolist() == [INF, 0, INF, 0, INF, INF] and loss.dtype == dtype
        assert grad(loss, x, np.ones(6)).tolist() == [1, 0, 0.5, 0, -1, -0.5]
    assert np.isnan(mg.binary_cross_entropy(Tensor([NAN]), [0.0]).item())


@pytest.mark.parity
def test_binary_cross_entropy_is_torchs():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    data = np.concatenate([rng.normal(size=20) * 10, [0, 40, -40, 800, -800, INF]])
    targets = np.concatenate([rng.uniform(size=20), [0.5, 1, 0, 1, 0, 0]])
    x, z = Tensor(data, requires_grad=True), torch.tensor(data, requires_grad=True)
    y = mg.binary_cross_entropy(x, targets, reduction="none")
    e = torch.nn.functional.binary_cross_entropy_with_logits(
        z, torch.tensor(targets), reduction="none"
    )
    np.testing.assert_allclose(y.numpy(), e.detach().numpy(), rtol=1e-13, atol=1e-17)
    y[:-1].sum().backward()
    e[:-1].sum().backward()
    np.testing.assert_allclose(x.grad, z.grad.numpy(), rtol=1e-13, atol=1e-300)
