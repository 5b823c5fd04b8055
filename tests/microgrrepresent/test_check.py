"""gradcheck itself: it passes what is right, and finds and names what is wrong."""

import numpy as np
import pytest

import microgrrepresent as mg
from microgrrepresent import (
    CheckError,
    GradientError,
    Tensor,
    cross_entropy,
    exp,
    grad,
    gradcheck,
    gradgradcheck,
    primitive,
    relu,
    tanh,
)
from rnn import Linear

WRONG = primitive("wrong_tanh_by_test_check", np.tanh, (lambda g, y, x: g * (1 - y),))
X = Tensor([[0.25, -0.5], [1.0, 2.0]], name="x")


def message(check, *args, **kwargs):
    with pytest.raises(CheckError) as caught:
        check(*args, **kwargs)
    return str(caught.value)


def test_complex_steps_are_exact():
    def f(x, w):
        return exp(tanh(x @ w) * mg.sigmoid(x)) / mg.softmax(x)

    rng = np.random.default_rng(0)
    inputs = [rng.normal(size=(3, 3)), rng.normal(size=(3, 3))]
    for check in (gradcheck, gradgradcheck):
        found = check(f, inputs)
        assert found.method == "complex step"
        assert found.error < 1e-13
    assert gradgradcheck(f, inputs).error > 0


def test_central_differences_where_an_operation_is_not_analytic():
    found = gradcheck(lambda x: relu(x) * x, [X])
    assert found.method == "central differences"
    assert 0 < found.error < 1e-8


def test_the_method_can_be_chosen():
    found = gradcheck(tanh, [X], method="central differences")
    assert found.method == "central differences" and 1e-13 < found.error < 1e-8
    # only what depends on the inputs counts
    assert gradcheck(lambda x: x * relu(Tensor(2.0)), [X]).method == "complex step"
    # and a comparison looks at the real parts first, so that no nudge misleads it
    assert gradcheck(lambda x: mg.where(x > 0, x, x * x), [X]).method == "complex step"


def test_what_is_wrong_is_named_with_both_numbers():
    x = Tensor([0.0, 0.5], name="x")
    assert message(gradcheck, lambda x: WRONG(x), [x]) == (
        f"gradcheck: d output 0[1] / d x[1] is {1 - np.tanh(0.5):.12g} by the reverse sweep, "
        f"{1 - np.tanh(0.5) ** 2:.12g} by complex step; the error, relative to max(1, |number|), "
        "is 0.249, and the tolerance 1e-10"
    )


def test_outputs_and_inputs_are_told_apart():
    text = message(gradcheck, lambda a, b: (a + b, a.sum() * WRONG(b[1])), [[1.0, 2.0], [0.0, 2.0]])
    assert text.startswith("gradcheck: d output 1 / d input 1[1] is ")
    text = message(gradgradcheck, lambda a: WRONG(a) * a, [Tensor(0.5, name="a")])
    assert text.startswith("gradgradcheck: d derivative 0 / d a is ")


def test_a_wrong_second_derivative_is_found_though_the_first_is_right():
    # the rule gives the right number, but computes it from what looks like a constant
    op = primitive(
        "once_by_test_check", np.exp, (lambda g, y, x: g * mg.stop_gradient(y),), analytic=True
    )
    assert gradcheck(op, [X]).error < 1e-14
    assert "gradgradcheck: d derivative 0" in message(gradgradcheck, op, [X])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * x.detach(),
        lambda x: x * float(x.sum()),
        lambda x: x * mg.stop_gradient(x),
        lambda x: x * x.numpy().astype(float),
    ],
    ids=["detach", "float", "stop_gradient", "astype"],
)
def test_a_lost_derivative_is_found(f):
    assert message(gradcheck, f, [X]).startswith("gradcheck: d output 0")


