"""prod, cumsum, var, std: first and second derivatives are PyTorch's, also where factors are 0."""

import numpy as np
import pytest

import microgrrepresent as mg
from microgrrepresent import Tensor, grad, jacobian

PLAIN = [[1.5, -2.0, 0.5], [3.0, 0.25, -1.0]]
FUNCTIONS = {
    "prod": (lambda m, x: m.prod(x), PLAIN),
    "prod with a zero": (lambda m, x: m.prod(x), [2.0, 0.0, 3.0, -1.5, 0.5]),
    "prod with two zeros": (lambda m, x: m.prod(x), [2.0, 0.0, 3.0, 0.0]),
    "prod with three zeros": (lambda m, x: m.prod(x), [0.0, 2.0, 0.0, 0.0]),
    "prod of rows": (lambda m, x: (m.prod(x, 1) ** 2).sum(), [[2.0, 0.0, 3.0], [1.0, 2.0, 3.0]]),
    "cumsum": (lambda m, x: (m.cumsum(x, 1) ** 3).sum(), PLAIN),
    "cumsum of columns": (lambda m, x: (m.cumsum(x, 0) ** 3).sum(), PLAIN),
    "var": (lambda m, x: var(m, "var", x, None, 0), PLAIN),
    "var of rows": (lambda m, x: (var(m, "var", x, 1, 1) ** 2).sum(), PLAIN),
    "std": (lambda m, x: var(m, "std", x, None, 1), PLAIN),
    "std of columns": (lambda m, x: (var(m, "std", x, 0, 0) ** 3).sum(), PLAIN),
}


def var(m, name, x, axis, ddof):
    how = {"ddof": ddof} if m is mg else {"correction": ddof}
    return getattr(m, name)(x, axis, **how)


@pytest.mark.parity
@pytest.mark.parametrize("name", FUNCTIONS)
def test_first_and_second_derivatives_are_torchs(name):
    torch = pytest.importorskip("torch")
    f, data = FUNCTIONS[name]
    x, z = Tensor(data, requires_grad=True), torch.tensor(data, dtype=torch.float64)
    expected = torch.autograd.functional.hessian(lambda z: f(torch, z), z).numpy()
    z.requires_grad = True
    (slope,) = torch.autograd.grad(f(torch, z), z)
    y = f(mg, x)
    np.testing.assert_allclose(y.item(), f(torch, z).item(), rtol=1e-14)
    np.testing.assert_allclose(grad(y, x), slope.numpy(), rtol=1e-13, atol=1e-14)
    dx = grad(y, x, create_graph=True)
    np.testing.assert_allclose(jacobian(dx, x), expected, rtol=1e-12, atol=1e-13)


def test_a_product_of_many_takes_linear_memory():
    x = Tensor(np.full(200_000, 1.00001), requires_grad=True)
    np.testing.assert_allclose(grad(mg.prod(x), x), np.full(200_000, 1.00001**199_999), rtol=1e-9)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_variance_of_too_few_is_numpys():
    for data, ddof in (([1.0], 1), ([1.0, 2.0], 3)):
        found = mg.var(Tensor(data), ddof=ddof)
        np.testing.assert_array_equal(found.numpy(), np.var(data, ddof=ddof))


def test_types():
    for dtype in ("float16", "float32", "float64"):
        x = Tensor(np.array(PLAIN), requires_grad=True, dtype=dtype)
        for f in (mg.prod, mg.var, mg.std, lambda x: mg.cumsum(x).sum()):
            assert f(x).dtype == dtype and grad(f(x), x).dtype == dtype
    whole = Tensor(np.array([100, 100, 3], np.int8))
    assert mg.prod(whole).item() == 30_000 and mg.cumsum(whole).tolist() == [100, 200, 203]
    np.testing.assert_allclose(mg.var(whole).item(), np.var([100, 100, 3]))
    z = np.array([1 + 2j, 3j, -1.0])
    np.testing.assert_allclose(mg.var(Tensor(z)).numpy(), np.var(z))
    np.testing.assert_allclose(mg.std(Tensor(z), ddof=1).numpy(), np.std(z, ddof=1))
