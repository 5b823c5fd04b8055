"""An operation as NumPy code: its texts with the operands of one use in place of their letters.

The texts are Python expressions, so operands are put in as expressions too, and parentheses stand
where Python needs them: ``1 - y**2`` of ``np.tanh(a)`` is ``1 - np.tanh(a)**2``.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from microgrrepresent.description import Description, names_in, parsed
from microgrrepresent.node import Node


def value_code(node: Node, operands: Sequence[str], given: Mapping[str, str] | None = None) -> str:
    """The expression that computes a node from operands that are called so.

    Parameters
    ----------
    node : Node
        A result.
    operands : sequence of str
        An expression for each of its parents.
    given : mapping from str to str, optional
        Expressions for static arguments whose values here are not meant: ``{"index": "t - 1"}``.

    Raises
    ------
    DescriptionError
        If the operation does not say its source.

    Examples
    --------
    >>> from microgrrepresent import Tensor, tanh
    >>> from microgrrepresent.source_code import value_code
    >>> value_code(tanh(Tensor(0.5)), ["x @ w + b"])
    'np.tanh(x @ w + b)'
    """
    assert node.op is not None
    text = node.op.said("source", node, by="value_code")
    return filled(text, _names(node, operands, given))


def contribution_code(
    node: Node,
    position: int,
    g: str,
    y: str,
    operands: Sequence[str],
    adjoint: str,
    given: Mapping[str, str] | None = None,
) -> str:
    """The code for what a node's adjoint adds to that of one of its inputs.

    Parameters
    ----------
    node : Node
        A result.
    position : int
        Which of its inputs.
    g, y : str
        Expressions for the node's adjoint and for its value.
    operands : sequence of str
        An expression for each of its inputs.
    adjoint : str
        What the input's adjoint is called. The code is an expression; or, where the operation
        `adds_in_place`, a statement that adds to this adjoint.
    given : mapping from str to str, optional
        As for `value_code`.

    Raises
    ------
    DescriptionError
        If the operation does not say its derivative, or how it meets the adjoint.

    Examples
    --------
    >>> from microgrrepresent import Tensor, linear, tanh
    >>> from microgrrepresent.source_code import contribution_code
    >>> a, x, W = Tensor([0.5]), Tensor([[1.0, 2.0]]), Tensor([[3.0, 4.0]])
    >>> contribution_code(tanh(a), 0, "dh", "h", ["a"], "da")
    'dh * (1 - h**2)'
    >>> contribution_code(linear(x, W), 1, "da", "a", ["x", "W"], "dW")
    'da.T @ x'
    >>> contribution_code(x[0], 0, "dx_0", "x_0", ["x"], "dx")
    'dx[0] += dx_0'
    """
    op = node.op
    assert op is not None
    names = _names(node, operands, given) | {"g": g, "y": y, "n": str(_group(node))}
    if op.many is None:
        names[f"d{op.inputs[position]}"] = adjoint
    else:
        names |= {"i": str(position)} | _part(node, position)
    if op.vjp_source:
        return filled(op.said("vjp_source", node, position, by="contribution_code"), names)
    return filled(_product_code(op, node, position), names)


def adds_in_place(node: Node, position: int) -> bool:
    """Whether the contribution is said as a statement, such as ``dx[index] += g``."""
    op = node.op
    assert op is not None
    if not op.vjp_source or op.many is not None:
        return False
    text = op.said("vjp_source", node, position, by="adds_in_place")
    names = (part.id for part in ast.walk(ast.parse(text)) if isinstance(part, ast.Name))
    return f"d{op.inputs[position]}" in names


def helper_code(op: Description) -> tuple[str, ...]:
    """The definitions of the functions that an operation's texts call, without annotations."""
    return tuple(_defined(function) for function in op.helpers)


def filled(text: str, names: Mapping[str, str]) -> str:
    """A text with expressions in place of names."""
    tree = _Filling(names).visit(ast.parse(text))
    return ast.unparse(tree).replace(" ** ", "**")


