"""Every operation, against the function itself and against PyTorch.

One table, `CASES`, says how to call each operation, on which shapes, and what PyTorch calls it.
The tests below take each row through first, second and third derivatives, data types and
parity. An operation or primitive without a row fails the first test.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import microgrrepresent as mg
from microgrrepresent import GradientError, Tensor, grad, gradcheck, gradgradcheck
from microgrrepresent.ops.elementwise import copied
from microgrrepresent.ops.reductions import unbroadcast
from microgrrepresent.ops.selection import getitem
from microgrrepresent.primitive import registry

# --- inputs --------------------------------------------------------------------------------------


def real(rng, shape):
    """Numbers of both signs, at least 0.2 away from every integer, where all kinks are."""
    return rng.integers(-2, 2, shape) + rng.uniform(0.2, 0.8, shape)


def positive(rng, shape):
    return np.abs(real(rng, shape)) + 0.1


def whole(n):
    return lambda rng, shape: rng.integers(0, n, shape)


def yes_no(rng, shape):
    return rng.integers(0, 2, shape).astype(bool)


# Hypothesis alone prefers shapes such as () and (1,), on which most mistakes do not show.
PLAIN = [(3,), (2, 3), (3, 2), (2, 1, 3), (3, 2, 2), (0, 2), ()]
TOGETHER = [
    ((2, 3), (3,), (2, 1)),
    ((2, 1), (1, 3), ()),
    ((), (2, 3), (1,)),
    ((2, 3), (2, 3), (2, 3)),
    ((3,), (2, 1, 3), (2, 1)),
    ((1, 1, 2), (3, 1), (2,)),
    ((3,), (1,), (3,)),
    ((0, 1), (1, 2), (2,)),
    ((), (), ()),
]


def broadcasting(n):
    """Shapes of n operands that broadcast."""
    any_shapes = hnp.mutually_broadcastable_shapes(num_shapes=n, max_dims=3, max_side=3)
    return st.one_of(
        st.permutations(range(3)).flatmap(
            lambda order: st.sampled_from([tuple(x[i] for i in order[:n]) for x in TOGETHER])
        ),
        any_shapes.map(lambda shapes: shapes.input_shapes),
    )


def of_dims(low, high=3, n=1, smallest=0):
    """One shape with so many axes, for n operands."""
    plain = [x for x in PLAIN if low <= len(x) <= high and min(x, default=1) >= smallest]
    return st.one_of(
        st.sampled_from(plain),
        hnp.array_shapes(min_dims=low, max_dims=high, min_side=1, max_side=3),
    ).map(lambda shape: (shape,) * n)


def shapes(*choices):
    return st.sampled_from(choices)


def axis_of(draw, shapes):
    n = len(shapes[0])
    return {"axis": draw(st.integers(-n, n - 1))}


def reduction(draw, shapes):
    n = len(shapes[0])
    single = st.integers(-n, n - 1) if n else st.none()
    several = st.lists(st.integers(0, n - 1), unique=True).map(tuple) if n else st.none()
    axis = draw(st.none() | single | several)
    return {"axis": axis, "keepdims": draw(st.booleans())}


def row_reduction(draw, shapes):
    return {**axis_of(draw, shapes), "keepdims": draw(st.booleans())}


def indexing(draw, shapes):
    """Slices, integers, None, ... , integer arrays with repeats, and masks."""
    (shape,) = shapes
    basic = hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True)
    repeats = hnp.arrays(np.int64, (3,), elements=st.integers(-shape[0], shape[0] - 1))
    mask = hnp.arrays(bool, shape)
    mixed = st.tuples(repeats, st.just(slice(None, None, -1))) if len(shape) > 1 else repeats
    return {"index": draw(st.one_of(basic, repeats, mask, mixed))}


# --- the table -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """How to call an operation, in both packages."""

    name: str
    f: Callable[..., Any]  # f(mg, *tensors, **params)
    shapes: st.SearchStrategy[Any]
    torch: Callable[..., Any] | None = None  # f(torch, ...), where it is not f itself
    domain: tuple[Callable[..., Any], ...] = ()  # of each input; `real` where there is none
    params: Callable[..., dict[str, Any]] = lambda draw, shapes: {}
    covers: tuple[str, ...] = ()  # other primitives and operations that this row stands for
    parity: bool = True

    def values(self, shapes, seed):
        rng = np.random.default_rng(seed)
        domain = self.domain + (real,) * (len(shapes) - len(self.domain))
        return [np.asarray(draw(rng, shape)) for draw, shape in zip(domain, shapes, strict=True)]


MATMUL = [
    ((2, 3), (3, 2)),
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 2)),
    ((2, 1, 3), (3, 2)),
    ((2, 1, 3), (3,)),
    ((3,), (2, 3, 1)),
    ((1, 3), (2, 3, 1)),
    ((2, 1, 2, 1), (2, 1, 2)),
    ((2, 0), (0, 2)),
]


def F(torch):
    return torch.nn.functional


def unary(name, domain=real, torch=None):
    f = lambda m, x: getattr(m, name)(x)  # noqa: E731
    return Case(name, f, of_dims(0), torch, (domain,))


def binary(name, domain=(), torch=None):
    f = lambda m, a, b: getattr(m, name)(a, b)  # noqa: E731
    return Case(name, f, broadcasting(2), torch, domain)


def by_torch_reduction(name):
    def f(torch, x, axis, keepdims):
        axis = tuple(range(x.ndim)) if axis is None else axis
        if axis == ():
            return x + 0
        return getattr(torch, name)(x, axis, keepdim=keepdims)

    return f


def by_torch_prod(torch, x, axis, keepdims):
    """Axis by axis, as PyTorch takes one only."""
    for i in range(x.ndim) if axis is None else sorted(axis if isinstance(axis, tuple) else [axis]):
        x = x.prod(i, keepdim=True)
    if keepdims:
        return x
    gone = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else [axis]
    gone = {i % x.ndim for i in gone}
    return x.reshape([n for i, n in enumerate(x.shape) if i not in gone])


def spread(f, x, axis, keepdims, ddof):
    """PyTorch's var or std, which take no empty tuple for no axis."""
    if axis == () or not x.ndim:
        return f(x[None], 0, correction=ddof)
    return f(x, axis, correction=ddof, keepdim=keepdims)


