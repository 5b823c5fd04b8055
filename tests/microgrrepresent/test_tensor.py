"""A Tensor reads like a NumPy array, is read only, and mixes with arrays and numbers."""

import copy
import pickle
import threading

import numpy as np
import pytest

import microgrrepresent as mg
from microgrrepresent import (
    DTypeError,
    GradientError,
    Graph,
    ImmutableError,
    ShapeError,
    Tensor,
    grad,
    no_grad,
    scope,
    step,
    steps,
    stop_gradient,
)

A = np.array([[1.0, -2.0, 3.0], [0.5, 5.0, -6.0]])
B = np.array([2.0, -1.0, 4.0])


# --- data ----------------------------------------------------------------------------------------


def test_data_is_copied_and_read_only():
    given = np.array([1.0, 2.0])
    t = Tensor(given)
    given[:] = 9
    assert t.numpy().tolist() == [1, 2]
    for array in (t.data, t.numpy(), t.value, np.asarray(t), (t * 2).numpy(), t[:1].data):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5.0
    assert np.array(t).flags.writeable  # a copy


@pytest.mark.parametrize(
    ("data", "dtype"),
    [(1, "int64"), (1.0, "float64"), ([True], "bool"), (1j, "complex128"), ([], "float64")],
)
def test_dtypes_are_those_of_numpy(data, dtype):
    assert Tensor(data).dtype == dtype
    assert Tensor(data, dtype="complex64").dtype == "complex64"


def test_attributes():
    t = Tensor(A, requires_grad=True, name="t")
    assert (t.shape, t.ndim, t.size, t.dtype, t.name) == ((2, 3), 2, 6, "float64", "t")
    assert t.is_leaf and t.requires_grad and t.op is None and t.parents == ()
    y = t * 2
    assert not y.is_leaf and y.requires_grad and y.op is mg.mul and y.parents[0] is t
    assert y.named("y") is y and y.name == "y"


def test_values_without_axes_are_arrays_too():
    x = Tensor(2.0, requires_grad=True)
    for t in (
        x,
        x * x,
        x.sum(),
        Tensor([1.0, 2.0])[0],
        mg.norm(Tensor(B)),
        x.astype("float32"),
        -x,
    ):
        assert type(t.value) is np.ndarray and t.shape == ()


def test_a_tensor_holds_numbers():
    for data in ("a", [None], object(), np.array("2020-01-01", "datetime64[D]")):
        with pytest.raises(DTypeError, match="a Tensor holds numbers, got"):
            Tensor(data)


def test_only_floats_require_gradients():
    with pytest.raises(DTypeError, match="i of int64 cannot require a gradient"):
        Tensor([1, 2], requires_grad=True, name="i")


# --- Python --------------------------------------------------------------------------------------


def test_conversions():
    assert float(Tensor(1.5)) == 1.5 and float(Tensor([[2.5]])) == 2.5
    assert int(Tensor(3.7)) == 3 and isinstance(int(Tensor(3.7)), int)
    assert Tensor([4.5]).item() == 4.5
    assert [10, 20, 30][Tensor(1)] == 20
    assert bool(Tensor([1.0])) and not Tensor(0.0)
    assert f"{Tensor(1.23456):.2f} {Tensor([7]):03d} {Tensor(0.5)}" == "1.23 007 Tensor(0.5)"
    with pytest.raises(ValueError, match="has 3 elements, not one"):
        float(Tensor(B))
    with pytest.raises(TypeError):
        [10, 20][Tensor(1.0)]


def test_length_and_iteration():
    t = Tensor(A, requires_grad=True)
    assert len(t) == 2
    rows = list(t)
    assert [row.numpy().tolist() for row in rows] == A.tolist()
    first, second = t
    (first * second).sum().backward()
    np.testing.assert_array_equal(t.grad, A[::-1])
    assert [float(x) for x in Tensor(B)] == B.tolist()
    assert 4.0 in Tensor(B) and 5.0 not in Tensor(B)
    assert [row.numpy().tolist() for row in reversed(t)] == A[::-1].tolist()
    with pytest.raises(TypeError, match="len"):
        len(Tensor(1.0))
    with pytest.raises(TypeError, match="without axes cannot be iterated"):
        iter(Tensor(1.0))


