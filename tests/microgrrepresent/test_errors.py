"""What a user reads when something is wrong, word by word."""

import numpy as np
import pytest

import microgrrepresent as mg
from microgrrepresent import Tensor, backward, grad, primitive, scope, step
from microgrrepresent.errors import (
    DTypeError,
    GradientError,
    ImmutableError,
    ShapeError,
    StaleGraphError,
)

H = Tensor(np.zeros((2, 16)), name="h")
U = Tensor(np.zeros((8, 64)), name="U")
X = Tensor(np.zeros((2, 3)), name="x")
V = Tensor([1.0, 2.0], requires_grad=True, name="v")
Q = Tensor(np.zeros((2, 2)))  # has no name


def raises(kind, call):
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    return str(caught.value)


def stale():
    w = Tensor(1.0, requires_grad=True, name="w")
    with scope("gate"), step(2):
        y = w * 2
    w.assign(3.0)
    y.backward()


def taken():
    primitive("tanh", np.tanh, (None,))


SNAPSHOTS = [
    # --- operands that do not fit ---
    (lambda: H @ U, ShapeError,
     "matmul in lstm at t=3: h (2, 16) @ U (8, 64): 16 != 8; the last axis of the left must be the "
     "second to last of the right"),
    (lambda: H @ Tensor([1.0, 2.0]), ShapeError,
     "matmul in lstm at t=3: h (2, 16) @ (2,): 16 != 2; the last axis of the left must be the "
     "second to last of the right"),
    (lambda: H @ 2, ShapeError,
     "matmul in lstm at t=3: h (2, 16) @ (): a matrix product takes vectors and matrices, not "
     "scalars; use * for those"),
    (lambda: Tensor(np.zeros((2, 3, 4))) @ Tensor(np.zeros((3, 4, 5))), ShapeError,
     "matmul in lstm at t=3: (2, 3, 4) @ (3, 4, 5): the leading (batch) axes do not broadcast"),
    (lambda: mg.linear(H, U), ShapeError,
     "linear in lstm at t=3: linear(h (2, 16), U (8, 64)): 16 != 64; the last axis of x must be "
     "the second of the matrix (out, in)"),
    (lambda: mg.linear(H, V), ShapeError,
     "linear in lstm at t=3: linear(h (2, 16), v (2,)): linear applies a matrix (out, in) to "
     "vectors (..., in)"),
    (lambda: H + X, ShapeError,
     "add in lstm at t=3: h (2, 16) + x (2, 3): 16 != 3 in axis -1; axes must be equal, or one of "
     "them 1, counted from the last"),
    (lambda: X * Tensor(np.zeros((3, 1))), ShapeError,
     "mul in lstm at t=3: x (2, 3) × (3, 1): 2 != 3 in axis -2; axes must be equal, or one of them "
     "1, counted from the last"),
    (lambda: mg.maximum(X, Q), ShapeError,
     "maximum in lstm at t=3: maximum(x (2, 3), (2, 2)): 3 != 2 in axis -1; axes must be equal, or "
     "one of them 1, counted from the last"),
    (lambda: X.reshape(4), ShapeError,
     "reshape in lstm at t=3: reshape(x (2, 3)) with shape=(4,): cannot reshape array of size 6 "
     "into shape (4,)"),
    (lambda: X.sum(axis=2), ShapeError,
     "sum in lstm at t=3: x (2, 3) has no axis 2: its axes are 0..1, or -2..-1 from the last"),
    (lambda: mg.softmax(Tensor(1.0)), ShapeError,
     "softmax in lstm at t=3: () has no axis -1: it has none"),
    (lambda: mg.stack([X, X], 3), ShapeError,
     "stack in lstm at t=3: x (2, 3) takes no axis 3: its axes are 0..2, or -3..-1 from the last"),
    (lambda: mg.split(X, 2, axis=1), ShapeError,
     "split in lstm at t=3: axis 1 of x (2, 3) has length 3, which cannot be cut into 2 equal "
     "parts"),
    (lambda: mg.concatenate([]), ShapeError,
     "concatenate in lstm at t=3: there is nothing to join; give at least one array"),
    (lambda: X[5], IndexError,
     "getitem in lstm at t=3: getitem(x (2, 3)) with index=5: index 5 is out of bounds for axis 0 "
     "with size 2"),
    (lambda: mg.take(X, [7]), IndexError,
     "take in lstm at t=3: take(x (2, 3), (1,)): index 7 is out of bounds for axis 0 with size 2"),
    (lambda: mg.one_hot([1, 4], 3), ValueError,
     "one_hot in lstm at t=3: index 4 is not among the 3 classes 0..2"),
    (lambda: X + "a", DTypeError, "a Tensor holds numbers, got str of <U1"),
    (lambda: X * [V, V, V], TypeError,
     "a list of Tensors is no operand, because their history would be lost; join them with stack "
     "or concatenate first"),
    (lambda: mg.clip(X, V), TypeError,
     "clip in lstm at t=3: a bound is a number or None, got Tensor; maximum and minimum take "
     "Tensors, and differentiate with respect to both"),
    # --- losses ---
    (lambda: mg.cross_entropy(X, [0, 1, 2]), ShapeError,
     "cross_entropy in lstm at t=3: logits (2, 3) (..., classes) need targets of shape (2,), got "
     "(3,)"),
    (lambda: mg.cross_entropy(X, [0.0, 1.0]), DTypeError,
     "cross_entropy in lstm at t=3: targets must be integers, the class of each row, got "
     "float64"),
    (lambda: mg.cross_entropy(X, [0, -1]), ValueError,
     "cross_entropy in lstm at t=3: targets go from -1 to 0, but logits (2, 3) have classes 0..2; "
     "use ignore_index for padding"),
    (lambda: mg.cross_entropy(X, [0, 1], mask=[True]*3), ShapeError,
     "cross_entropy in lstm at t=3: the mask says which of the rows (2,) count, and needs their "
     "shape or one that broadcasts to it, got (3,)"),
    (lambda: mg.cross_entropy(X, [0, 1], mask=[0.3, 0.7]), DTypeError,
     "cross_entropy in lstm at t=3: mask must be of booleans, got float64; say which elements "
     "count, as in mask > 0; weights are to be multiplied with the losses of "
     'reduction="none"'),
    (lambda: mg.binary_cross_entropy(V, [0.0, 1.0], mask=Tensor([2, 1])), DTypeError,
     "binary_cross_entropy in lstm at t=3: mask must be of booleans, got int64 with others than 0 "
     "and 1; say which elements count, as in mask > 0; weights are to be multiplied with the "
     'losses of reduction="none"'),
    (lambda: mg.cross_entropy(X, [0, 1], reduction="avg"), ValueError,
     "cross_entropy in lstm at t=3: reduction must be 'mean', 'sum' or 'none', got 'avg'"),
    (lambda: mg.binary_cross_entropy(X, [0.0, 1.0, 1.0]), ShapeError,
     "binary_cross_entropy in lstm at t=3: logits (2, 3) need targets of the same shape, got "
     "(3,)"),
    # --- Tensors ---
    (lambda: Tensor("a"), DTypeError, "a Tensor holds numbers, got str of <U1"),
    (lambda: Tensor([1], requires_grad=True, name="i"), DTypeError,
     "i of int64 cannot require a gradient, because a derivative needs numbers that can change a "
     "little; give floats or dtype=float"),
    (lambda: bool(V), ValueError,
     "the truth of a Tensor with 2 elements is ambiguous; use where(condition, a, b), or ask the "
     "array: t.numpy().any(), t.numpy().all()"),
    (lambda: iter(Tensor(1.0)), TypeError, "a Tensor without axes cannot be iterated over"),
    (lambda: V.__setitem__(0, 1), ImmutableError,
     "a Tensor cannot be changed in place, because the graph has recorded its value; make a new "
     "one with where(mask, new, t) or concatenate, or give a leaf a whole new value with "
     "t.assign(array)"),
    (lambda: V.assign([1.0]), ShapeError, "assign: v has shape (2,), got (1,)"),
    (lambda: (V * 2).assign([1.0, 2.0]), ImmutableError,
     "assign: this Tensor is the result of mul, so its value follows from its parents; assign to a "
     "leaf"),
    (lambda: (V * 2).named("y").grad, GradientError,
     "y is the result of mul, and backward() leaves gradients at leaves only; use grad(loss, "
     "node), or backward(loss)[node]"),
    (lambda: np.outer(V, V), GradientError,
     "np.outer of a Tensor that requires a gradient is not recorded, so that its derivative would "
     "be lost; use an operation of this package, or t.numpy() for the value alone"),
    (lambda: np.asarray(V), GradientError,
     "v (2,) requires a gradient, which would be lost as an array; v.numpy() is its value alone, "
     "v.detach() a leaf with this value; to differentiate, use operations that are recorded: "
     "dot(x, v) or x @ v instead of x.dot(v), stack or concatenate instead of arrays made of "
     "Tensors or written row by row"),
    # --- the wrong kind of argument ---
    (lambda: mg.tanh(V, V), TypeError,
     "tanh in lstm at t=3: tanh has 1 operand, got 2: v (2,), v (2,)"),
    (lambda: mg.where(V > 0, V), TypeError,
     "where in lstm at t=3: where has 3 operands, got 2: (2,), v (2,)"),
    (lambda: mg.sum(V, axis=[0]), TypeError,
     "sum in lstm at t=3: an axis must be an integer, got [0]"),
    (lambda: mg.one_hot([1.5], 3), DTypeError,
     "one_hot in lstm at t=3: an index is an integer, the place of the 1, got float64"),
    (lambda: mg.dot(X, np.ones((2, 2, 2))), ShapeError,
     "dot in lstm at t=3: x (2, 3) with (2, 2, 2): of more than two axes, np.dot makes all pairs "
     "of rows and columns; use @ for batches of matrices"),
    (lambda: grad(V.sum(), np.ones(2)), TypeError,
     "grad: an input must be a Tensor, a variable of the recorded graph, got ndarray"),
    (lambda: grad(None, V), TypeError,
     "grad: an output must be a Tensor, a variable of the recorded graph, got NoneType"),
    (lambda: mg.jacobian(V, [V]), TypeError,
     "jacobian: x must be a Tensor, a variable of the recorded graph, got list"),
    (lambda: backward(1.0), TypeError,
     "backward: the output must be a Tensor, a variable of the recorded graph, got float"),
    (lambda: backward(V.sum())["v"], TypeError,
     "adjoints: the node that is asked about must be a Tensor, a variable of the recorded graph, "
     "got str"),
    (lambda: mg.gradcheck(mg.tanh, [[1.0]], method="foo"), ValueError,
     "gradcheck: method must be 'complex step' or 'central differences', got 'foo'"),
    (lambda: mg.gradcheck(mg.tanh, 1.0), TypeError,
     "gradcheck: the inputs are a sequence, one for each argument of f, such as [x], got float"),
    (lambda: mg.gradcheck(mg.tanh, [[1.0]], tolerance=-1), ValueError,
     "gradcheck: tolerance must be a finite number, 0 or more, got -1"),
    (lambda: scope(5), TypeError, "scope: a scope has a name, such as 'encoder', got 5"),
    (lambda: step("a"), TypeError, "step: a time index is an integer, or None, got 'a'"),
    # --- derivatives ---
    (lambda: (V * 2).backward(), GradientError,
     "backward: the output has shape (2,), so its derivative is a matrix; differentiate a scalar "
     "such as .sum() or .mean(), or give seed=, the adjoint of the output, of shape (2,)"),
    (lambda: (V * 2).backward([1.0]), ShapeError,
     "backward: the seed is the adjoint of the output and needs its shape (2,), got (1,)"),
    (lambda: (V * 2).backward([1j, 1j]), DTypeError,
     "backward: the seed is the adjoint of the output and needs its float64, got complex128"),
    (lambda: X.sum().named("L").backward(), GradientError,
     "backward: L () does not depend on any leaf that requires a gradient; make the leaf with "
     "Tensor(data, requires_grad=True), and check that nothing between was detached or computed "
     "under no_grad"),
    (lambda: grad(V.sum(), X), GradientError,
     "grad: the output does not depend on x (2, 3) through any recorded operation that has a "
     "derivative (was it detached, or computed under no_grad?); unconnected='zeros' gives 0 "
     "instead"),
    (lambda: grad((V > 0).named("p"), V), DTypeError,
     "grad: p is of bool; only floating-point numbers have gradients"),
    (lambda: grad(V.sum(), Tensor([1], name="i")), DTypeError,
     "grad: i (1,) is of int64; a derivative needs numbers that can change a little"),
    (lambda: backward(V.sum())[X], GradientError,
     "x (2, 3) has no adjoint here: the output does not depend on it, or no leaf behind it "
     "requires a gradient"),
    (stale, StaleGraphError,
     "w () was given a new value by assign() after this graph had used it (mul in lstm/gate at "
     "t=2), so the recorded values no longer belong together; run the forward pass again (a state "
     "that goes from batch to batch is cut in between: state = state.detach())"),
    (taken, ValueError,
     "primitive 'tanh' exists already; give the new one a name of its own"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "text"), SNAPSHOTS, ids=[s[2][:40] for s in SNAPSHOTS])
