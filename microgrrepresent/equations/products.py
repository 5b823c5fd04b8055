"""How an adjoint meets a local derivative, and that derivative as LaTeX, as an operation says it.

The words for the products are explained at `Chain` and at `Description`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from microgrrepresent.node import Node
from microgrrepresent.primitive import Primitive

_NAMES = {"elementwise": "times"}
_LETTERS = frozenset("abctwxy")
_RELATIONS = {ast.Gt: ">", ast.Lt: "<", ast.Eq: "=", ast.GtE: r"\geq", ast.LtE: r"\leq"}
_COMMANDS = {"cos": r"\cos ", "sin": r"\sin ", "log": r"\ln "}


def product(op: Primitive, position: int, node: Node) -> str:
    """The product for one input of the operation that made a node."""
    if op.many is not None:
        position = 0
    if not op.meets:
        return "times" if op.derivative else "moved"
    word = op.meets[position]
    if not isinstance(word, str):
        word = word(*[parent.shape for parent in node.parents], **node.params)
    return _NAMES.get(word, word)


def derivative(op: Primitive, position: int) -> str:
    """The primitive's own text for the derivative by one of its inputs, as a template in LaTeX."""
    if not op.derivative:
        return ""
    text = op.derivative[position]
    if not isinstance(text, str):
        text = text(*[(2, 2)] * len(op.inputs))
    known = all(name in _LETTERS for name in op.inputs)
    letters = op.inputs if known else {1: "x", 2: "ab", 3: "cab"}[len(op.inputs)]
    names = dict(zip(op.inputs, letters, strict=True))
    return _latex(ast.parse(text, mode="eval").body, {**names, "y": "y"})


def _latex(node: ast.expr, names: dict[str, str]) -> str:
    def written(inner: ast.expr, within: str = "") -> str:
        text = _latex(inner, names)
        is_sum = isinstance(inner, ast.BinOp) and isinstance(inner.op, (ast.Add, ast.Sub))
        is_product = isinstance(inner, ast.BinOp) and isinstance(inner.op, (ast.Mult, ast.Div))
        return f"({text})" if (is_sum and within) or (is_product and within == "below") else text

    match node:
        case ast.Constant(value):
            return str(value)
        case ast.Name(name):
            return f"{{{names[name]}}}" if name in names else name
        case ast.Attribute(inner, "T" | "mT"):
            return written(inner) + r"^\top"
        case ast.UnaryOp(ast.USub(), inner):
            return f"-{written(inner, 'minus')}"
        case ast.BinOp(left, ast.Add(), right):
            return f"{written(left)}+{written(right)}"
        case ast.BinOp(left, ast.Sub(), right):
            return f"{written(left)}-{written(right, 'minus')}"
        case ast.BinOp(ast.Constant() as left, ast.Mult(), right):
            return written(left) + written(right, "factor")
        case ast.BinOp(left, ast.Mult(), right):
            return rf"{written(left, 'factor')}\odot{written(right, 'factor')}"
        case ast.BinOp(ast.Compare() as left, ast.Div(), ast.Constant(value)):
            return rf"\frac{{1}}{{{value!r}}}{written(left)}"
        case ast.BinOp(left, ast.Div(), right):
            return f"{written(left, 'above')}/{written(right, 'below')}"
        case ast.BinOp(left, ast.Pow(), ast.Constant(value)):
            return f"{written(left, 'base')}^{value!r}"
        case ast.BinOp(left, ast.Pow(), right):
            return f"{written(left, 'base')}^{{{written(right)}}}"
        case ast.Compare(left, [relation], [right]):
            return f"[{written(left)}{_RELATIONS[type(relation)]}{written(right)}]"
        case ast.Subscript(ast.Call(ast.Attribute(_, "eye")), index):
            return f"e_{{{{{names[ast.unparse(index)]}}}}}"
        case ast.Call(function, arguments):
            return _called(ast.unparse(function).removeprefix("np."), arguments, written)
    raise AssertionError(ast.dump(node))


def _called(function: str, xs: list[ast.expr], written: Callable[..., str]) -> str:
    if function == "where" and ast.unparse(xs[2]) == "0":
        one = ast.unparse(xs[1]) == "1"
        condition = written(xs[0])
        condition = condition if condition.startswith("[") else f"[{condition}]"
        return condition if one else condition + written(xs[1]).removeprefix("1")
    if function == "where":
        return f"1-[{written(xs[0])}]"
    if function == "outer":
        return rf"{written(xs[0])}{written(xs[1])}^\top"
    if function == "ones":
        return "1\\,"
    if function == "eye":
        return "I"
    if function == "sum":
        return rf"\sum{written(xs[0])}"
    if function in _COMMANDS:
        return _COMMANDS[function] + written(xs[0], "argument")
    return rf"\mathrm{{{function}}}({written(xs[0])})"