def test_hash_is_identity_and_comparison_is_elementwise():
    a, b = Tensor([1.0, 2.0]), Tensor([1.0, 3.0])
    assert len({a, b, a}) == 2 and {a: 1}[a] == 1
    for result, expected in [
        (a == b, [True, False]),
        (a != b, [False, True]),
        (a < b, [False, True]),
        (a <= b, [True, True]),
        (a > b, [False, False]),
        (a >= b, [True, False]),
        (a == 1, [True, False]),
        (2 > a, [True, False]),  # noqa: SIM300
        (np.array([1.0, 2.0]) == a, [True, True]),
    ]:
        assert isinstance(result, Tensor) and result.dtype == bool
        assert result.numpy().tolist() == expected


def test_repr():
    assert repr(Tensor([1.0, 2.0])) == "Tensor([1., 2.])"
    x = Tensor(1.0, requires_grad=True, name="x", dtype="float32")
    assert repr(x) == "Tensor(1., dtype=float32, name='x', requires_grad=True)"
    assert repr(x * x) == "Tensor(1., dtype=float32, op=mul, requires_grad=True)"
    assert repr(Tensor(A)) == "Tensor([[ 1. , -2. ,  3. ],\n        [ 0.5,  5. , -6. ]])"
    assert "..." in repr(Tensor(np.zeros(1000)))


def test_leaves_are_copied_and_pickled():
    x = Tensor(B, requires_grad=True, name="x", dtype="float32")
    for make in (copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))):
        y = make(x)
        assert y is not x and (y.name, y.requires_grad, y.dtype) == ("x", True, "float32")
        assert y.numpy().tolist() == B.tolist()
        y.assign([0, 0, 0])
        assert x.numpy().tolist() == B.tolist()
    with pytest.raises(GradientError, match=r"^a Tensor \(3,\) requires .* lost in a copy"):
        copy.deepcopy(x * 2)
    assert copy.deepcopy(mg.tanh) is mg.tanh and pickle.loads(pickle.dumps(mg.tanh)) is mg.tanh


# --- operators, with arrays and numbers on either side ------------------------------------------

OPERATORS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: abs(a) ** b,
    "@": lambda a, b: a @ (b.T if b.ndim > 1 else b),
}


@pytest.mark.parametrize("f", OPERATORS.values(), ids=OPERATORS)
@pytest.mark.parametrize("other", [A, B], ids=["same", "broadcast"])
def test_operators_with_arrays(f, other):
    expected = f(A, other)
    x, y = Tensor(A), Tensor(other)
    for result in (f(x, y), f(x, other), f(A, y)):
        assert isinstance(result, Tensor)
        np.testing.assert_allclose(result.numpy(), expected)
    both = grad(f(x, y).sum(), [x, y])
    np.testing.assert_allclose(grad(f(x, other).sum(), x), both[0])
    np.testing.assert_allclose(grad(f(A, y).sum(), y), both[1])


@pytest.mark.parametrize("number", [2, 2.5, True, np.float64(1.5), np.int64(3), np.float32(0.5)])
@pytest.mark.parametrize("name", ["+", "-", "*", "/", "**"])
def test_operators_with_numbers(name, number):
    f = OPERATORS[name]
    for dtype in ("float64", "float32"):
        a = np.abs(B).astype(dtype)
        x = Tensor(a)
        left, right = f(x, number), f(number, x)
        assert left.dtype == f(a, number).dtype and right.dtype == f(number, a).dtype
        np.testing.assert_allclose(left.numpy(), f(a, number), rtol=1e-6)
        np.testing.assert_allclose(right.numpy(), f(number, a), rtol=1e-6)
        assert grad(left.sum(), x).dtype == dtype


def test_unary_operators():
    x = Tensor(B)
    assert (-x).numpy().tolist() == (-B).tolist()
    assert abs(x).numpy().tolist() == np.abs(B).tolist()
    assert +x is x