def test_the_message(call, kind, text):
    with scope("lstm"), step(3):
        assert raises(kind, call) == text


def test_the_place_is_left_out_where_there_is_none():
    assert raises(ShapeError, lambda: H + X).startswith("add: h (2, 16) + x (2, 3): 16 != 3")
    with step(0):
        assert raises(ShapeError, lambda: H + X).startswith("add at t=0: h")
    with scope("a"), scope("b"):
        assert raises(ShapeError, lambda: H + X).startswith("add in a/b: h")


def test_every_error_is_also_a_built_in_one():
    for ours, theirs in [
        (ShapeError, ValueError),
        (DTypeError, TypeError),
        (GradientError, RuntimeError),
        (StaleGraphError, RuntimeError),
        (mg.GraphError, ValueError),
        (ImmutableError, TypeError),
        (mg.CheckError, AssertionError),
    ]:
        assert issubclass(ours, theirs) and ours.__doc__


@pytest.mark.parametrize("join", [mg.stack, mg.concatenate])
def test_of_many_operands_the_first_and_the_last_are_named(join):
    said = raises(ShapeError, lambda: join([V] * 9_999 + [X]))
    assert f"{join.__name__}(v (2,), v (2,), v (2,), ... and 9,996 more, and x (2, 3))" in said
    assert len(said) < 300
    assert "(v (2,), v (2,), v (2,), x (2, 3))" in raises(ShapeError, lambda: join([V, V, V, X]))


def test_what_numpy_said_is_kept():
    with pytest.raises(ShapeError) as caught:
        X.reshape(4)
    assert isinstance(caught.value.__cause__, ValueError)


def test_a_failed_operation_leaves_nothing_behind():
    with scope("a"), step(1):
        raises(ShapeError, lambda: H @ U)
    assert (H + 1).scope == "" and (H + 1).step is None
    loss = (V * 2).sum()
    raises(GradientError, lambda: (V * 2).backward())
    loss.backward()
    assert V.grad.tolist() == [2, 2]
