"""Random programs, run by the engine and by a naive one; values and gradients must agree.

The naive engine knows single numbers only. NumPy makes arrays of them, and with its arrays of
objects comes all of broadcasting, products, reductions and indexing, so that not one rule for
arrays has to be written, or can be written wrongly.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

import microgrrepresent as mg
from microgrrepresent import GradientError, ShapeError, StaleGraphError, Tensor

# --- the naive engine ----------------------------------------------------------------------------


class Num:
    """A number, the numbers it was made from, and its derivative with respect to each."""

    def __init__(self, value, *edges):
        self.value, self.edges = value, edges

    def __add__(self, other):
        return Num(self.value + number(other), (self, 1), (other, 1))

    def __mul__(self, other):
        return Num(self.value * number(other), (self, number(other)), (other, self.value))

    def __truediv__(self, other):
        a, b = self.value, number(other)
        return Num(a / b, (self, 1 / b), (other, -a / b**2))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + other * -1

    def __gt__(self, other):
        return self.value > number(other)

    __radd__, __rmul__ = __add__, __mul__


def number(x):
    return x.value if isinstance(x, Num) else x


def function(f, derivative):
    return np.frompyfunc(lambda x: Num(f(x.value), (x, derivative(x.value))), 1, 1)


same = function(lambda v: v, lambda v: 1)  # a number of its own, also for a view
cut = np.frompyfunc(lambda x: Num(x.value), 1, 1)
value_of = np.frompyfunc(lambda x: float(x.value), 1, 1)
leaves_of = np.frompyfunc(Num, 1, 1)
larger = np.frompyfunc(lambda a, b: a if a > b else b, 2, 1)
FUNCTIONS = {
    "tanh": function(math.tanh, lambda v: 1 - math.tanh(v) ** 2),
    "sin": function(math.sin, math.cos),
    "sigmoid": function(
        lambda v: 1 / (1 + math.exp(-v)), lambda v: math.exp(-v) / (1 + math.exp(-v)) ** 2
    ),
    "relu": function(lambda v: max(v, 0), lambda v: float(v > 0)),
    "softplus": function(lambda v: math.log1p(math.exp(v)), lambda v: 1 / (1 + math.exp(-v))),
}


def adjoints(outputs):
    """The derivative of the sum of the outputs with respect to every number behind it."""
    order, seen = [], set()

    def visit(x):
        if isinstance(x, Num) and x not in seen:
            seen.add(x)
            for parent, _ in x.edges:
                visit(parent)
            order.append(x)

    found = {}
    for output in outputs:
        visit(output)
        found[output] = found.get(output, 0) + 1
    for x in reversed(order):
        for parent, derivative in x.edges:
            if isinstance(parent, Num):
                found[parent] = found.get(parent, 0) + found.get(x, 0) * derivative
    return found


# --- the machine ---------------------------------------------------------------------------------


class Variable:
    """A Tensor and its naive counterpart."""

    def __init__(self, tensor, nums, origin=()):
        self.tensor, self.nums = tensor, np.asarray(nums, dtype=object)
        self.leaves = {leaf: age for parent in origin for leaf, age in parent.leaves.items()}
        self.needs = any(parent.needs for parent in origin)
        for parent in origin:  # a leaf met in two ages makes a stale graph by itself
            for leaf, age in parent.leaves.items():
                if self.leaves[leaf] != age:
                    self.leaves[leaf] = -1
        self.age = 0

    @property
    def stale(self):
        return any(leaf.age != age for leaf, age in self.leaves.items())

    def gradient(self, found):
        return np.reshape([found.get(x, 0.0) for x in self.nums.ravel()], self.nums.shape)


SHAPES = [(), (1,), (2,), (3,), (2, 3), (3, 2), (2, 1), (1, 3), (2, 2, 3)]
index_of = st.integers(0, 10**6)


class Engines(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.random = np.random.default_rng(0)
        self.variables: list[Variable] = []
        self.expected: dict[Variable, np.ndarray] = {}

    def pick(self, i):
        return self.variables[
            -1 - i % min(len(self.variables), 6)
        ]  # recent ones, so that graphs grow

    def add(self, tensor, nums, *origin):
        made = Variable(tensor, same(np.asarray(nums, dtype=object)), origin)
        values = np.array(value_of(made.nums), dtype=float)
        assert isinstance(tensor, Tensor) and tensor.shape == values.shape
        np.testing.assert_allclose(tensor.numpy(), values, rtol=1e-9, atol=1e-12)
        assert tensor.requires_grad == made.needs
        if 0 < values.size <= 40 and np.all(np.abs(values) < 100):
            self.variables.append(made)

    @initialize(shapes=st.lists(st.sampled_from(SHAPES), min_size=3, max_size=3))
    def start(self, shapes):
        for shape in shapes:
            self.leaf(shape, True)

    @rule(shape=st.sampled_from(SHAPES), requires_grad=st.booleans())
    def make_leaf(self, shape, requires_grad):
        self.leaf(shape, requires_grad)

    def leaf(self, shape, requires_grad):
        data = self.random.uniform(-2, 2, shape)
        made = Variable(Tensor(data, requires_grad), leaves_of(data))
        made.leaves, made.needs = {made: 0}, requires_grad
        self.variables.append(made)

    @rule(name=st.sampled_from(sorted(FUNCTIONS)), i=index_of)
    def apply(self, name, i):
        x = self.pick(i)
        self.add(getattr(mg, name)(x.tensor), FUNCTIONS[name](x.nums), x)

    @rule(name=st.sampled_from("+-*/@m"), i=index_of, j=index_of)
    def combine(self, name, i, j):
        f, g = {
            "+": (lambda a, b: a + b,) * 2,
            "-": (lambda a, b: a - b,) * 2,
            "*": (lambda a, b: a * b,) * 2,
            "/": (lambda a, b: a / (b * b + 1),) * 2,
            "@": (lambda a, b: a @ b,) * 2,
            "m": (mg.maximum, larger),
        }[name]
        x, y = self.pick(i), self.pick(j)
        try:
            nums = g(x.nums, y.nums)
        except ValueError:
            with pytest.raises(ShapeError):
                f(x.tensor, y.tensor)
            return
        if name == "m" and np.any(x.tensor.numpy() == y.tensor.numpy()):
            return  # the naive engine does not share between ties
        self.add(f(x.tensor, y.tensor), nums, x, y)

    @rule(k=st.sampled_from([2, -0.5, 3.0]), i=index_of, array=st.booleans())
    def by_a_constant(self, k, i, array):
        x = self.pick(i)
        k = np.full(x.nums.shape[-1:], k) if array else k
        self.add(k * x.tensor - k, k * x.nums + -1 * k, x)

    @rule(
        i=index_of, axis=st.integers(-3, 2) | st.none(), keepdims=st.booleans(), mean=st.booleans()
    )
    def reduce(self, i, axis, keepdims, mean):
        x = self.pick(i)
        name = "mean" if mean else "sum"
        if axis is not None and not -x.nums.ndim <= axis < x.nums.ndim:
            with pytest.raises(ShapeError, match=f"has no axis {axis}"):
                getattr(x.tensor, name)(axis, keepdims)
            return
        self.add(
            getattr(x.tensor, name)(axis, keepdims),
            getattr(np, name)(x.nums, axis=axis, keepdims=keepdims),
            x,
        )

    @rule(
        i=index_of, how=st.sampled_from(["first", "last", "repeat", "rest", "flip", "new", "mask"])
    )
    def index(self, i, how):
        x = self.pick(i)
        if not (x.nums.ndim and len(x.nums) > 0):
            return
        n = len(x.nums)
        index = {
            "first": 0,
            "last": (..., -1),
            "repeat": np.array([0, n - 1, 0]),
            "rest": slice(1, None),
            "flip": slice(None, None, -1),
            "new": (None, ..., slice(0, 1)),
            "mask": np.arange(n) % 2 == 0,
        }[how]
        self.add(x.tensor[index], x.nums[index], x)

    @rule(i=index_of, how=st.sampled_from(["ravel", "transpose", "expand", "broadcast", "column"]))
    def move(self, i, how):
        x = self.pick(i)
        shape = x.nums.shape
        f = {
            "ravel": lambda m, a: m.reshape(a, (-1,)),
            "transpose": lambda m, a: m.transpose(a),
            "expand": lambda m, a: m.expand_dims(a, 0),
            "broadcast": lambda m, a: m.broadcast_to(a, (2, *shape)),
            "column": lambda m, a: m.reshape(a, (-1, 1)),
        }[how]
        self.add(f(mg, x.tensor), f(np, x.nums), x)

    @rule(i=index_of, j=index_of, stack=st.booleans())
    def join(self, i, j, stack):
        x, y = self.pick(i), self.pick(j)
        if not (x.nums.shape == y.nums.shape and x.nums.ndim):
            return
        f = (lambda m: m.stack) if stack else (lambda m: m.concatenate)
        self.add(f(mg)([x.tensor, y.tensor, x.tensor], 0), f(np)([x.nums, y.nums, x.nums], 0), x, y)

    @rule(i=index_of)
    def split(self, i):
        x = self.pick(i)
        if not (x.nums.ndim and len(x.nums) % 2 == 0):
            return
        parts = mg.split(x.tensor, 2)
        for tensor, nums in zip(parts, np.split(x.nums, 2), strict=True):
            self.add(tensor, nums, x)

    @rule(i=index_of, how=st.sampled_from(["detach", "stop", "no_grad"]))
    def forget(self, i, how):
        x = self.pick(i)
        if how == "stop":
            made = Variable(mg.stop_gradient(x.tensor), cut(x.nums), [x])
        elif how == "detach":
            made = Variable(x.tensor.detach(), cut(x.nums))
        else:
            with mg.no_grad():
                made = Variable(x.tensor * 1, cut(x.nums))
        made.needs = False
        if how != "stop":
            made.leaves = {made: 0}
        assert not made.tensor.requires_grad
        self.variables.append(made)

    @rule(i=index_of)
    def assign(self, i):
        x = self.pick(i)
        if not (x.tensor.is_leaf):
            return
        data = self.random.uniform(-2, 2, x.nums.shape)
        x.tensor.assign(data)
        x.nums = np.asarray(leaves_of(data), dtype=object)
        x.age += 1
        x.leaves = {x: x.age}

    @rule(i=index_of)
    def backward(self, i):
        y = self.pick(i)
        seed = np.ones(y.nums.shape)
        if not y.needs:
            with pytest.raises(GradientError, match="does not depend on any leaf"):
                y.tensor.backward(seed)
        elif not self.refused(y, lambda: y.tensor.backward(seed)):
            y.tensor.backward(seed)
            found = adjoints(y.nums.ravel())
            for x in y.leaves:
                if x.needs:
                    before = self.expected.get(x, 0.0)
                    self.expected[x] = before + x.gradient(found)
        for x, g in self.expected.items():
            np.testing.assert_allclose(x.tensor.grad, g, rtol=1e-7, atol=1e-9)
            assert x.tensor.grad.shape == x.nums.shape

    @rule(i=index_of, symbolic=st.booleans())
    def differentiate(self, i, symbolic):
        """By every variable at once."""
        y = self.pick(i)

        def gradients():
            xs = [x.tensor for x in self.variables]
            seed = np.ones(y.nums.shape)
            return mg.grad(y.tensor, xs, seed, create_graph=symbolic, unconnected="zeros")

        if self.refused(y, gradients):
            return
        found = adjoints(y.nums.ravel())
        for x, g in zip(self.variables, gradients(), strict=True):
            expected = x.gradient(found)
            np.testing.assert_allclose(g.numpy() if symbolic else g, expected, rtol=1e-7, atol=1e-9)
            assert g.shape == expected.shape and g.dtype == float

    def refused(self, y, call):
        if not y.stale:
            return False
        with pytest.raises(StaleGraphError):
            call()
        return True


TestEngines = Engines.TestCase
TestEngines.settings = settings(
    max_examples=6 * settings.default.max_examples, stateful_step_count=40
)
