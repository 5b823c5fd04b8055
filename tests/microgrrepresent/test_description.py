"""What is said of an operation is true, of every row, on many shapes; what is false is found."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import microgrrepresent as mg
from microgrrepresent import (
    CheckError,
    DescriptionError,
    Graph,
    Tensor,
    check_primitive,
    primitive,
    sigmoid,
    tanh,
)
from microgrrepresent.primitive import registry
from microgrrepresent.programs.description_check import contribution_code, value_code
from microgrrepresent.programs.expressions import literal, subscript, text
from tests.microgrrepresent.test_ops_derivatives import (
    BY_NAME,
    NO_DERIVATIVE,
    called,
    every_case,
    examples,
)


def check_all(outputs):
    """Check every operation behind some outputs, where it was used."""
    for node in Graph(outputs):
        if node.parents:
            check_primitive(node.op, *node.parents, **node.params)


# --- every row -----------------------------------------------------------------------------------


@every_case
@given(data=st.data())
def test_every_row_is_true(case, data):
    xs, params = data.draw(examples(case))
    f, floats = called(case, mg, xs, params)
    check_all(f(*map(Tensor, floats)))


@pytest.mark.parametrize("name", sorted(NO_DERIVATIVE))
def test_every_row_without_a_derivative_is_true(name):
    y = NO_DERIVATIVE[name](Tensor([0.5, -1.5]))
    if isinstance(y, Tensor):
        check_all(y)


@pytest.mark.parametrize("name", sorted(BY_NAME.keys() & registry.keys()))
def test_every_row_says_all(name):
    """Nothing is left out that an equation or a program needs."""
    op = registry[name]
    assert op.source is not None
    for i, rule in enumerate(op.vjp if op.many is None else [True]):
        if rule is None:
            continue
        word = op.meets[i]
        if word == "moved":
            assert op.vjp_source[i] and op.vjp_formula[i] and op.vjp_words[i]
        else:
            assert op.derivative[i]
        assert word != "rows" or op.vjp_source[i]


def test_kinks_and_extremes_too():
    zero = [0.0, -0.0, 1.0]
    check_primitive(registry["relu"], zero)
    check_primitive(registry["abs"], zero)
    check_primitive(registry["sqrt"], [0.0, 4.0])
    check_primitive(registry["maximum"], zero, [0.0, 1.0, 0.5])
    check_primitive(registry["clip"], [-1.0, 0.0, 1.0, 2.0], low=-1, high=1)
    check_primitive(registry["softmax"], [[-np.inf, -np.inf], [1000.0, -np.inf]], axis=1)
    check_primitive(registry["max"], [[1.0, 1.0], [2.0, 1.0]], axis=(1,), keepdims=False)
    check_primitive(sigmoid, [-1000.0, 1000.0])


# --- what is false is found ----------------------------------------------------------------------

RIGHT = {
    "source": "x @ w.T",
    "derivative": ("w", "x"),
    "meets": ("right", "outer"),
    "kind": "product",
}
WRONG = [
    ({"source": "x @ w"}, r"source `x @ w`: at \[0, 0\] it gives"),
    ({"source": "x @ w[:, :1]"}, r"its shape is \(2, 1\), of forward \(2, 2\)"),
    ({"source": "matmul(x, w)"}, r"cannot be run: NameError: name 'matmul' is not defined"),
    ({"source": "x @"}, "`x @`, which is no Python: invalid syntax"),
    ({"derivative": ("w.T", "x")}, r"derivative `w.T, met right`"),
    ({"meets": ("left", "outer")}, r"derivative `w, met left`"),
    ({"meets": "elementwise"}, r"derivative `w, met elementwise`"),
    ({"meets": ("right", "elementwise")}, r"derivative `x, met elementwise`"),
    ({"meets": ("right", "inner")}, "meets='inner' is no such product"),
    ({"vjp_source": ("g @ w", "g @ x")}, r"contribution `g @ x`"),
    ({"vjp_source": ("g @ w.T", "g.T @ x")}, r"contribution `g @ w.T`"),
    ({"kind": "linear"}, "kind `linear`"),
]


@pytest.fixture
def declare():
    """Declare an operation that is known until the end of the test."""
    before = set(registry)
    yield primitive
    for name in registry.keys() - before:
        del registry[name]


@pytest.fixture
def applied(declare):
    """Declare a copy of linear of which these things are said."""
    rules = (lambda g, y, x, w: g @ w, lambda g, y, x, w: g.T @ x)
    return lambda **said: declare("applied", lambda x, w: x @ w.T, rules, **said)


X, W = [[1.0, 2.0], [3.0, 5.0]], [[7.0, 11.0], [13.0, 17.0]]


@pytest.mark.parametrize(("wrong", "message"), WRONG, ids=lambda x: str(x)[:40])
def test_a_false_claim_is_found(applied, wrong, message):
    op = applied(**(RIGHT | wrong))
    with pytest.raises(CheckError, match=f"check_primitive: applied.*{message}"):
        check_primitive(op, X, W)


def test_a_true_description_passes(applied):
    found = check_primitive(applied(**RIGHT), X, W)
    assert found.fields == ("source", "kind", "derivative", "contribution")
    assert found.error < 1e-14


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"derivative": "y", "steepest": 0.25}, "steepest `0.25`: a slope is 1.6"),
        ({"derivative": "1 + y"}, "derivative"),
        ({"kind": "cut"}, "kind `cut`"),
        ({"kind": "moves", "meets": "elementwise"}, "kind `moves`"),
    ],
)
def test_false_claims_of_elementwise_functions(declare, said, message):
    op = declare("exp2", np.exp, (lambda g, y, x: g * y,), **said)
    with pytest.raises(CheckError, match=message):
        check_primitive(op, [0.5])


LIES = {
    "a transpose that is not written": (
        lambda x: x.T, lambda g, y, x: g.T,
        {"kind": "moves", "source": "x.T", "formula": "x.T", "vjp_source": "g.T",
         "vjp_formula": "g"}, r"vjp_formula `g`: at .* it gives",
    ),
    "a formula of something else": (
        np.square, lambda g, y, x: 2 * g * x, {"formula": "x**3"}, r"formula `x\*\*3`: at",
    ),
    "a letter of something else": (
        np.tanh, lambda g, y, x: g * (1 - y * y), {"formula": "σ(x)"}, r"formula `σ\(x\)`: at",
    ),
    "a sum over one axis only": (
        lambda x, axis: np.sum(x), lambda g, y, x, axis: g + 0 * x,
        {"formula": "Σ(x)"}, r"formula `Σ\(x\)`: its shape is \(2,\), of forward \(\)",
    ),
    "no linear function": (np.abs, lambda g, y, x: g * np.sign(x), {"kind": "linear"}, "linear"),
    "a function and a number": (lambda x: x + 1, lambda g, y, x: g, {"kind": "linear"}, "linear"),
    "more than moved": (
        lambda x: 2 * x, lambda g, y, x: 2 * g, {"kind": "moves", "vjp_source": "2 * g"},
        "kind `moves`: an element becomes 2 of it",
    ),
    "a cut that lets a derivative pass": (
        lambda x: x, lambda g, y, x: g, {"kind": "cut"}, "the rule of input 0 passes a derivative",
    ),
    "numbers for truths": (
        lambda x: x > 0, None, {"source": "np.where(x > 0, 1.0, 0.0)"}, "float64, forward bool",
    ),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_found(declare, lie):
    forward, rule, said, message = LIES[lie]
    op = declare("lie", forward, (rule,), **said)
    with pytest.raises(CheckError, match=message):
        check_primitive(op, X, **({"axis": 0} if "axis" in lie else {}))


def test_a_product_is_linear_in_each_factor(declare):
    op = declare("rectified", lambda x, w: np.maximum(x, 0) @ w, (None, None), kind="product")
    with pytest.raises(CheckError, match="kind `product`"):
        check_primitive(op, X, W)


def test_what_could_not_be_checked_is_said(declare):
    op = declare(
        "twice", lambda x: 2 * x, (lambda g, y, x: 2 * g,), source="2 * x", formula="doubled(x)"
    )
    assert check_primitive(op, X) == (0.0, ("source",), ("formula",))
    assert check_primitive(registry["transpose"], X, axes=(1, 0)).unchecked == ()


def test_a_description_that_says_nothing_proves_nothing(applied):
    with pytest.raises(CheckError, match="nothing is said of applied that could be checked"):
        check_primitive(applied(), X, W)


def test_nothing_is_checked_without_a_record():
    with mg.no_grad(), pytest.raises(CheckError, match=r"inside of no_grad\(\)"):
        check_primitive(tanh, [1.0])
    with pytest.raises(TypeError, match="tanh must be given at least one input"):
        check_primitive(tanh)


def test_functions_are_not_operations():
    with pytest.raises(TypeError, match=r"must be a Primitive.*got function"):
        check_primitive(mg.softmax, [1.0])


# --- what is left out is not guessed -------------------------------------------------------------


def test_a_missing_field_is_named(applied):
    y = applied()(Tensor(X), Tensor(W))
    with pytest.raises(DescriptionError, match=r"does not say its 'source'; add source=\.\.\. to "):
        value_code(y, ["x", "w"])
    with pytest.raises(DescriptionError, match=r"applied: .*does not say its 'derivative'"):
        contribution_code(y, 0, ["x", "w"])
    assert y.op.said("formula", y, by="test") == "applied(x, w)"  # its name is no guess


def test_what_is_a_selection():
    selections = {name for name, op in registry.items() if op.is_selection}
    assert selections == {"getitem", "take"}


@pytest.mark.parametrize(
    ("source", "is_one"),
    [
        ("x[index]", True),
        ("x[::-1]", True),
        ("x[index] * 2", False),
        ("x[::-1] + x", False),
        ("x[index].T", False),
        ("(-x)[index]", False),
        ("x[", False),  # no Python, which `check_primitive` tells
    ],
)
def test_more_than_a_selection_is_none(declare, source, is_one):
    op = declare("part", lambda x, index: x[index], (None,), source=source)
    assert op.is_selection == is_one


# --- a name means one thing ----------------------------------------------------------------------


class Rules:
    def double(self, g, y, x):
        return 2 * g


@pytest.mark.parametrize(
    ("forward", "vjp", "message"),
    [
        (lambda y: 2 * y, (None,), "'y', which in a description is the output; give it another"),
        (lambda a, g: a * g, (None, None), "'g', which in a description is the adjoint of the out"),
        (lambda x: 2 * x, (lambda g, y, n: 2 * g,), "'n', which in a description is the number of"),
        (lambda np: 2 * np, (lambda g, y, np: 2 * g,), "'np', which in a description is NumPy"),
        (lambda x, n: n * x, (lambda g, y, x, n: n * g,), "an argument is called 'n'"),
        (lambda x, *, n: n * x, (lambda g, y, x, n: n * g,), "an argument is called 'n'"),
        (lambda xs: 2 * xs, (lambda g, y, xs: 2 * g,), "'xs', which in a .* any number of inputs"),
        (lambda x: 2 * x, (lambda g, out, x: 2 * g,), "a rule calls the output 'out', but its"),
        (lambda x: 2 * x, (lambda y, g, x: 2 * y,), "a rule calls the adjoint of the output 'y'"),
        (lambda a, b: a + b, (lambda g, y, a, b: g, lambda d, y, a, b: d), "of the output 'd'"),
    ],
)
def test_a_name_that_is_taken_is_refused(declare, forward, vjp, message):
    for said in ({"source": "2 * x"}, {"derivative": "2"}, {"vjp_source": "2 * g"}):
        with pytest.raises(DescriptionError, match=f"primitive 'double': .*{message}"):
            declare("double", forward, vjp, **said)
    declare("double", forward, vjp, symbol="2·")  # no text speaks of a name


@pytest.mark.parametrize(
    "rule", [lambda g, y, x: 2 * g, lambda g, _, x: 2 * g, lambda g, *_: 2 * g, Rules().double]
)
def test_a_rule_need_not_name_what_it_does_not_use(declare, rule):
    op = declare("double", lambda x: 2 * x, (rule,), derivative="2", meets="elementwise")
    assert op.inputs == ("x",)
    assert check_primitive(op, X).fields == ("derivative", "contribution")


def test_what_is_linear_in_what():
    a, b = Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([[5.0, 6.0], [7.0, 8.0]])
    for node in (a * b, a @ b, mg.linear(a, b)):
        assert node.op.is_linear(node, [0]) and node.op.is_linear(node, [1])
        assert not node.op.is_linear(node, [0, 1])
    for node in (a + b, a - b, mg.stack([a, b]), mg.concatenate([a, b])):
        assert node.op.is_linear(node, [0, 1])
    for node in (-a, a.sum(), a.mean(0), a.T, a[0], a.reshape(4), mg.stop_gradient(a)):
        assert node.op.is_linear(node, [0])
    quotient, power, chosen = a / b, a**b, mg.where(a > b, a, b)
    assert quotient.op.is_linear(quotient, [0]) and not quotient.op.is_linear(quotient, [1])
    assert not power.op.is_linear(power, [0])
    assert chosen.op.is_linear(chosen, [1, 2]) and not chosen.op.is_linear(chosen, [0, 1])
    for node in (tanh(a), mg.relu(a), a.max(), mg.softmax(a), a > b, mg.exp(a), mg.sign(a)):
        assert not node.op.is_linear(node, [0])


# --- code ----------------------------------------------------------------------------------------


def test_code_has_parentheses_where_python_needs_them():
    x, w = Tensor([[1.0, 2.0]]), Tensor([[3.0, 4.0]])
    assert value_code(x * w, ["x", "w"]) == "x * w"
    assert value_code(mg.linear(x, w), ["x", "w"]) == "x @ w.T"
    assert contribution_code(tanh(x), 0, ["x"]) == "g * (1 - y ** 2)"
    assert contribution_code(x / w, 1, ["x", "w"]) == "g * (-y / w)"
    assert contribution_code(sigmoid(x), 0, ["x"]) == "g * y * (1 - y)"
    assert contribution_code(mg.linear(x[0], w), 1, ["x", "w"]) == "np.outer(g, x)"


def test_static_arguments_are_written_as_a_person_would():
    x = Tensor(np.arange(12.0).reshape(3, 4))
    assert value_code(x[:, 1:3], ["x"]) == "x[:, 1:3]"
    assert value_code(x[..., ::2], ["x"]) == "x[..., ::2]"
    assert value_code(x[None, -1], ["x"]) == "x[None, -1]"
    assert value_code(x[[2, 0]], ["x"]) == "x[np.array([2, 0])]"
    assert value_code(x.sum(axis=0), ["x"]) == "np.sum(x, 0)"
    assert contribution_code(x[:, 1:3], 0, ["x"]) == "into[:, 1:3] += g"
    assert contribution_code(x[1:, [2, 2]], 0, ["x"]) == (
        "np.add.at(into, np.s_[1:, np.array([2, 2])], g)"
    )


@pytest.mark.parametrize(
    "value",
    [
        1,
        -2.5,
        np.inf,
        -np.inf,
        True,
        None,
        "float32",
        (0, 1),
        (2,),
        (),
        np.float32(0.5),
        np.int64(3),
        np.array([], int),
        np.array([[1, 2]], "int32"),
        slice(1, None, 2),
        (slice(None), Ellipsis, 3),
        (slice(None),),
    ],
    ids=str,
)
def test_a_static_argument_is_written_so_that_it_is_itself_again(value):
    again = eval(text(subscript(literal(value))), {"np": np})
    np.testing.assert_equal(again, value)
    if isinstance(value, np.ndarray):
        assert again.dtype == value.dtype


def test_nan_is_written_too():
    assert np.isnan(eval(text(literal(float("nan"))), {"np": np}))
