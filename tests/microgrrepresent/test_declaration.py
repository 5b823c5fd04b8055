"""What is wrong with a declaration is told where it is made; what it leaves out, filled in."""

import numpy as np
import pytest

import microgrrepresent as mg
from microgrrepresent import DescriptionError, GradientError, Tensor, check_primitive, primitive
from microgrrepresent.primitive import registry

RULE = (lambda g, y, x: g,)


@pytest.fixture
def declare():
    """Declare an operation that is known until the end of the test."""
    before = set(registry)
    yield primitive
    for name in registry.keys() - before:
        del registry[name]


@pytest.mark.parametrize(
    ("forward", "vjp", "said", "message"),
    [
        (np.square, RULE, {"derivativ": "1"}, "no field 'derivativ'; is 'derivative' meant"),
        (np.square, RULE, {"kind": "activatoin"}, "got 'activatoin'; is 'activation' meant"),
        (np.square, RULE, {"derivative": ("1", "1")}, "'derivative' has one text .* got 2 texts"),
        (np.add, RULE, {}, "forward has 2 inputs, got 1 rules"),
        (lambda x: x, RULE * 2, {}, "forward has 1 inputs, got 2 rules"),
        (lambda a, b: a * b, RULE, {}, r"called with \(g, y, a, b\), and takes \(g, y, x\)"),
        (lambda x, *, k: x, RULE, {}, r"'k' is missing; .* static arguments are given by their"),
    ],
)
def test_a_wrong_declaration_is_refused(declare, forward, vjp, said, message):
    with pytest.raises(DescriptionError, match=f"primitive 'wrong': .*{message}"):
        declare("wrong", forward, vjp, **said)
    assert "wrong" not in registry


def test_one_rule_for_two_inputs_is_told_by_the_sweep(declare):
    op = declare("scaled", lambda x, k: x * k, (lambda g, y, x, k: g * k,))
    x = Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(GradientError, match="applied to 2 inputs, and has 1 rules"):
        op(x, x).sum().backward()


def test_a_value_that_forward_has_for_an_argument_is_recorded(declare):
    leaky = declare(
        "leaky",
        lambda x, *, a=0.1: np.where(x > 0, x, a * x),
        (lambda g, y, x, a: g * np.where(x > 0, 1, a),),
        source="np.where(x > 0, x, a * x)",
        derivative="np.where(x > 0, 1, a)",
        meets="elementwise",
    )
    x = Tensor([1.0, -2.0], requires_grad=True, name="x")
    assert leaky(x).params == {"a": 0.1} and leaky(x, a=0.5).params == {"a": 0.5}
    assert "derivative" in check_primitive(leaky, [1.0, -2.0]).fields
    assert "∂L/∂x = where([x > 0], 1, 0.1)" in str(mg.explain(leaky(x).sum(), x))
    assert mg.grad(leaky(x).sum(), x).tolist() == [1.0, 0.1]


def test_a_value_that_no_rule_takes_is_left_to_forward(declare):
    op = declare("shifted", lambda x, by=1: x + by, RULE)
    assert op(Tensor([1.0])).params == {} and op([1.0]).tolist() == [2.0]


CELL = """
from microgrrepresent import primitive
triple = primitive("triple", lambda x: 3 * x, (lambda g, y, x: g * {slope},))
"""


def test_a_cell_of_a_notebook_that_is_run_again_declares_anew(declare):
    notebook, x = {}, Tensor(1.0, requires_grad=True)
    exec(compile(CELL.format(slope=2), "cell 1", "exec"), notebook)
    before = notebook["triple"](x)
    exec(compile(CELL.format(slope=3), "cell 1, edited", "exec"), notebook)
    assert registry["triple"] is notebook["triple"]
    assert mg.grad(notebook["triple"](x), x) == 3 and mg.grad(before, x) == 2
    with pytest.raises(mg.GraphError, match="<primitive triple> is not registered, or was decl"):
        mg.Graph(before).to_json()


def test_only_the_same_statement_of_a_file_declares_anew(declare):
    code = compile(CELL.format(slope=3), "triple.py", "exec")
    exec(code, {"__file__": "triple.py"})
    exec(code, {"__file__": "triple.py"})
    for moved, place in (("\n" + CELL, {"__file__": "triple.py"}), (CELL, {})):
        with pytest.raises(ValueError, match="primitive 'triple' exists already"):
            exec(compile(moved.format(slope=3), "triple.py", "exec"), place)


def test_what_a_function_declares_is_not_declared_anew(declare):
    notebook = {"primitive": primitive}
    exec("def scaled(k): primitive('scaled', lambda x: k * x, (lambda g, y, x: k * g,))", notebook)
    exec("scaled(2)", notebook)
    typed = "primitive('{}', abs, (None,))"
    for code in ("scaled(3)", typed.format("scaled"), typed.format("exp")):
        with pytest.raises(ValueError, match="exists already"):
            exec(code, notebook)