def test_nan_is_an_error():
    for factor in (np.nan, np.inf):
        with np.errstate(invalid="ignore"):
            text = message(gradcheck, lambda x, k=factor: x * k - x * k, [1.0])
        assert "is nan by the reverse sweep" in text


def test_the_tolerance_is_relative_above_1():
    off = primitive("off_by_test_check", lambda x: x * 1e6, (lambda g, y, x: g * (1e6 + 1),))
    assert gradcheck(off, [1.0], tolerance=2e-6).error == pytest.approx(1e-6)
    assert "is 1e-06, and the tolerance 5e-07" in message(gradcheck, off, [1.0], tolerance=5e-7)


def test_tiny_derivatives_are_checked_by_a_multiple():
    def tiny(x):
        return WRONG(x) * 1e-11

    assert gradcheck(tiny, [X]).error < 1e-10  # absolute, as the docstring says
    message(gradcheck, lambda x: 1e11 * tiny(x), [X])


def test_integers_are_handed_on():
    check = gradcheck(lambda x, t: cross_entropy(x, t), [X, np.array([0, 1])])
    assert check.method == "complex step"
    gradgradcheck(lambda x, t: cross_entropy(x, t), [X, Tensor([0, 1])])


def test_float32_is_checked_as_float64():
    found = []
    gradcheck(lambda x: found.append(x.dtype) or tanh(x), [np.ones(2, np.float32)])
    assert set(map(str, found)) == {"float64", "complex128"}


def test_a_function_that_differentiates_can_be_checked():
    def slope(x):
        return grad(exp(x * x), x, np.ones(x.shape), create_graph=True)

    assert gradcheck(slope, [X]).error < 1e-13
    assert gradgradcheck(slope, [X]).error < 1e-13


# --- a model over its own parameters -------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("check", [gradcheck, gradgradcheck])
def test_a_model_is_checked_over_its_own_parameters(check, dtype):
    layer, x = Linear(3, 2, rng=0, dtype=dtype), np.ones((4, 3), dtype)
    parameters = layer.parameters()
    found = check(lambda *_: tanh(layer(x)).sum(), parameters)
    assert found.method == "complex step" and found.error < 1e-13
    relu_found = check(lambda *_: (relu(layer(x)) * layer(x)).sum(), parameters)
    assert relu_found.method == "central differences" and 0 < relu_found.error < 1e-7
    text = message(check, lambda *_: WRONG(layer(x)).sum(), parameters)
    assert "/ d W[" in text and "/ d input" not in text
    # where only one of them is asked for, the others stay what they are
    assert check(lambda _: tanh(layer(x)).sum(), [layer.bias]).error < 1e-13
    assert "/ d b[" in message(check, lambda _: WRONG(layer(x)).sum(), [layer.bias])


def test_an_input_may_be_given_twice():
    x = Tensor([0.5, 1.0], name="x")
    assert gradcheck(lambda a, b: a * b, [x, x]).error < 1e-14
    message(gradcheck, lambda a, b: a * WRONG(b), [x, x])


def test_a_derivative_that_would_be_lost_is_refused():
    for f in (lambda x: x * np.asarray(x), lambda x: x * np.outer(x, x)):
        for check in (gradcheck, gradgradcheck):
            with pytest.raises(GradientError, match="would be lost"):
                check(f, [X])


# --- what cannot be checked ----------------------------------------------------------------------


@pytest.mark.parametrize("check", [gradcheck, gradgradcheck])
def test_a_function_that_does_not_depend_on_its_inputs_is_refused(check):
    layer, x = Linear(3, 2, rng=0), np.ones((4, 3))
    values = [p.numpy() for p in layer.parameters()]
    for f, inputs in [
        (lambda *_: WRONG(layer(x)).sum(), values),
        (lambda x: Tensor(2.0) * 3, [X]),
        (lambda x: x.detach() * 3, [X]),
        (lambda x, i: i * 2.0, [X, Tensor([1, 2])]),
    ]:
        with pytest.raises(GradientError, match=f"^{check.__name__}: f does not depend on its inp"):
            check(f, inputs)
    assert gradcheck(lambda x, w: x * 2, [X, X.numpy()]).error < 1e-14  # one of two is enough


