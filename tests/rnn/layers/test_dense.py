"""Linear, Embedding and Dropout."""

import numpy as np
import pytest

from microgrrepresent import DTypeError, ShapeError, Tensor, grad, one_hot
from microgrrepresent import sum as total
from rnn import Dropout, Embedding, Linear


def test_linear_is_wx_plus_b():
    layer = Linear(3, 2, rng=0)
    x = np.random.default_rng(0).standard_normal((4, 5, 3))
    expected = np.einsum("oi,tbi->tbo", layer.weight.data, x) + layer.bias.data
    np.testing.assert_allclose(layer(x).numpy(), expected, rtol=1e-14)
    np.testing.assert_allclose(layer(x[0, 0]).numpy(), expected[0, 0], rtol=1e-14)
    assert Linear(3, 2, bias=False).bias is None


def test_first_values_are_those_of_torch():
    layer = Linear(16, 1000, rng=0)
    values = np.concatenate([layer.weight.data.ravel(), layer.bias.data])
    assert np.abs(values).max() <= 0.25
    assert np.abs(values).max() > 0.24
    np.testing.assert_allclose(values.std(), 0.5 / np.sqrt(12), rtol=0.02)


def test_same_generator_same_values():
    a, b = Linear(3, 2, rng=5), Linear(3, 2, rng=np.random.default_rng(5))
    np.testing.assert_array_equal(a.weight.data, b.weight.data)


def test_embedding_is_a_product_with_one_hot_vectors():
    table = Embedding(5, 3, rng=0)
    ids = np.array([[1, 4, 1], [0, 1, 4]])
    np.testing.assert_allclose(
        table(ids).numpy(), one_hot(ids, 5) @ table.weight.data, rtol=0, atol=0
    )
    weights = np.random.default_rng(0).standard_normal((2, 3, 3))
    g = grad(total(table(ids) * weights), table.weight)
    expected = np.einsum("tbv,tbd->vd", one_hot(ids, 5), weights)
    np.testing.assert_allclose(g, expected, rtol=1e-14)  # rows that repeat add up


def test_dropout_scales_what_it_keeps():
    drop = Dropout(0.25, rng=0)
    x = np.ones(100_000)
    y = drop(x).numpy()
    assert set(np.round(np.unique(y), 12)) == {0.0, round(1 / 0.75, 12)}
    assert abs(y.mean() - 1) < 0.01
    assert abs((y == 0).mean() - 0.25) < 0.01


def test_dropout_is_off_in_eval_and_at_zero():
    x = Tensor(np.ones(10))
    assert Dropout(0.5).eval()(x) is x
    assert Dropout(0.0)(x) is x
    assert not Dropout(1.0)(x).numpy().any()


def test_gradients_pass_where_values_did():
    x = Tensor(np.ones(20), requires_grad=True)
    y = Dropout(0.5, rng=0)(x)
    np.testing.assert_array_equal(grad(total(y), x), y.numpy())
    assert Dropout(0.5)(Tensor(np.ones(3, np.float32))).dtype == np.float32


@pytest.mark.parametrize(
    ("call", "kind", "sentence"),
    [
        (
            lambda: Linear(3, 2)(np.zeros((4, 5))),
            ShapeError,
            "Linear(3, 2): expected x of shape (..., 3), got (4, 5)",
        ),
        (
            lambda: Linear(3, 2)(np.zeros((4, 3), np.float32)),
            DTypeError,
            "Linear(3, 2): expected x of float64, got float32; convert it with "
            ".astype('float64'), or make the module with dtype='float32'",
        ),
        (
            lambda: Linear(3, 2)(np.zeros((4, 3), int)),
            DTypeError,
            "Linear(3, 2): expected x of float64, got int64; "
            "convert it with .astype('float64'); symbols are embedded with Embedding or one_hot "
            "first",
        ),
        (
            lambda: Embedding(5, 2)([1.0]),
            DTypeError,
            "Embedding(5, 2): expected integers, the numbers of symbols, got float64",
        ),
        (
            lambda: Embedding(5, 2)([0, 5]),
            ValueError,
            "Embedding(5, 2): symbols are numbered 0..4, got 0..5",
        ),
        (
            lambda: Embedding(5, 2)([-1]),
            ValueError,
            "Embedding(5, 2): symbols are numbered 0..4, got -1..-1",
        ),
        (
            lambda: Dropout(0.3)(np.ones(12, int)),
            DTypeError,
            "Dropout(0.3): expected x of floating-point numbers, which can be scaled, got int64; "
            "convert it with .astype(float)",
        ),
        (
            lambda: Dropout(1.5),
            ValueError,
            "Dropout: p is a probability, between 0 and 1, got 1.5",
        ),
        (
            lambda: Linear(3, 2, dtype=int),
            DTypeError,
            "parameters need a floating-point dtype such as float32, got int64",
        ),
    ],
)
def test_errors(call, kind, sentence):
    with pytest.raises(kind) as error:
        call()
    assert str(error.value) == sentence


def test_what_torchs_embedding_does_beside_is_refused():
    Embedding(3, 2, None, None, 2.0, False, False)
    for name, value in {
        "max_norm": 1.0, "norm_type": 1.0, "scale_grad_by_freq": True, "sparse": True,
    }.items():  # fmt: skip
        with pytest.raises(ValueError, match=f"Embedding: {name} must be .*, got {value}"):
            Embedding(3, 2, **{name: value})
