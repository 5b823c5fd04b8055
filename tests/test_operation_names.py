"""No operation is known by its name outside of `ops`: no comparisons, no tables of names.

What a reader wants to know of an operation is a field of its description. So a user's operation is
treated as ours are. This test reads the source of both packages.
"""

import ast
from importlib import import_module
from pathlib import Path

import pytest

from microgrrepresent.primitive import Primitive, registry

ROOT = Path(__file__).parent.parent
FILES = [
    path
    for package in ("microgrrepresent", "rnn")
    for path in sorted((ROOT / package).rglob("*.py"))
    if (ROOT / "microgrrepresent" / "ops") not in path.parents and path.name != "__main__.py"
]

COMPARISONS = {
    "microgrrepresent/graph.py": "finds nodes by the name that a user gives",
    "microgrrepresent/graph_json.py": "a saved graph has the names, to find the operations again",
}
"""Where names of operations, or operations, are compared, and why."""

TABLES = {
    ("microgrrepresent/drawing/page/array_data.py", ("max", "mean", "min")): "of an array",
    ("microgrrepresent/drawing/page/array_data.py", ("max", "min")): "extremes of an array",
    ("microgrrepresent/equations/scripts.py", ("cos", "exp", "log", "max", "min", "sin", "tanh")): (
        "LaTeX has commands for these functions"
    ),
    ("rnn/cells/activations.py", ("relu", "sigmoid", "tanh")): "what `nonlinearity` may be",
    ("rnn/cells/simple.py", ("relu", "sigmoid", "tanh")): "what `nonlinearity` may be",
    ("rnn/training/losses.py", ("mean", "sum")): "what `reduction` may be",
    ("rnn/weights/onnx.py", ("relu", "sigmoid", "tanh")): "what ONNX calls them",
    ("rnn/weights/standard_gates.py", ("relu", "sigmoid", "tanh")): "gates of other frameworks",
    ("rnn/weights/standard_gates.py", ("sigmoid", "tanh")): "gates of other frameworks",
}
"""Collections with names that operations have, too, and what they are names of."""


def relative(path):
    return str(path.relative_to(ROOT))


def is_name_of_an_operation(node):
    """Whether an expression reads ``op.name`` or ``node.op.name``."""
    match node:
        case ast.Attribute(ast.Name("op") | ast.Attribute(attr="op"), "name"):
            return True
    return False


def operations_named_in(node, module):
    """The operations of ours that an expression names by a variable of its module."""
    names = (part.id for part in ast.walk(node) if isinstance(part, ast.Name))
    return [name for name in names if isinstance(getattr(module, name, None), Primitive)]


def comparisons(path):
    """Where a file compares an operation, or its name, with something, or looks it up."""
    if path.name.startswith("pptx"):
        pytest.importorskip("pptx", reason="pip install '.[slides]'")
    module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Compare(left, _, others):
                asked = any(is_name_of_an_operation(part) for part in (left, *others))
                if asked or any(operations_named_in(part, module) for part in (left, *others)):
                    yield node.lineno, ast.unparse(node)
            case ast.Match(subject) if is_name_of_an_operation(subject):
                yield node.lineno, ast.unparse(subject)
            case ast.Subscript(_, key) if is_name_of_an_operation(key):
                yield node.lineno, ast.unparse(node)
            case ast.Call(ast.Attribute(attr="get"), [key, *_]) if is_name_of_an_operation(key):
                yield node.lineno, ast.unparse(node)


def is_text_of_an_operation(node):
    """Whether an expression reads a field that says a derivative, or what a drawing shows."""
    match node:
        case ast.Attribute(_, "derivative" | "symbol"):
            return True
        case ast.Call(
            ast.Attribute(_, "said" | "text"), [ast.Constant("derivative" | "symbol"), *_]
        ):
            return True
        case ast.Tuple(parts):
            return any(map(is_text_of_an_operation, parts))
    return False