def ddof(draw, shapes):
    return {"ddof": draw(st.sampled_from([0, 0.5]))}


def some_zeros(rng, shape):
    return real(rng, shape) * (rng.uniform(size=shape) < 0.7)


def reduced(name, torch_name=None, smallest=1, torch=None, domain=(), more=None):
    return Case(
        name,
        lambda m, x, **how: getattr(m, name)(x, **how),
        of_dims(0, smallest=smallest),
        torch or by_torch_reduction(torch_name or name),
        domain,
        lambda draw, shapes: {**reduction(draw, shapes), **(more(draw, shapes) if more else {})},
    )


CASES = [
    binary("add"),
    binary("sub"),
    binary("mul"),
    binary("div"),
    binary("pow", (positive,)),
    binary("maximum"),
    binary("minimum"),
    unary("neg"),
    unary("exp"),
    unary("log", positive),
    unary("log1p", positive),
    unary("sqrt", positive),
    unary("sin"),
    unary("cos"),
    unary("tanh"),
    unary("sigmoid"),
    unary("softplus", torch=lambda t, x: F(t).softplus(x)),
    unary("abs"),
    unary("relu"),
    Case(
        "clip",
        lambda m, x, low, high: m.clip(x, low, high),
        of_dims(0),
        lambda t, x, low, high: t.clip(x, low, high) if (low, high) != (None, None) else x + 0,
        params=lambda draw, shapes: {
            "low": draw(st.sampled_from([None, -1, -1.0])),
            "high": draw(st.sampled_from([None, 1])),
        },
    ),
    Case("where", lambda m, c, a, b: m.where(c, a, b), broadcasting(3), None, (yes_no,)),
    Case(
        "astype",
        lambda m, x: m.astype(x, "float64") * x,
        of_dims(0),
        lambda t, x: x.to(t.float64) * x,
    ),
    Case("matmul", lambda m, a, b: m.matmul(a, b), shapes(*MATMUL)),
    Case(
        "linear",
        lambda m, x, w: m.linear(x, w),
        shapes(((3,), (2, 3)), ((2, 3), (2, 3)), ((2, 1, 3), (2, 3)), ((2, 0), (2, 0))),
        lambda t, x, w: F(t).linear(x, w),
    ),
    reduced("sum", smallest=0),
    reduced("mean"),
    reduced("max", "amax"),
    reduced("min", "amin"),
    reduced("prod", torch=by_torch_prod, domain=(some_zeros,)),
    reduced(
        "var",
        torch=lambda t, x, axis, keepdims, ddof: spread(t.var, x, axis, keepdims, ddof),
        more=ddof,
    ),
    reduced(
        "std",
        torch=lambda t, x, axis, keepdims, ddof: spread(t.std, x, axis, keepdims, ddof),
        more=ddof,
    ),
    Case(
        "cumsum",
        lambda m, x, axis: m.cumsum(x, axis),
        of_dims(1),
        lambda t, x, axis: t.cumsum(x.reshape(-1), 0) if axis is None else t.cumsum(x, axis),
        params=lambda draw, shapes: draw(st.sampled_from([{"axis": None}, axis_of(draw, shapes)])),
    ),
    Case("copy", lambda m, x: copied(x) if m is mg else x.clone(), of_dims(0)),
    Case(
        "norm",
        lambda m, x, **how: m.norm(x, **how),
        of_dims(0),
        lambda t, x, axis, keepdims: (
            t.abs(x)
            if axis == () or not x.ndim
            else t.linalg.vector_norm(x, dim=axis, keepdim=keepdims)
        ),
        params=reduction,
    ),
    Case(
        "unbroadcast",
        lambda m, x: unbroadcast(x, (2, 1)),
        shapes(((2, 3),), ((3, 2, 2),)),
        lambda t, x: x.sum_to_size(2, 1),
    ),
    Case(
        "logsumexp",
        lambda m, x, **how: m.logsumexp(x, **how),
        of_dims(1),
        by_torch_reduction("logsumexp"),
        params=row_reduction,
    ),
    Case("softmax", lambda m, x, axis: m.softmax(x, axis), of_dims(1), params=axis_of),
    Case(
        "log_softmax",
        lambda m, x, axis: m.log_softmax(x, axis),
        of_dims(1),
        params=axis_of,
        torch=lambda t, x, axis: F(t).log_softmax(x, axis),
    ),
    Case(
        "cross_entropy",
        lambda m, x, targets, **how: m.cross_entropy(x, targets, **how),
        shapes(((3, 4), (3,)), ((1, 4), (1,))),
        lambda t, x, targets, reduction, ignore_index: F(t).cross_entropy(
            x, targets, reduction=reduction, ignore_index=ignore_index
        ),
        (real, lambda rng, shape: np.minimum(rng.integers(0, 4, shape), 2)),
        lambda draw, shapes: {
            "reduction": draw(st.sampled_from(["mean", "sum", "none"])),
            "ignore_index": draw(st.sampled_from([-100, 3])),
        },
        covers=("one_hot",),
    ),
    Case(
        "binary_cross_entropy",
        lambda m, x, t, **how: m.binary_cross_entropy(x, t, **how),
        of_dims(0, n=2, smallest=1),
        lambda t, x, y, **how: F(t).binary_cross_entropy_with_logits(x, y, **how),
        (real, lambda rng, shape: rng.uniform(0.1, 0.9, shape)),
        lambda draw, shapes: {"reduction": draw(st.sampled_from(["mean", "sum", "none"]))},
    ),
    Case("reshape", lambda m, x: m.reshape(x, (-1, 2)), shapes(((2, 3),), ((4,),), ((2, 2, 1),))),
    Case(
        "transpose",
        lambda m, x, axes: m.transpose(x, axes),
        of_dims(1),
        lambda t, x, axes: t.permute(x, axes),
        params=lambda draw, shapes: {"axes": tuple(draw(st.permutations(range(len(shapes[0])))))},
    ),
    Case("swapaxes", lambda m, x: m.swapaxes(x, 0, -1), of_dims(1)),
    Case(
        "broadcast_to",
        lambda m, x: m.broadcast_to(x, (2, 2, 3)),
        shapes(((2, 3),), ((2, 1, 3),), ((),), ((1, 1),)),
    ),
    Case(
        "expand_dims",
        lambda m, x, axis: m.expand_dims(x, axis),
        of_dims(1),
        params=axis_of,
        torch=lambda t, x, axis: t.unsqueeze(x, axis),
    ),
    Case("squeeze", lambda m, x: m.squeeze(x, 1), shapes(((2, 1, 3),), ((1, 1),))),
    Case(
        "getitem",
        lambda m, x, index: getitem(x, index),
        of_dims(1, smallest=1),
        params=indexing,
        covers=("scatter_add",),
        parity=False,  # PyTorch has no negative steps; see test_ops_indexing
    ),
    Case(
        "scatter_add",
        lambda m, x, index: registry["scatter_add"](x, index=index, shape=(3, 2)),
        shapes(((4, 2),)),
        lambda t, x, index: t.zeros(3, 2, dtype=x.dtype).index_put((index,), x, accumulate=True),
        params=lambda draw, shapes: {"index": np.array([0, 2, 2, 0])},
    ),
    Case(
        "take",
        lambda m, x, i: m.take(x, i),
        shapes(((3, 2), (4,)), ((3,), ()), ((2, 1), (2, 2))),
        lambda t, x, i: x[i],
        (real, whole(2)),
    ),
    Case(
        "dot",
        lambda m, a, b: m.dot(a, b),
        shapes(((3, 2), (2, 4)), ((3,), (3,)), ((2, 3), (3,)), ((), (2, 2)), ((2,), ())),
        lambda t, a, b: a * b if 0 in (a.ndim, b.ndim) else a @ b,
        (real, real),
    ),
    Case(
        "put",
        lambda m, x, i: registry["put"](x, i, shape=(4, 2)),
        shapes(((3, 2), (3,)), ((2, 2, 2), (2, 2))),
        lambda t, x, i: t.zeros(4, 2, dtype=x.dtype).index_put((i,), x, accumulate=True),
        (real, whole(3)),
    ),
    Case(
        "flip",
        lambda m, x, axis: m.flip(x, axis),
        of_dims(1),
        lambda t, x, axis: t.flip(x, tuple(range(x.ndim)) if axis is None else (axis,)),
        params=lambda draw, shapes: draw(st.sampled_from([{"axis": None}, {"axis": -1}])),
    ),
    Case(
        "concatenate",
        lambda m, *xs, axis: m.concatenate(xs, axis),
        shapes(((2, 1), (2, 3)), ((2, 2),), ((1, 0), (1, 1), (1, 2))),
        params=lambda draw, shapes: {"axis": draw(st.sampled_from([1, -1]))},
    ),
    Case("stack", lambda m, *xs, axis: m.stack(xs, axis), of_dims(1, n=2), params=axis_of),
    Case(
        "split",
        lambda m, x, cuts: m.concatenate(
            [part * (i + 2) for i, part in enumerate(m.split(x, cuts, 1))], 1
        ),
        shapes(((2, 4),), ((1, 4, 1),)),
        lambda t, x, cuts: t.concatenate(
            [part * (i + 2) for i, part in enumerate(t.tensor_split(x, cuts, 1))], 1
        ),
        params=lambda draw, shapes: {"cuts": draw(st.sampled_from([1, 2, 4, (1,), (1, 3)]))},
    ),
]
BY_NAME = {case.name: case for case in CASES}
assert len(BY_NAME) == len(CASES)
NO_DERIVATIVE = {  # and a call of each
    "equal": lambda x: x == 0.5,
    "not_equal": lambda x: x != 0.5,
    "less": lambda x: x < 0.5,
    "less_equal": lambda x: x <= 0.5,
    "greater": lambda x: x > 0.5,
    "greater_equal": lambda x: x >= 0.5,
    "bitwise_and": lambda x: (x > 0) & (x < 1),
    "bitwise_or": lambda x: (x > 0) | (x < 1),
    "invert": lambda x: ~(x > 0),
    "sign": mg.sign,
    "stop_gradient": mg.stop_gradient,
    "truncate": lambda x: x.astype(int),
    "constant": lambda x: (x + 1).parents[1],
    "one_hot": lambda x: mg.one_hot([0, 1], 2),
}


