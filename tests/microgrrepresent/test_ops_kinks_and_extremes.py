"""Where derivatives do not exist, and where floating-point numbers give out."""

import re

import numpy as np
import pytest

import microgrrepresent as mg
from microgrrepresent import Tensor, grad

pytestmark = pytest.mark.filterwarnings("error")  # no overflow, no 0/0 on the way
INF = np.inf


def slope(f, *values):
    """The derivatives of the sum of f at these values."""
    xs = [Tensor(v) for v in values]
    found = [g.tolist() for g in grad(f(*xs).sum(), xs, unconnected="zeros")]
    return found if len(found) > 1 else found[0]


# --- the table of subgradients in microgrrepresent.ops, row by row -------------------------------

TABLE = {
    "abs(x), x = 0": lambda: slope(abs, [0.0, -0.0, 2.0, -2.0]) == [0, 0, 1, -1],
    "sign(x)": lambda: slope(mg.sign, [-2.0, 0.0, 3.0]) == [0, 0, 0],
    "relu(x), x = 0": lambda: slope(mg.relu, [0.0, -0.0, 1.0, -1.0]) == [0, 0, 1, 0],
    "maximum(a, b), a = b": lambda: (
        slope(mg.maximum, [1.0, 1.0], [1.0, 2.0]) == [[0.5, 0], [0.5, 1]]
        and slope(mg.minimum, [1.0, 1.0], [1.0, 2.0]) == [[0.5, 1], [0.5, 0]]
        and slope(lambda x: mg.maximum(x, x), 3.0) == 1
    ),
    "max(x) with n equal maxima": lambda: (
        slope(mg.max, [2.0, 1.0, 2.0]) == [0.5, 0, 0.5]
        and slope(lambda x: mg.min(x, axis=1), [[1.0, 1.0], [3.0, 2.0]]) == [[0.5, 0.5], [0, 1]]
        and slope(mg.max, [7.0] * 5) == [0.2] * 5
    ),
    "clip(x, low, high), on a bound": lambda: (
        slope(lambda x: mg.clip(x, -1, 1), [-1.5, -1.0, 0.0, 1.0, 1.5]) == [0, 1, 1, 1, 0]
    ),
    "sqrt(x), x = 0": lambda: slope(mg.sqrt, [0.0, 4.0]) == [0, 0.25],
    "norm(x), x = 0": lambda: (
        slope(mg.norm, [0.0, 0.0]) == [0, 0]
        and slope(lambda x: mg.norm(x, axis=1), [[0.0, 0.0], [0.0, -2.0]]) == [[0, 0], [0, -1]]
    ),
    "std(x), all x equal": lambda: (
        slope(mg.std, [2.0, 2.0]) == [0, 0]
        and slope(lambda x: mg.std(x, axis=1), [[1.0, 1.0], [1.0, 3.0]]) == [[0, 0], [-0.5, 0.5]]
    ),
    "pow(x, b), x = 0": lambda: (
        [slope(mg.pow, 0.0, b) for b in (1.0, 2.0, 3.0, 0.0)] == [[1, 0], [0, 0], [0, 0], [0, 0]]
    ),
}


def test_the_table_has_these_rows():
    rows = re.findall(r"^(``.*?)  +\S", mg.ops.__doc__, flags=re.MULTILINE)
    assert [row.replace("``", "") for row in rows] == list(TABLE)


@pytest.mark.parametrize("row", TABLE)
def test_a_kink_has_the_derivative_of_the_table(row):
    assert TABLE[row]()


def test_a_power_below_one_is_infinitely_steep_at_0():
    with np.errstate(divide="ignore"):
        assert slope(lambda x: x**0.5, 0.0) == INF


def test_derivatives_at_kinks_can_be_differentiated():
    for f in (abs, mg.relu, mg.sqrt, mg.norm, lambda x: mg.clip(x, 0, 1), lambda x: x**2):
        x = Tensor(0.0)
        (dx,) = grad(f(x), [x], create_graph=True)
        second = grad(dx, x, unconnected="zeros")
        assert second == (2 if dx.item() == 0 and f(Tensor(2.0)).item() == 4 else 0)