def test_operators_in_place_rebind():
    x = y = Tensor(B)
    y += 1
    assert y is not x and x.numpy().tolist() == B.tolist()
    array = np.ones(3)
    array += x
    assert array.tolist() == (1 + B).tolist()
    with pytest.raises(GradientError, match=r"np.add\(out=\) of a Tensor that requires"):
        array += Tensor(B, requires_grad=True)


def test_numbers_are_constants_and_arrays_are_leaves():
    x = Tensor(B, name="x")
    two = (2 * x).parents[0]
    assert two.op.name == "constant" and float(two) == 2 and two.params["value"] == 2
    leaf = (B * x).parents[0]
    assert leaf.is_leaf and not leaf.requires_grad
    given = B.copy()
    y = x * given
    given[:] = 0
    assert y.parents[1].numpy().tolist() == B.tolist()


@pytest.mark.parametrize("other", [None, "a", {}, {1}, object(), [None], Tensor])
def test_operands_that_are_no_numbers(other):
    name = type(other).__name__
    with pytest.raises(TypeError, match=f"a Tensor holds numbers, got {name} of"):
        Tensor(B) + other


def test_a_list_of_tensors_is_no_operand():
    x = Tensor(1.0)
    with pytest.raises(TypeError, match="their history would be lost; join them with stack"):
        Tensor(B) * [x, x, x]


# --- methods -------------------------------------------------------------------------------------


def test_methods_and_astype():
    x = Tensor(A)
    for axis in (None, 0, -1):
        for name in ("sum", "mean", "max", "min"):
            np.testing.assert_array_equal(
                getattr(x, name)(axis).numpy(), getattr(A, name)(axis=axis)
            )
    assert x.clip(-1, 1).numpy().tolist() == A.clip(-1, 1).tolist()
    y = x.astype("float32")
    assert y.dtype == np.float32 and grad(y.sum(), x).dtype == np.float64
    whole = x.astype(int)
    assert whole.dtype == int and whole.numpy().tolist() == A.astype(int).tolist()


METHODS = {  # micrograd's, PyTorch's and NumPy's spelling
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0),
    "prod": np.prod,
    "var": np.var,
    "std": np.std,
    "cumsum": np.cumsum,
    "ravel": np.ravel,
    "flatten": np.ravel,
    "copy": np.copy,
}


@pytest.mark.parametrize("name", METHODS)
def test_methods_are_recorded(name):
    data = np.abs(A) + 0.5 if name in ("log", "sqrt") else A
    x = Tensor(data, requires_grad=True)
    y = getattr(x, name)()
    np.testing.assert_allclose(y.numpy(), METHODS[name](data), rtol=1e-15)
    assert y.requires_grad and not y.is_leaf
    y.sum().backward()
    assert np.all(x.grad != 0) or name in ("relu", "std", "var")


def test_the_arguments_of_methods_are_numpys():
    x = Tensor(A)
    for axis, keepdims in [(None, False), (0, True), (-1, False), ((0, 1), True)]:
        for ddof in (0, 1, 0.5):
            for name in ("var", "std"):
                expected = getattr(A, name)(axis=axis, ddof=ddof, keepdims=keepdims)
                found = getattr(x, name)(axis, ddof, keepdims)
                np.testing.assert_allclose(found.numpy(), expected, rtol=1e-15)
                np.testing.assert_array_equal(
                    getattr(np, name)(x, axis, ddof=ddof, keepdims=keepdims).numpy(), found.numpy()
                )
        np.testing.assert_array_equal(
            x.prod(axis, keepdims).numpy(), A.prod(axis, keepdims=keepdims)
        )
    assert x.argmax() == 4 and x.argmin(1).tolist() == [1, 2]
    np.testing.assert_array_equal(x.cumsum(-1).numpy(), A.cumsum(-1))


def test_a_copy_is_left_alone_by_assign():
    w = Tensor(B, requires_grad=True, name="w")
    best = w.copy()
    w.assign(np.zeros(3))
    assert best.tolist() == B.tolist()
    w.assign(best)
    assert w.tolist() == B.tolist()