@st.composite
def examples(draw, case):
    """A call of an operation: its arrays and its static arguments."""
    shapes = draw(case.shapes)
    params = case.params(draw, shapes)
    return case.values(shapes, draw(st.integers(0, 2**16))), params


def called(case, m, xs, params):
    """The case as a function of its inputs of floating-point numbers."""
    floats = [i for i, x in enumerate(xs) if x.dtype.kind == "f"]

    def f(*given):
        everything = list(xs)
        for i, x in zip(floats, given, strict=True):
            everything[i] = x
        return case.f(m, *everything, **params)

    return f, [xs[i] for i in floats]


every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def test_every_primitive_and_operation_has_a_row():
    code = "from microgrrepresent.primitive import registry; print(*registry)"
    listed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    rows = {name for case in CASES for name in (case.name, *case.covers)} | set(NO_DERIVATIVE)
    assert set(listed.stdout.split()) | set(mg.ops.__all__) | {"unbroadcast"} == rows


@pytest.mark.parametrize("name", sorted(NO_DERIVATIVE))
def test_no_derivative_passes(name):
    x = Tensor([0.5, -1.5], requires_grad=True)
    y = NO_DERIVATIVE[name](x)
    assert not isinstance(y, Tensor) or not y.requires_grad
    total = (y * 1.0).sum()
    if isinstance(total, Tensor):
        with pytest.raises(GradientError, match="does not depend"):
            grad(total, x)
        assert grad(total, x, unconnected="zeros").tolist() == [0, 0]