@pytest.mark.parametrize("check", [gradcheck, gradgradcheck])
@pytest.mark.parametrize(
    "f",
    [
        lambda x: float(x.sum()),
        lambda x: x.numpy(),
        lambda x: (x, 2.0),
        lambda x: None,
        lambda x: x.sum().item(),
    ],
)
def test_a_function_that_returns_no_tensor_is_refused(check, f):
    with pytest.raises(
        TypeError, match=rf"^{check.__name__}: f must return a Tensor or several, g"
    ):
        check(f, [X])


@pytest.mark.parametrize("check", [gradcheck, gradgradcheck])
def test_a_function_that_is_random_is_refused(check):
    rng, calls = np.random.default_rng(0), []
    for f in (
        lambda x: x * rng.normal(size=x.shape),
        lambda x: calls.append(1) or x * len(calls),
        lambda x: calls.append(1) or [x] * (1 + len(calls) % 2),
    ):
        with pytest.raises((GradientError, ValueError), match=r"something else when|zip|seeds"):
            check(f, [X])
    assert gradcheck(lambda x: x * np.random.default_rng(0).normal(size=x.shape), [X]).error < 1e-14


def test_what_cannot_be_checked():
    with pytest.raises(GradientError, match="gradcheck: none of the 1 inputs is of floating-point"):
        gradcheck(lambda i: i, [np.array([1])])


@pytest.mark.parametrize("check", [gradcheck, gradgradcheck])
def test_a_check_that_would_compare_nothing_is_refused(check):
    for f, inputs, what in [
        (WRONG, [np.zeros((0, 2))], r"inputs have no elements, .*, got \(0, 2\)$"),
        (lambda x: WRONG(x)[:0], [X], r"outputs of f have no elements, .*, got \(0, 2\)$"),
    ]:
        with pytest.raises(GradientError, match=f"^{check.__name__}: the {what}"):
            check(f, inputs)
    check(lambda x, y: (tanh(x), tanh(y)), [X, np.zeros((0, 2))])  # one of two is enough
    for tolerance in (np.inf, np.nan, -1, "1e-6"):
        with pytest.raises(ValueError, match="tolerance must be a finite number, 0 or more, got"):
            check(WRONG, [X], tolerance=tolerance)
    with pytest.raises(TypeError, match=f"^{check.__name__}: f must return a Tensor .*, got none"):
        check(lambda x: (), [X])


def test_inputs_are_left_alone():
    for requires_grad in (True, False):
        x = Tensor([1.0, 2.0], requires_grad, name="x", dtype="float32")
        before = x * x
        gradcheck(tanh, [x])
        gradgradcheck(tanh, [x])
        for check in (gradcheck, gradgradcheck):
            with pytest.raises(CheckError):
                check(WRONG, [x])
            with pytest.raises(ZeroDivisionError):
                check(lambda x: x / (1 // 0), [x])
        assert x.numpy().tolist() == [1, 2] and x.dtype == np.float32
        assert x.requires_grad is requires_grad and (not requires_grad or x.grad is None)
        assert grad(before.sum(), x).tolist() == [2, 4]  # what was recorded before is still right
    array = np.array([1.0])
    gradcheck(relu, [array])
    assert array.tolist() == [1]


def test_differences_are_as_wide_as_large_numbers_need():
    assert gradcheck(lambda x: abs(x), [[1e8, -3e8]]).method == "central differences"


@pytest.mark.filterwarnings("ignore:invalid value")
def test_what_is_nan_is_not_checked_against_a_number():
    with pytest.raises(CheckError, match="is -1 by the reverse sweep, nan by central differences"):
        gradcheck(lambda x: mg.log(x - 2), [[1.0]])