def test_a_method_that_is_not_there():
    x = Tensor(A)
    for name, hint in [
        ("softmax", "it is a function: microgrrepresent.softmax(t)"),
        ("norm", "it is a function: microgrrepresent.norm(t)"),
        ("any", "its array has, without derivative: t.numpy().any"),
        ("argsort", "its array has, without derivative: t.numpy().argsort"),
    ]:
        with pytest.raises(AttributeError) as caught:
            getattr(x, name)
        assert str(caught.value) == f"a Tensor has no {name!r}; {hint}"
        assert not hasattr(Tensor, name) and name not in dir(x)
    assert {"relu", "shape", "value", "grad", "__add__"} <= set(dir(x))
    with pytest.raises(AttributeError, match="no attribute 'rleu'"):
        x.rleu  # noqa: B018
    assert not hasattr(x, "__array_interface__")
    # with a __getattr__, Python would not keep in mind where the fields of its Tensors are
    assert not hasattr(Tensor, "__getattr__")


def test_what_is_not_for_users_is_not_public():
    for name in ("unbroadcast", "getitem", "bitwise_and", "bitwise_or", "each", "cast"):
        assert name not in mg.__all__ and not hasattr(mg, name)
    everything = {}
    exec("from microgrrepresent import *", everything)
    assert not {"sum", "max", "min", "abs", "pow", "copy"} & everything.keys()
    assert {"value_and_grad", "vjp", "prod", "var", "std", "cumsum", "astype"} <= everything.keys()


# --- assign, detach, no_grad ---------------------------------------------------------------------


def test_assign():
    w = Tensor([1.0, 2.0], requires_grad=True, name="w", dtype="float32")
    old = w.numpy()
    new = np.array([3.0, 4.0])
    w.assign(new)
    new[:] = 0
    assert w.numpy().tolist() == [3, 4] and w.dtype == np.float32 and old.tolist() == [1, 2]
    w.assign(Tensor([5, 6]))
    assert w.numpy().tolist() == [5, 6]
    with pytest.raises(ValueError, match="read-only"):
        w.numpy()[0] = 1


def test_assign_is_refused():
    w = Tensor([1.0, 2.0], name="w")
    with pytest.raises(ShapeError, match=r"assign: w has shape \(2,\), got \(3,\)"):
        w.assign([1.0, 2.0, 3.0])
    with pytest.raises(DTypeError, match="assign: w holds float64, got complex128"):
        w.assign([1j, 2j])
    with pytest.raises(DTypeError, match="assign: this Tensor holds int64, got float64"):
        Tensor([1]).assign([1.5])
    with pytest.raises(ImmutableError, match="assign: this Tensor is the result of mul"):
        (w * 2).assign([1.0, 2.0])


def test_detach_and_stop_gradient():
    x = Tensor(3.0, requires_grad=True, name="x")
    for cut in (lambda t: t.detach(), stop_gradient):
        y = x * cut(x)
        assert grad(y, x) == 3
    assert x.detach().is_leaf and x.detach().name == "x"
    assert Graph(x * stop_gradient(x)).find(op="stop_gradient")
    assert not (x * 2).detach().requires_grad


def test_no_grad():
    x = Tensor(3.0, requires_grad=True)
    with no_grad():
        y = x * x
        with no_grad():
            pass
        z = x * x
    assert y.is_leaf and z.is_leaf and not y.requires_grad and float(y) == 9
    assert (x * x).requires_grad
    with pytest.raises(ZeroDivisionError), no_grad():
        1 / 0  # noqa: B018
    assert (x * x).requires_grad


# --- scopes and steps ----------------------------------------------------------------------------


def place(t):
    return t.scope, t.step


def test_scopes_nest_and_end():
    with scope("encoder"), scope("lstm"), step(2):
        y = Tensor(1.0) + 1
        with step(None):
            z = Tensor(1.0) + 1
    assert place(y) == ("encoder/lstm", 2) and place(z) == ("encoder/lstm", None)
    with pytest.raises(ZeroDivisionError), scope("a"), step(1):
        1 / 0  # noqa: B018
    assert place(Tensor(1.0)) == ("", None)