def disguises(path):
    """Where a file knows an operation by the text of its derivative, or by its symbol.

    The derivative of a + b + 1 is that of a + b, and ``1.0`` is ``1``; a symbol is anyone's choice.
    """
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Compare(left, _, others):
                if any(map(is_text_of_an_operation, (left, *others))):
                    yield node.lineno, ast.unparse(node)
            case ast.Match(subject) if is_text_of_an_operation(subject):
                yield node.lineno, ast.unparse(subject)
            case ast.Subscript(_, key) if is_text_of_an_operation(key):
                yield node.lineno, ast.unparse(node)
            case ast.Call(ast.Attribute(attr="get"), [key, *_]) if is_text_of_an_operation(key):
                yield node.lineno, ast.unparse(node)


def tables(path):
    """Collections in a file of which two or more elements, or keys, are names of operations."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Set(parts) | ast.List(parts) | ast.Tuple(parts) | ast.Dict(keys=parts):
                texts = {part.value for part in parts if isinstance(part, ast.Constant)}
                found = sorted(texts & registry.keys() - {None})
                if len(found) > 1:
                    yield node.lineno, tuple(found)


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_no_operation_is_known_by_its_name(path):
    found = list(comparisons(path))
    assert bool(found) == (relative(path) in COMPARISONS), found


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_no_operation_is_known_by_its_derivative_or_symbol(path):
    assert not list(disguises(path))


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_no_table_of_operations(path):
    found = {names: line for line, names in tables(path) if (relative(path), names) not in TABLES}
    assert not found


def test_no_exception_is_left_over():
    found = {(relative(path), names) for path in FILES for _, names in tables(path)}
    assert set(TABLES) <= found


@pytest.mark.parametrize(
    "code",
    [
        'node.op.name == "tanh"',
        'node.op.name in {"add"}',
        "TABLE[op.name]",
        'TABLE.get(child.op.name, "")',
        "node.op is constant",
        "node.op in (None, constant)",
    ],
)
def test_comparisons_are_seen(code, tmp_path, monkeypatch):
    path = tmp_path / "reader.py"
    path.write_text(f"from microgrrepresent.primitive import constant\nlambda node: {code}\n")
    monkeypatch.setattr("tests.test_operation_names.ROOT", tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "reader", raising=False)
    assert [text for _, text in comparisons(path)] == [code.replace('"', "'")]


@pytest.mark.parametrize(
    "code",
    [
        'node.op.derivative == ("1", "1")',
        '(node.op.derivative, node.op.meets) == (("1",), ("spread",))',
        'node.op.symbol == "+"',
        'node.op.said("derivative", node, i, by="explain") in ("1", "-1")',
        '"np.eye" in term.derivative',
        '{"1": term.g}.get(term.derivative)',
    ],
)
def test_disguises_are_seen(code, tmp_path):
    path = tmp_path / "reader.py"
    path.write_text(code)
    assert [text for _, text in disguises(path)] == [code.replace('"', "'")]


def test_tables_are_seen(tmp_path):
    path = tmp_path / "reader.py"
    path.write_text('LINEAR = frozenset({"add", "sub", "x"}) | {"mul": 1, "div": 2}.keys()\n')
    assert [names for _, names in tables(path)] == [("add", "sub"), ("div", "mul")]


def looks_up_index(node):
    """Whether an expression asks for a static argument by the name that ours has."""
    match node:
        case ast.Subscript(_, ast.Constant("index")):
            return True
        case ast.Compare(ast.Constant("index"), [ast.In() | ast.NotIn()]):
            return True
        case ast.Call(ast.Attribute(attr="get"), [ast.Constant("index"), *_]):
            return True
    return False


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_an_index_is_found_by_what_the_operation_says(path):
    asked = [node for node in ast.walk(ast.parse(path.read_text())) if looks_up_index(node)]
    assert not asked, [ast.unparse(node) for node in asked]