def compared(check, f, inputs):
    """Check derivatives; of size 0, where nothing can be compared, their shapes."""
    leaves = [Tensor(x, requires_grad=True) for x in inputs]
    y = f(*leaves)
    if y.size and any(x.size for x in leaves):
        check(f, inputs)
        return
    gs = grad(y, leaves, np.ones(y.shape), create_graph=True, unconnected="zeros")
    assert [g.shape for g in gs] == [x.shape for x in leaves]
    total = sum((g * g).sum() + (x * x).sum() for g, x in zip(gs, leaves, strict=True))
    assert [g.shape for g in grad(total, leaves)] == [x.shape for x in leaves]


@every_case
@given(data=st.data())
def test_first_derivative(case, data):
    xs, params = data.draw(examples(case))
    f, floats = called(case, mg, xs, params)
    compared(gradcheck, f, floats)


@every_case
@settings(max_examples=max(3, settings.default.max_examples // 2))
@given(data=st.data())
def test_second_derivative(case, data):
    xs, params = data.draw(examples(case))
    f, floats = called(case, mg, xs, params)
    compared(gradgradcheck, f, floats)


@every_case
@settings(max_examples=max(2, settings.default.max_examples // 4))
@given(data=st.data())
def test_third_derivative(case, data):
    xs, params = data.draw(examples(case))
    f, floats = called(case, mg, xs, params)

    def slope(*inputs):  # along the direction (1, 1, ...), times each input to keep them in play
        ys = f(*inputs)
        gs = grad(ys, inputs, np.ones(ys.shape), create_graph=True, unconnected="zeros")
        return sum(((g * x).sum() for g, x in zip(gs, inputs, strict=True)), 0 * ys.sum())

    compared(gradgradcheck, slope, floats)


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.name != "astype"],  # which is there to change the data type
    ids=lambda case: case.name,
)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_gradient_has_the_dtype_of_its_input(case, dtype):
    """float32 in, float32 out, and float32 gradients, of the first and second order."""

    @settings(max_examples=3)
    @given(data=st.data())
    def check(data):
        xs, params = data.draw(examples(case))
        f, floats = called(case, mg, xs, params)
        exact = [Tensor(x) for x in floats]
        small = [Tensor(x, dtype=dtype) for x in floats]
        y = f(*small)
        assert y.dtype == dtype
        ones = np.ones(y.shape)
        once = grad(f(*exact), exact, ones)
        for g, x, expected in zip(grad(y, small, ones), small, once, strict=True):
            assert (g.dtype, g.shape) == (x.dtype, x.shape)
            assert isinstance(g, np.ndarray)
            rtol = 2e-5 if dtype == "float32" else 2e-1
            np.testing.assert_allclose(g, expected, rtol=rtol, atol=rtol)
        first = grad(y, small, ones, create_graph=True)
        assert [g.dtype for g in first] == [dtype] * len(small)
        total = sum((g * g).sum() for g in first)
        for g in grad(total, small, unconnected="zeros"):
            assert g.dtype == dtype

    check()


@every_case
@given(data=st.data())
def test_inputs_of_different_dtypes(case, data):
    xs, params = data.draw(examples(case))
    f, floats = called(case, mg, xs, params)
    dtypes = [data.draw(st.sampled_from(["float32", "float64"])) for _ in floats]
    mixed = [Tensor(x, dtype=d) for x, d in zip(floats, dtypes, strict=True)]
    y = f(*mixed)
    if case.name != "astype":
        assert y.dtype == np.result_type(*dtypes)
    exact = [Tensor(x) for x in floats]
    expected = grad(f(*exact), exact, np.ones(y.shape))
    for g, e, d in zip(grad(y, mixed, np.ones(y.shape)), expected, dtypes, strict=True):
        assert g.dtype == d
        np.testing.assert_allclose(g, e, rtol=1e-4, atol=1e-5)


@pytest.mark.parity
@pytest.mark.parametrize("case", [c for c in CASES if c.parity], ids=lambda case: case.name)
@given(data=st.data())
def test_value_and_gradient_equal_those_of_torch(case, data):
    torch = pytest.importorskip("torch")
    xs, params = data.draw(examples(case))
    f, floats = called(case, mg, xs, params)
    ours = [Tensor(x) for x in floats]
    y = f(*ours)
    everything = [torch.tensor(x, requires_grad=x.dtype.kind == "f") for x in xs]
    static = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in params.items()}
    call = case.torch or (lambda m, *inputs, **how: case.f(m, *inputs, **how))
    expected = call(torch, *everything, **static)
    seed = np.random.default_rng(0).uniform(0.5, 1.5, y.shape)
    np.testing.assert_allclose(y.numpy(), expected.detach().numpy(), rtol=1e-12, atol=1e-14)
    theirs = torch.autograd.grad(
        expected, [x for x in everything if x.requires_grad], torch.tensor(seed)
    )
    for g, e in zip(grad(y, ours, seed), theirs, strict=True):
        np.testing.assert_allclose(g, e.numpy(), rtol=1e-12, atol=1e-14)