def literal(value: Any) -> str:
    """A static argument as an expression: ``(0, 1)``, ``np.s_[:, 2:5]``, ``np.array([2, 0])``."""
    if isinstance(value, np.ndarray):
        dtype = (
            ""
            if value.dtype in (np.int64, np.float64, np.bool_) and value.size
            else (f", dtype={value.dtype.name!r}")
        )
        return f"np.array({value.tolist()!r}{dtype})"
    if isinstance(value, np.generic):
        return repr(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return {"inf": "np.inf", "-inf": "-np.inf"}.get(str(value), "np.nan")
    if isinstance(value, slice) or value is Ellipsis:
        return f"np.s_[{_subscript(value)}]"
    if isinstance(value, tuple):
        if any(isinstance(part, slice) or part is Ellipsis for part in value):
            return f"np.s_[{_subscript(value)}]"
        return f"({', '.join(map(literal, value))}{',' * (len(value) == 1)})"
    return repr(value)


def _subscript(index: Any) -> str:
    """What stands between the brackets of a selection: ``:, 2:5``."""
    if isinstance(index, tuple) and index:
        return ", ".join(map(_subscript, index)) + "," * (len(index) == 1)
    if isinstance(index, slice):
        ends = [index.start, index.stop] + ([index.step] if index.step is not None else [])
        return ":".join("" if end is None else str(end) for end in ends)
    return "..." if index is Ellipsis else literal(index)


class _Filling(ast.NodeTransformer):
    """Puts expressions in place of names."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        text = self.names.get(node.id)
        if text is None:
            return node
        inner = ast.parse(text, mode="eval").body
        if isinstance(node.ctx, ast.Load):
            return inner
        return ast.Name(text, node.ctx)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        node = self.generic_visit(node)  # type: ignore[assignment]
        match node.slice:  # np.s_[:, 0] is for where an index is no subscript
            case ast.Subscript(ast.Attribute(ast.Name("np"), "s_"), index):
                node.slice = index
        return node


def _names(node: Node, operands: Sequence[str], given: Mapping[str, str] | None) -> dict[str, str]:
    op = node.op
    assert op is not None
    names = {key: literal(value) for key, value in node.params.items()} | dict(given or {})
    if op.many is not None:
        return names | {"xs": f"({', '.join(operands)}{',' * (len(operands) == 1)})"}
    return names | dict(zip(op.inputs, operands, strict=True))


def _group(node: Node) -> int:
    """How many elements of the input went into one of the output."""
    return node.parents[0].size // max(node.size, 1) if node.parents else 1


def _part(node: Node, position: int) -> dict[str, str]:
    """Where the part begins and ends that one of several joined arrays became."""
    axis = node.params.get("axis")
    if axis is None or any(parent.ndim <= axis for parent in node.parents):
        return {}
    lengths = [parent.shape[axis] for parent in node.parents]
    start = sum(lengths[:position])
    return {"start": str(start), "stop": str(start + lengths[position])}


# --- products -------------------------------------------------------------------------------------


def _product_code(op: Description, node: Node, position: int) -> str:
    """The product of g and the derivative, by the word for how they meet."""
    word = op.said("meets", node, position, by="contribution_code")
    if word in ("moved", "rows"):
        op.said("vjp_source", node, position, by="contribution_code")  # says that it is missing
    text = op.said("derivative", node, position, by="contribution_code")
    match word:
        case "elementwise":
            return _times("g", text)
        case "spread":
            return _spread_code(node, text)
        case "right":
            return f"g @ ({text})"
        case "left":
            return f"({text}) @ g"
        case "outer" if node.ndim == 1:
            return f"np.outer(g, {text})"
        case "outer" if node.ndim == 2:
            return f"g.T @ ({text})"
        case "outer":
            rows = f"({text}).reshape(-1, ({text}).shape[-1])"
            return f"g.reshape(-1, g.shape[-1]).T @ {rows}"
    raise AssertionError(word)


def _times(g: str, text: str) -> str:
    """``g * (1 - y**2)``; ``g / b`` for ``1 / b``, ``-g * y / b`` for ``-y / b``."""
    match parsed(text):
        case ast.Constant(1):
            return g
        case ast.BinOp(ast.Constant(1), ast.Div(), below):
            return f"{g} / ({ast.unparse(below)})"
        case ast.UnaryOp(ast.USub(), ast.Constant(1)):
            return f"-{g}"
        case ast.UnaryOp(ast.USub()):
            return f"-{g} * {text[1:]}"
        case ast.BinOp(_, ast.Mult() | ast.Div()):
            return f"-{g} * {text[1:]}" if text.startswith("-") else f"{g} * {text}"
    return f"{g} * ({text})"


def _spread_code(node: Node, text: str) -> str:
    """``g * D``, with the axes given back that the result has lost."""
    x = node.parents[0]
    back = "{}"
    if node.ndim and node.ndim < x.ndim:
        axis = node.params.get("axis", -1)
        axis = axis[0] if isinstance(axis, tuple) and len(axis) == 1 else axis
        back = f"np.expand_dims({{}}, {axis!r})"
    code = _times(back.format("g"), filled(text, {"y": back.format("y")}))
    assert node.op is not None
    whole = names_in(text) & {*node.op.inputs}
    return code if whole else f"np.broadcast_to({code}, {node.op.inputs[0]}.shape)"


# --- helpers --------------------------------------------------------------------------------------


def _defined(function: Any) -> str:
    """The source of a function without its annotations."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    assert isinstance(tree, ast.FunctionDef)
    tree.returns = None
    for argument in (*tree.args.args, *tree.args.kwonlyargs):
        argument.annotation = None
    bare = _Unannotated().visit(tree)
    return ast.unparse(ast.fix_missing_locations(bare)).replace(" ** ", "**")


class _Unannotated(ast.NodeTransformer):
    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        assert node.value is not None
        return ast.Assign([node.target], node.value)