def test_steps():
    seen = [(t, float(x), (x + 1).step) for t, x in steps(Tensor(B))]
    assert seen == [(1, 2.0, 1), (2, -1.0, 2), (3, 4.0, 3)]
    back = [(t, float(x), x.step, x.op.name) for t, x in steps(Tensor(B), reverse=True)]
    assert back == [(3, 4.0, 3, "getitem"), (2, -1.0, 2, "getitem"), (1, 2.0, 1, "getitem")]
    assert [t for t, _ in steps("ab", start=0)] == [0, 1]
    assert list(steps((c for c in "ab"), reverse=True)) == [(2, "b"), (1, "a")]
    assert list(steps([])) == []


def left_by_return(xs):
    with scope("inner"):
        for t, x in steps(xs):
            if t == 2:
                return x


def left_by_error(xs):
    with scope("inner"):
        for _ in steps(xs):
            raise KeyError


def test_no_step_outlives_its_loop():
    with scope("outer"), step(7):
        for t, _ in steps("abc"):
            if t == 2:
                break
        assert place(Tensor(1.0)) == ("outer", 7)
        left_by_return("abc")
        assert place(Tensor(1.0)) == ("outer", 7)
        with pytest.raises(KeyError):
            left_by_error("abc")
        assert place(Tensor(1.0)) == ("outer", 7)
        for (t, _), (s, _) in zip(steps("abc"), steps("abc", reverse=True), strict=True):
            assert Tensor(1.0).step == s != t or t == 2
        assert place(Tensor(1.0)) == ("outer", 7)
    assert place(Tensor(1.0)) == ("", None)


def test_a_loop_that_outlives_its_scope_takes_none_of_it_along():
    with scope("gone"):
        loop = steps("abc")
        next(loop)
    next(loop)
    assert place(Tensor(1.0)) == ("", 2)
    loop.close()
    assert place(Tensor(1.0)) == ("", None)


def test_threads_have_places_of_their_own():
    found = []

    def work():
        found.append(place(Tensor(1.0)))
        found.append((Tensor(1.0) + 1).is_leaf)

    with scope("main"), step(1), no_grad():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert found == [("", None), False]


@pytest.mark.parametrize(
    "f",
    [
        mg.sum,
        mg.mean,
        mg.max,
        mg.norm,
        mg.softmax,
        mg.logsumexp,
        mg.transpose,
        mg.flip,
        mg.squeeze,
        lambda x: mg.reshape(x, 4),
        lambda x: mg.expand_dims(x, 0),
        lambda x: mg.split(x, 2)[1],
        lambda x: mg.cross_entropy(x, [0, 1]),
    ],
)
def test_lists_are_taken_as_arrays(f):
    rows = [[1.0, 2.0], [3.0, 5.0]]
    np.testing.assert_array_equal(f(rows), f(np.array(rows)))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("unsqueeze", r"microgrrepresent\.expand_dims\(t, axis\)"),
        ("permute", r"t\.transpose"),
        ("view", r"t\.reshape\(2, 3\)"),
        ("cpu", "leave it out"),
        ("to", r"t\.astype"),
        ("requires_grad_", r"t\.requires_grad = True"),
        ("add_", r"t\.assign\(array\)"),
        ("sort", r"t\.numpy\(\)\.sort"),
        ("softmax", r"microgrrepresent\.softmax\(t\)"),
    ],
)
def test_what_tensors_of_pytorch_have_is_found_under_another_name(name, said):
    t = Tensor([1.0, 2.0])
    with pytest.raises(AttributeError, match=f"^a Tensor has no '{name}'; .*{said}"):
        getattr(t, name)
    assert not hasattr(t, name) and name not in dir(t)


def test_backward_keeps_the_graph_whatever_is_said():
    x = Tensor(3.0, requires_grad=True)
    y = x * x
    for retain_graph in (True, False, None):
        y.backward(retain_graph=retain_graph)
    assert float(x.grad) == 18
