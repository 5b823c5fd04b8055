r"""What is said of an operation: by a drawing, by equations, by a program that is printed.

A primitive runs by its `forward` and its `vjp`. All else that a reader wants to know of it is a
field of its description, so that no reader keeps a table of operations of its own, and a user's
operation is drawn, explained and printed as well as ours.

Most fields are texts in one small language, Python's own expressions. They are over the inputs, by
the names that the rules give them; the output ``y`` and its adjoint ``g``; the static arguments, by
their names; and ``np``. So one text is run, to check it, and written as mathematics:

    derivative="1 - y**2"     da = dh * (1 - h**2)     ā = h̄ ⊙ (1 - h²)

A field that is left out is not guessed: a reader that needs it says which one is missing.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypedDict, get_args

import numpy as np

from microgrrepresent.declaration import (
    refuse_number,
    refuse_rules,
    refuse_unknown_fields,
    refuse_unknown_kind,
)
from microgrrepresent.errors import DescriptionError, broadcast_mismatch, located
from microgrrepresent.input_names import input_names, refuse_names_taken

if TYPE_CHECKING:
    from microgrrepresent.node import Node
    from microgrrepresent.primitive import Rule

Text = str | Callable[..., str]
"""An expression; or ``(*shapes, **params) -> expression``, where it depends on these."""

Kind = Literal["", "product", "linear", "moves", "activation", "score", "cut"]
Mismatch = Callable[[Sequence[tuple[int, ...]]], str | None]


@dataclass(eq=False, kw_only=True)
class Description:
    """What is said of an operation. Its fields are arguments of `primitive`.

    Where a field has a value for each input, it is a tuple; one value alone is that of all inputs.

    Attributes
    ----------
    name : str
        The operation's name; also the key under which a saved graph finds it again.
    vjp : sequence of (callable or None)
        For each input the rule of its derivative, or None where no derivative passes.
    inputs : tuple of str
        What the texts call the inputs: what the first rule calls them, as in
        ``lambda g, y, a, b: ...``; ``xs`` stands for all, where there may be any number. None is
        called g, y, n or np, which the texts mean otherwise.
    symbol : str
        What a drawing shows: ``σ``, ``×``, ``tanh``.
    kind : str
        ``product`` with a matrix, where an affine map begins; ``linear``, which keeps it affine,
        as ``+``; ``moves``, the same numbers elsewhere; ``activation``; ``score``, the end of a
        classifier; ``cut``, the same numbers, but no derivative passes; else ``""``.
    source : text or None
        The value, in NumPy: ``x @ w.T``. Of a universal function it is ``np.tanh(x)`` unless
        something else is said.
    helpers : tuple of callable
        Functions that the texts call, such as ``softmax``. They use NumPy and each other only, and
        a program prints them once, from their own source.
    formula : text or None
        The value as mathematics, where it is not just `source`: ``σ(x)``, ``Σ(x)``; ``x`` for a
        change of shape, which is not written; ``[*xs]`` for parts beside each other. Nor are the
        arguments ``axis``, ``axes``, ``dtype``, ``keepdims`` and ``shape`` of a function written.
    derivative : tuple of text
        For each input: the local derivative D = dy/d(input), ``1 - y**2``. It may speak of ``n``:
        how many elements of the input went into one of the output.
    meets : tuple of text
        For each input: how g meets D.

        - ``elementwise``: g ⊙ D. A universal function meets so unless something else is said.
        - ``spread``: g ⊙ D, after g and y got back the axes that they lost; those of the argument
          ``axis``, or the last one where there is no such argument.
        - ``right``: g D, ``left``: D g, products of matrices; a vector is a column or row as the
          shape of the input wants it.
        - ``outer``: gᵀ D, summed over all rows of a batch.
        - ``rows``: g D for each row along the argument ``axis``; D is the Jacobian of one row.
        - ``moved``: there is no D; elements of g go back to where they came from. So it is with
          what `moves` unless something else is said.
    vjp_source : tuple of text
        For each input: the contribution to its adjoint in NumPy, where that is not the product
        of g and D as it stands: ``y * (g - np.sum(g * y, axis, keepdims=True))``. Or the statement
        that adds it to the adjoint, which has the input's name with a d: ``dx[index] += g``. Of
        joined inputs, ``i`` counts them, and each became what goes from ``start`` to ``stop``.
    vjp_formula : tuple of text
        For each input that is `moved`: the contribution as mathematics, ``g.T``,
        ``g[start:stop]``.
    vjp_words : tuple of str
        For each input that is `moved`: the same in words, ``transposed back``.
    index : str
        The static argument that says which elements are selected: its integers may grow with the
        step, as in ``X[t]``. What selects, ``x[at]``, says so by its source.
    steepest : float or None
        The largest absolute value that the derivative of an elementwise function can have, if
        there is one: 1/4 for the sigmoid.
    mismatch : callable or None
        ``mismatch(shapes) -> str or None``: why operands of these shapes do not fit. Where all
        meet elementwise, it is that they do not broadcast, unless something else is said.
    """

    name: str
    vjp: Sequence[Rule | None]
    inputs: tuple[str, ...]
    symbol: str
    kind: Kind = ""
    source: Text | None = None
    helpers: tuple[Callable[..., Any], ...] = ()
    formula: Text | None = None
    derivative: tuple[Text, ...] = ()
    meets: tuple[Text, ...] = ()
    vjp_source: tuple[Text, ...] = ()
    vjp_formula: tuple[Text, ...] = ()
    vjp_words: tuple[str, ...] = ()
    index: str = ""
    steepest: float | None = None
    mismatch: Mismatch | None = None

    @property
    def is_selection(self) -> bool:
        """Whether the value is elements of the first input: ``x[index]``."""
        return isinstance(self.source, str) and _selection(self.source)[0] in self.inputs[:1]

    def is_sum(self, node: Node) -> bool:
        """Whether the value is the sum of two inputs and nothing else: ``a + b``."""
        return self._operands(node, ast.Add, "add") in (self.inputs, self.inputs[::-1])

    def is_difference(self, node: Node) -> bool:
        """Whether the value is the first input minus the second: ``a - b``."""
        return self._operands(node, ast.Sub, "subtract") == self.inputs

    def is_sum_of_elements(self, node: Node) -> bool:
        """Whether the value adds up elements of the only input: ``np.sum(x, 0)``."""
        match self._value(node):
            case (
                ast.Call(ast.Attribute(ast.Name("np"), "sum"), [ast.Name(x), *_], keywords)
                | ast.Call(ast.Attribute(ast.Name(x), "sum"), _, keywords)
                | ast.Call(
                    ast.Attribute(ast.Attribute(ast.Name("np"), "add"), "reduce"),
                    [ast.Name(x), *_],
                    keywords,
                )
            ):
                return (x,) == self.inputs and {k.arg for k in keywords} <= {"axis", "keepdims"}
        return False

    def _value(self, node: Node) -> ast.expr:
        """The value as a tree: its source, or its formula where no source is said."""
        source = self._text("source", node, 0)
        return parsed(self.said("formula", node, by=self.name) if source is None else source)

    def _operands(self, node: Node, sign: type[ast.operator], name: str) -> tuple[str, ...] | None:
        """What stands beside a sign, if the value is no more than that."""
        match self._value(node):
            case ast.BinOp(ast.Name(a), operator, ast.Name(b)) if isinstance(operator, sign):
                return a, b
            case ast.Call(ast.Attribute(ast.Name("np"), function), [ast.Name(a), ast.Name(b)], []):
                return (a, b) if function == name else None
        return None

    def said(self, field: str, node: Node, position: int = 0, *, by: str) -> str:
        """What a field says of a node that the operation made, as a text.

        Parameters
        ----------
        field : str
            Its name, such as ``derivative``.
        node : Node
            A use of the operation: its shapes and static arguments.
        position : int
            Which input is meant, where the field has a text for each.
        by : str
            Who asks, for the message.

        Raises
        ------
        DescriptionError
            If the field was left out.
        """
        text = self._text(field, node, position)
        if text is None:
            raise self.lacks(field, f"{by}: {located(self.name, node.scope, node.step)}")
        return text

    def lacks(self, field: str, where: str) -> DescriptionError:
        """The error of a reader that needs a field which was left out."""
        return DescriptionError(
            f"{where}: the operation does not say its {field!r}; add {field}=... to "
            f"primitive({self.name!r}, ...)"
        )

    def _text(self, field: str, node: Node, position: int) -> str | None:
        shapes = [parent.shape for parent in node.parents]
        return self.text(field, shapes, node.params, position)

    def text(
        self,
        field: str,
        shapes: Sequence[tuple[int, ...]],
        params: Mapping[str, Any],
        position: int = 0,
    ) -> str | None:
        """What a field says for inputs of these shapes; None if it was left out."""
        text = getattr(self, field)
        if isinstance(text, tuple):
            at = 0 if self._takes_any_number else position
            text = text[at] if at < len(text) else None
        if text is None and field == "formula":  # its name, and what it is applied to
            inputs = "*xs" if self._takes_any_number else ", ".join(self.inputs)
            text = self.source or f"{self.name}({inputs})"
        if text is None or isinstance(text, str):
            return text
        return str(text(*shapes, **params))

    @property
    def _takes_any_number(self) -> bool:
        return self.inputs == ("xs",)

    def is_linear(self, node: Node, positions: Collection[int]) -> bool:
        """Whether the value is linear in these inputs together, as far as is said.

        It is if no derivative by one of them depends on the output or on one of them: a ⊙ b is
        linear in a, and in b, but not in both.
        """
        if self.kind == "cut":
            return True
        if any(self.vjp[i] is None for i in positions):
            return False
        varying = {"y"}
        if not self._takes_any_number:
            varying.update(self.inputs[i] for i in positions)
        for i in positions:
            if self._text("meets", node, i) == "moved":
                continue
            derivative = self._text("derivative", node, i)
            if derivative is None or varying & names_in(derivative):
                return False
        return True


class Said(TypedDict, total=False):
    """The fields of a `Description` as they are declared: one text may stand for all inputs."""

    symbol: str
    kind: Kind
    source: Text | None
    helpers: tuple[Callable[..., Any], ...]
    formula: Text | None
    derivative: Text | tuple[Text, ...]
    meets: Text | tuple[Text, ...]
    vjp_source: Text | tuple[Text, ...]
    vjp_formula: Text | tuple[Text, ...]
    vjp_words: str | tuple[str, ...]
    index: str
    steepest: float | None
    mismatch: Mismatch | None


_TEXTS = {"source", "formula", "derivative", "vjp_source", "vjp_formula"}
_OF_EACH_INPUT = ("derivative", "meets", "vjp_source", "vjp_formula", "vjp_words")


def completed(name: str, forward: Callable[..., Any], vjp: Any, said: Said) -> dict[str, Any]:
    """All fields of a description, with what need not be said of functions that NumPy has."""
    refuse_unknown_fields(name, said, tuple(Said.__annotations__))
    refuse_unknown_kind(name, said.get("kind", ""), get_args(Kind))
    refuse_rules(name, forward, vjp)
    inputs = input_names(forward, vjp)
    refuse_number(name, said, _OF_EACH_INPUT, len(inputs))
    if _TEXTS & said.keys():
        refuse_names_taken(name, inputs, forward, vjp)
    fields: dict[str, Any] = {"symbol": name, "inputs": inputs, **said}
    if isinstance(forward, np.ufunc):  # it is known to be elementwise
        given = {
            "source": f"np.{forward.__name__}({', '.join(inputs)})",
            "meets": "elementwise",
        }
        fields = {**given, **fields}
    elif said.get("kind") == "moves":
        fields = {"meets": "moved", **fields}
    if isinstance(source := fields.get("source"), str):
        of, index = _selection(source)
        if of in inputs and index not in inputs:  # an input selects rows of a table
            fields.setdefault("index", index)
    for field in _OF_EACH_INPUT:
        if field in fields and not isinstance(fields[field], tuple):
            fields[field] = (fields[field],) * len(inputs)
    if set(fields.get("meets", ())) == {"elementwise"}:
        fields.setdefault("mismatch", broadcast_mismatch)
    return fields


@cache
def parsed(text: str) -> ast.expr:
    """A text as a tree, which is not to be changed: others have it, too."""
    return ast.parse(text, mode="eval").body


@cache
def number_in(text: str) -> float | None:
    """The number that a text is: ``1.0`` and ``-1`` are one, ``1 / n`` is not."""
    match parsed(text):
        case ast.Constant(float() | int() as value):
            return value
        case ast.UnaryOp(ast.USub(), ast.Constant(float() | int() as value)):
            return -value
    return None


@cache
def _selection(source: str) -> tuple[str, str]:
    """Of what a text selects elements, and by which name: ``x[at]``; nothing if it does more."""
    try:
        tree = parsed(source)
    except SyntaxError:  # which `check_primitive` tells
        return "", ""
    match tree:
        case ast.Subscript(ast.Name(of), ast.Name(index)):
            return of, index
        case ast.Subscript(ast.Name(of)):
            return of, ""
    return "", ""


@cache
def names_in(text: str) -> frozenset[str]:
    """The names that a text speaks of."""
    return frozenset(node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name))