# --- large numbers -------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_saturated_functions(dtype):
    x = Tensor([-1000.0, 0.0, 1000.0], dtype=dtype)
    for f, values, slopes in [
        (mg.sigmoid, [0, 0.5, 1], [0, 0.25, 0]),
        (mg.tanh, [-1, 0, 1], [0, 1, 0]),
        (mg.softplus, [0, np.log(2), 1000], [0, 0.5, 1]),
    ]:
        np.testing.assert_allclose(f(x).numpy(), values, rtol=1e-6)
        np.testing.assert_allclose(grad(f(x).sum(), x), slopes, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_normalized_exponentials_of_large_logits(dtype):
    x = Tensor([[1000.0, -1000.0, 1000.0], [-1000.0, -1000.0, -2000.0]], dtype=dtype)
    half = [[0.5, 0, 0.5], [0.5, 0.5, 0]]
    assert mg.softmax(x).numpy().tolist() == half
    lse = mg.logsumexp(x)
    np.testing.assert_allclose(lse.numpy(), [1000 + np.log(2), -1000 + np.log(2)], rtol=1e-6)
    np.testing.assert_allclose(grad(lse.sum(), x), half)
    y = mg.log_softmax(x)
    np.testing.assert_allclose(y.numpy()[0], [-np.log(2), -2000 - np.log(2), -np.log(2)], rtol=1e-6)
    g = grad(y, x, [[1, 0, 0], [0, 0, 1]])
    np.testing.assert_allclose(g, [[0.5, 0, -0.5], [-0.5, -0.5, 1]])
    assert np.isfinite(grad(mg.softmax(x), x, np.ones((2, 3)))).all()


def test_losses_of_large_logits():
    x = Tensor([[1000.0, -1000.0], [1000.0, -1000.0]])
    loss = mg.cross_entropy(x, [0, 1], reduction="none")
    assert loss.numpy().tolist() == [0, 2000]
    assert grad(loss.sum(), x).tolist() == [[0, 0], [1, -1]]
    z = Tensor([1000.0, 1000.0, -1000.0, -1000.0])
    loss = mg.binary_cross_entropy(z, [1.0, 0.0, 1.0, 0.0], reduction="none")
    assert loss.numpy().tolist() == [0, 1000, 1000, 0]
    assert grad(loss.sum(), z).tolist() == [0, 1, -1, 0]


def test_small_probabilities_keep_their_digits():
    # log(1 - p) and log p of p = 1e-20: a softmax that was rounded first would give 0 and -inf
    x = Tensor([0.0, -46.0517018598809])
    np.testing.assert_allclose(mg.log_softmax(x).numpy(), [-1e-20, -46.0517018598809], atol=1e-16)
    np.testing.assert_allclose(float(mg.softplus(Tensor(-46.0517018598809))), 1e-20)
    np.testing.assert_allclose(float(mg.log1p(Tensor(1e-20))), 1e-20)


# --- rows of minus infinity, as of attention scores that are all masked --------------------------


def test_a_masked_element_takes_no_part():
    x = Tensor([[0.0, -INF, 0.0]])
    assert mg.softmax(x).numpy().tolist() == [[0.5, 0, 0.5]]
    assert mg.log_softmax(x).numpy().tolist() == [[-np.log(2), -INF, -np.log(2)]]
    assert grad(mg.logsumexp(x).sum(), x).tolist() == [[0.5, 0, 0.5]]
    assert grad(mg.softmax(x), x, [[1, 1, 0]]).tolist() == [[0.25, 0, -0.25]]
    assert grad(mg.cross_entropy(x, [0]), x).tolist() == [[-0.5, 0, 0.5]]


def test_a_row_of_minus_infinity():
    x = Tensor([[-INF, -INF], [0.0, 0.0]])
    y = mg.softmax(x)
    assert y.numpy().tolist() == [[0, 0], [0.5, 0.5]]
    assert grad(y, x, [[1, 2], [1, 2]]).tolist() == [[0, 0], [-0.25, 0.25]]
    y = mg.logsumexp(x)
    assert y.numpy().tolist() == [-INF, np.log(2)]
    assert grad(y.sum(), x).tolist() == [[0, 0], [0.5, 0.5]]
    assert mg.log_softmax(x).numpy().tolist() == [[-INF, -INF], [-np.log(2), -np.log(2)]]
    assert np.isfinite(grad(mg.log_softmax(x), x, np.ones((2, 2)))).all()


def test_second_derivatives_of_a_row_of_minus_infinity_are_0():
    x = Tensor([[-INF, -INF]])
    for f in (mg.softmax, mg.logsumexp):
        y = f(x)
        g = grad(y, x, np.ones(y.shape), create_graph=True)
        assert grad(g.sum(), x, unconnected="zeros").tolist() == [[0, 0]]


# --- known values --------------------------------------------------------------------------------


def test_known_values():
    assert float(mg.sigmoid(Tensor(1.0))) == 0.7310585786300049
    assert float(mg.tanh(Tensor(0.5))) == np.tanh(0.5)
    assert float(mg.softplus(Tensor(0.0))) == np.log(2)
    np.testing.assert_allclose(float(mg.logsumexp(Tensor(np.log([1.0, 2, 3])))), np.log(6))
    np.testing.assert_allclose(mg.softmax(Tensor(np.log([1.0, 2, 3]))).numpy(), [1 / 6, 2 / 6, 0.5])
    assert float(mg.norm(Tensor([[3.0], [4.0]]))) == 5
    assert mg.norm(Tensor(np.ones((2, 3)))).shape == ()
    assert mg.norm(Tensor(np.ones((2, 3))), axis=0).shape == (3,)
    loss = mg.cross_entropy(Tensor([np.log([0.25, 0.75])]), [0])
    np.testing.assert_allclose(float(loss), np.log(4))


def test_the_last_axis_is_the_default():
    x = Tensor(np.random.default_rng(0).normal(size=(2, 3, 4)))
    for f in (mg.softmax, mg.log_softmax, mg.logsumexp):
        np.testing.assert_array_equal(f(x).numpy(), f(x, 2).numpy())
        assert f(x[0, 0]).shape == f(x[0, 0], 0).shape


def test_means_over_the_rows_that_count():
    x = Tensor(np.log([[0.5, 0.5], [0.25, 0.75], [0.1, 0.9]]))
    ce = mg.cross_entropy
    np.testing.assert_allclose(
        float(ce(x, [0, 0, -1], ignore_index=-1)), (np.log(2) + np.log(4)) / 2
    )
    np.testing.assert_allclose(float(ce(x, [0, 0, 9], mask=[True, False, False])), np.log(2))
    np.testing.assert_allclose(float(ce(x, [0, 0, 9], mask=[1, 0, 0])), np.log(2))
    both = ce(x, [0, 0, 7], mask=[False, True, True], ignore_index=7, reduction="sum")
    np.testing.assert_allclose(float(both), np.log(4))
    nothing = ce(x, [5, 5, 5], ignore_index=5)
    assert float(nothing) == 0
    assert grad(nothing, x).tolist() == [[0, 0]] * 3
    loss = mg.binary_cross_entropy(Tensor([0.0, 50.0]), [1.0, 0.0], mask=[True, False])
    assert float(loss) == np.log(2)


def test_a_masked_row_of_nan_does_not_reach_the_gradient():
    x = Tensor([[np.nan, np.nan], [0.0, 0.0]])
    loss = mg.cross_entropy(x, [0, 0], mask=[False, True])
    assert float(loss) == np.log(2)
    assert grad(loss, x).tolist() == [[0, 0], [-0.5, 0.5]]
    y = Tensor([np.nan, 0.0])
    loss = mg.binary_cross_entropy(y, [np.nan, 1.0], mask=[False, True])
    assert float(loss) == np.log(2)
    assert grad(loss, y).tolist() == [0, -0.5]


def test_a_large_vocabulary_needs_no_matrix_of_its_square():
    logits = Tensor(np.zeros((2, 50_000), np.float32))
    g = grad(mg.cross_entropy(logits, [1, 49_999]), logits)  # 50,000 squared would be 10 GB
    assert g[0, 1] == np.float32((1 / 50_000 - 1) / 2)
    assert mg.one_hot([49_999], 50_000)[0, -1] == 1


@pytest.mark.parity
def test_nan_passes_the_adjoint_of_relu_on_as_in_pytorch():
    torch = pytest.importorskip("torch")
    x = torch.tensor([np.nan, -1.0, 2.0], requires_grad=True)
    torch.relu(x).sum().backward()
    assert slope(mg.relu, [np.nan, -1.0, 2.0]) == x.grad.tolist() == [1, 0, 1]


@pytest.mark.parametrize("extreme", [mg.max, mg.min])
def test_the_extreme_that_is_nan_gets_the_adjoint(extreme):
    x = mg.Tensor([[1.0, np.nan, 2.0], [np.nan, np.nan, 0.0]])
    expected = [[0.0, 1.0, 0.0], [0.5, 0.5, 0.0]]
    assert mg.grad(extreme(x, axis=1).sum(), x).tolist() == expected
