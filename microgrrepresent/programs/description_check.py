r"""Is what is said of an operation true? Run the texts with only NumPy in scope, and compare.

The code that a program prints for an operation's value is held against `forward`; the code for what
it sends back, and the local derivatives, met by the adjoint as is said, against the rules. That the
rules themselves are right is `gradcheck`'s question.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from microgrrepresent.equations.terms import Apply, Chain, Value, Variable, params_of
from microgrrepresent.errors import CheckError
from microgrrepresent.node import Array, Node
from microgrrepresent.primitive import Primitive
from microgrrepresent.programs.expressions import text
from microgrrepresent.programs.formula_values import functions, joined, like
from microgrrepresent.programs.lowering import Lowering
from microgrrepresent.programs.operations import INTO
from microgrrepresent.programs.printing import helper_source
from microgrrepresent.programs.sizes import Sizes
from microgrrepresent.sums import fitted
from microgrrepresent.tensor import Tensor

_TOLERANCE = 1e-10
MOST = 16
"""So many elements are moved one by one."""


class DescriptionCheck(NamedTuple):
    """What a passed check found: the largest error, the fields compared, and those that were not.

    A formula is not compared if it has functions that only mathematics knows, as ``CE(x, t)``.
    """

    error: float
    fields: tuple[str, ...]
    unchecked: tuple[str, ...] = ()


def check_primitive(op: Primitive, /, *inputs: Any, **params: Any) -> DescriptionCheck:
    """Compare what is said of an operation with what it does.

    Parameters
    ----------
    op : Primitive
        The operation; fields of its description that were left out are not checked.
    *inputs : array_like or Tensor
        Where to check; floating-point numbers as float64. Choose inputs that show every case.
    **params
        Static arguments.

    Returns
    -------
    DescriptionCheck
        ``error``, the largest one found, relative to ``max(1, |number|)``; ``fields``, what was
        compared; and ``unchecked``, formulas that could not be computed.

    Raises
    ------
    CheckError
        If a text cannot be run, gives other numbers than `forward` or the rule, or if `kind` or
        `steepest` is wrong; it names the field, the code that was run, and both numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from microgrrepresent import check_primitive, primitive
    >>> square = primitive(
    ...     "square", np.square, (lambda g, y, x: g * 2 * x,), source="x**2", derivative="2 * x"
    ... )
    >>> check_primitive(square, [0.5, -3.0])
    DescriptionCheck(error=0.0, fields=('source', 'derivative', 'contribution'), unchecked=())
    """
    if not isinstance(op, Primitive):
        raise TypeError(
            f"check_primitive: `op` must be a Primitive, as primitive(...) returns it, "
            f"got {type(op).__name__}"
        )
    if not inputs:
        raise TypeError(f"check_primitive: {op.name} must be given at least one input, got none")
    node = op(*map(_leaf, inputs), **params)
    if node.op is None:
        raise CheckError(
            "check_primitive: nothing is recorded inside of no_grad(); call it outside"
        )
    found: dict[str, float] = {}
    claims = _Claims(op, node)
    try:
        for field, error in claims.errors():
            found[field] = max(error, found.get(field, 0.0))
    except SyntaxError as error:
        text = (error.text or "").strip()
        raise CheckError(
            f"check_primitive: {op.name} says `{text}`, which is no Python: {error.msg}"
        ) from error
    if not found:
        raise CheckError(
            f"check_primitive: nothing is said of {op.name} that could be checked; give it a "
            "source, a derivative and how it meets the adjoint"
        )
    return DescriptionCheck(max(found.values()), tuple(found), tuple(claims.unchecked))


def value_code(node: Node, names: Sequence[str]) -> str:
    """The expression by which a program computes a node from inputs of these names.

    Examples
    --------
    >>> from microgrrepresent import Tensor, linear
    >>> from microgrrepresent.programs.description_check import value_code
    >>> value_code(linear(Tensor([[1.0, 2.0]]), Tensor([[3.0, 4.0]])), ["x", "W"])
    'x @ W.T'
    """
    assert node.op is not None
    term = Apply(node.op, _values(node, names), params_of(node.params), node.shape, "")
    return text(_lowering(node).term(term, term).expression)


def contribution_code(node: Node, i: int, names: Sequence[str]) -> str:
    """What a program adds to the adjoint of the node's i-th input.

    It is an expression, or a statement that adds to the adjoint, which is called ``into``. The
    node's own adjoint is ``g``, its value ``y``.

    Examples
    --------
    >>> from microgrrepresent import Tensor, linear, tanh
    >>> from microgrrepresent.programs.description_check import contribution_code
    >>> a, x, W = Tensor([0.5]), Tensor([[1.0, 2.0]]), Tensor([[3.0, 4.0]])
    >>> contribution_code(tanh(a), 0, ["a"])
    'g * (1 - y ** 2)'
    >>> contribution_code(linear(x, W), 1, ["x", "W"])
    'g.T @ x'
    >>> contribution_code(x[0], 0, ["x"])
    'into[0] += g'
    """
    op, parent = node.op, node.parents[i]
    assert op is not None
    joins, lengths = op.many is not None, ()
    if joins and parent.ndim == node.ndim:
        lengths = tuple(part.shape[node.params["axis"]] for part in node.parents)
    shapes = [p.shape for p in node.parents]
    derivative, meets = (
        op.text(field, shapes, node.params, i) or "" for field in ("derivative", "meets")
    )
    chain = Chain(
        _value("g", node, -2),
        op,
        i,
        derivative,
        meets,
        _value("y", node, -1),
        () if joins else _values(node, names),
        params_of(node.params),
        node.shape if meets == "elementwise" else parent.shape,
        lengths,
    )
    piece = _lowering(node).term(chain, chain)
    return "\n".join(map(ast.unparse, piece.additions)) or text(piece.expression)


def _lowering(node: Node) -> Lowering:
    return Lowering(Sizes(()), lambda variable: variable.name, node.dtype)


def _values(node: Node, names: Sequence[str]) -> tuple[Value, ...]:
    pairs = zip(names, node.parents, strict=True)
    return tuple(_value(name, parent, key) for key, (name, parent) in enumerate(pairs))


def _value(name: str, node: Node, key: int) -> Value:
    return Value(Variable(name, "", False, node.shape, (), key), None)


class _Claims:
    """All that is said of one use of an operation, to be compared with what is so."""

    def __init__(self, op: Primitive, node: Node) -> None:
        self.op, self.node = op, node
        self.xs = [parent.value for parent in node.parents]
        self.y = node.value
        rng = np.random.default_rng(0)
        self.g = rng.choice([-1, 1], self.y.shape) * rng.uniform(0.5, 1.5, self.y.shape)
        self.unchecked: dict[str, None] = {}
        several = [f"x{i}" for i in range(len(self.xs))]
        self.names: Sequence[str] = op.inputs if op.many is None else several

    def errors(self) -> Iterator[tuple[str, float]]:
        """Each field that says something, with its error."""
        if self.op.source is not None:
            code = value_code(self.node, self.names)
            value = self._run(code)
            yield "source", self._compared("source", code, value, self.y, "forward")
            if (np.asarray(value).dtype == bool) != (self.y.dtype == bool):
                types = f"it gives {np.asarray(value).dtype}, forward {self.y.dtype}"
                raise self._wrong("source", code, types)
        if self.op.formula is not None:
            text = self.op.said("formula", self.node, by="check_primitive")
            yield from self._formula("formula", text, self.y, "forward")
        yield from self._kind()
        if self.y.dtype.kind == "f":
            for i in range(len(self.xs)):
                yield from self._derivative(i)

    def _derivative(self, i: int) -> Iterator[tuple[str, float]]:
        op, x = self.op, self.xs[i]
        rule = op.vjp[i]
        params = self.node.params
        expected = np.zeros(x.shape)
        if rule is not None:
            expected = fitted(rule(self.g, self.y, *self.xs, **params), x)
        if op.derivative and (rule is None or op.meets):
            D = op.said("derivative", self.node, i, by="check_primitive")
            word = op.said("meets", self.node, i, by="check_primitive") if rule else "elementwise"
            met = fitted(self._met(word, D, i), x) if rule else self._run(D)
            said = f"{D}, met {word}"
            yield "derivative", self._compared("derivative", said, met, expected, "the rule")
            if op.steepest is not None and rule is not None:
                most = float(np.abs(self._run(D)).max(initial=0))
                if most > op.steepest * (1 + _TOLERANCE):
                    raise self._wrong("steepest", f"{op.steepest:g}", f"a slope is {most:.12g}")
                yield "steepest", 0.0
        if rule is not None and op.vjp_formula and "moved" in op.meets:
            text = op.said("vjp_formula", self.node, i, by="check_primitive")
            yield from self._formula("vjp_formula", text, expected, "the rule", i)
        says_how = op.vjp_source or (op.derivative and "rows" not in op.meets and op.meets)
        if rule is not None and says_how:
            code = contribution_code(self.node, i, self.names)
            contribution = np.zeros(x.shape)
            sent = self._run(code, **{INTO: contribution})
            if sent is not None:  # it may rely on broadcasting
                whole = np.broadcast_shapes(sent.shape, x.shape)
                contribution = fitted(np.broadcast_to(sent, whole), x)
            yield (
                "contribution",
                self._compared("contribution", code, contribution, expected, "the rule"),
            )

    def _formula(
        self, field: str, text: str, expected: Array, other: str, i: int = 0
    ) -> Iterator[tuple[str, float]]:
        """A formula, if it can be computed."""
        op, params, g = self.op, self.node.params, self.g
        is_part = op.many is not None and field == "vjp_formula"
        axis = params.get("axis", 0)
        scope: dict[str, Any] = {"xs": self.xs, "joined": joined}
        scope |= functions(text, op.helpers, params, expected.shape)
        if is_part:  # which counts along the first axis
            ends = np.cumsum([0, *(x.shape[axis] if x.ndim == g.ndim else 0 for x in self.xs)])
            g = np.moveaxis(g, axis, 0)
            scope |= {"i": i, "start": ends[i], "stop": ends[i + 1], "g": g}
        try:
            value = self._run(f"joined({text}, {axis}, {expected.ndim})", **scope)
            if is_part and value.ndim == g.ndim:
                value = np.moveaxis(value, 0, axis)
            value = like(value, expected, field == "vjp_formula")
        except (CheckError, ValueError):
            self.unchecked[field] = None
            return
        yield field, self._compared(field, text, value, expected, other)

    def _kind(self) -> Iterator[tuple[str, float]]:
        """What `kind` promises: a value that is linear, or the input itself."""
        op = self.op
        floats = [i for i, x in enumerate(self.xs) if x.dtype.kind == "f"]
        if op.kind == "cut":
            live = [i for i in range(len(self.xs)) if op.vjp[i] is not None]
            if live:
                raise self._wrong("kind", "cut", f"the rule of input {live[0]} passes a derivative")
            yield "kind", self._compared("kind", "cut", self.y, self.xs[0], "its input")
        elif op.kind in ("linear", "moves", "product") and self.y.dtype.kind == "f" and floats:
            together = [[i] for i in floats] if op.kind == "product" else [floats]
            for some in together:
                yield "kind", self._linear(some)
            if op.kind == "moves":
                yield "kind", self._moved(floats)

    def _linear(self, some: Sequence[int]) -> float:
        """Whether f(x - 2 u) is f(x) - 2 f(u) with u, and with -u, in the place of some inputs."""
        rng, errors = np.random.default_rng(1), []
        x = {i: np.round(4 * self.xs[i]) / 4 for i in some}  # exact in float32, too
        u = {i: rng.choice([-1.5, -1, -0.5, 0.5, 1, 1.5], self.xs[i].shape) for i in some}
        for sign in (1, -1):
            away = {i: sign * u[i] for i in some}
            y = self._value({i: x[i] - 2 * away[i] for i in some})
            expected = self._value(x) - 2 * self._value(away)
            errors.append(self._compared("kind", self.op.kind, y, expected, "linear"))
        return max(errors)

    def _moved(self, floats: Sequence[int]) -> float:
        """Whether an element becomes itself where it is moved, and nothing elsewhere."""
        for i in floats:
            for k in range(min(self.xs[i].size, MOST)):
                alone = {j: np.zeros(self.xs[j].shape) for j in floats}
                alone[i].flat[k] = 1
                y = self._value(alone)
                said = (
                    f"an element becomes {y.flat[np.abs(y).argmax()] if y.size else 0:.12g} of it"
                )
                if not np.isin(y, (0, 1)).all():
                    raise self._wrong("kind", "moves", said)
        return 0.0

    def _value(self, others: Mapping[int, Array]) -> Array:
        """The value where some inputs are others."""
        xs = [others.get(i, x) for i, x in enumerate(self.xs)]
        return np.asarray(self.op.forward(*xs, **self.node.params))

    # --- running texts ---------------------------------------------------------------------------

    def _run(self, code: str, **other: Any) -> Any:
        """The value of an expression; a statement is executed."""
        scope: dict[str, Any] = {"np": np}
        try:
            for helper in self.op.helpers:
                exec(helper_source(helper), scope)
            scope |= {**self.node.params, "n": self.xs[0].size // max(self.y.size, 1)}
            scope |= dict(zip(self.names, self.xs, strict=True))
            scope |= {"g": self.g, "y": self.y, **other}
            with np.errstate(all="ignore"):
                if isinstance(ast.parse(code).body[0], ast.Expr):
                    value = eval(code, scope)
                    return None if value is None else np.asarray(value)  # np.add.at gives None
                exec(code, scope)
        except Exception as error:
            raise CheckError(
                f"check_primitive: {self.op.name} says `{code}`, which cannot be run: "
                f"{type(error).__name__}: {error}"
            ) from error
        return None

    def _met(self, word: str, text: str, i: int) -> Any:
        """The product of g and D, as the word for how they meet says."""
        g = self.g
        if word == "rows":
            return self._rows(text)
        if word == "spread":
            g, y = self._spread(g), self._spread(self.y)
            return g * self._run(text, y=y) * np.ones(self.xs[i].shape)
        D, is_vector = self._run(text), self.xs[i].ndim == 1
        match word:
            case "elementwise":
                return g * D
            case "right" if D.ndim == 1:
                return g[..., None] * D
            case "right" if D.ndim > 2 and is_vector:
                return (g[..., None, :] @ D)[..., 0, :]
            case "right":
                return g @ D
            case "left" if D.ndim == 1:
                return D[:, None] * g[..., None, :]
            case "left":
                return (D @ g[..., None])[..., 0] if is_vector else D @ g
            case "outer":
                return (g[..., :, None] * D[..., None, :]).sum(axis=tuple(range(g.ndim - 1)))
        raise CheckError(f"check_primitive: {self.op.name}: meets={word!r} is no such product")

    def _spread(self, reduced: Array) -> Array:
        """An array with the axes given back that were summed over."""
        x = self.xs[0]
        if reduced.ndim == x.ndim:
            return reduced
        return np.expand_dims(reduced, self.node.params.get("axis", -1))

    def _rows(self, text: str) -> Array:
        """For each row along the axis: g D, with the D of that row."""
        axis = self.node.params.get("axis", -1)
        (x,), name = self.xs, self.names[0]
        xs, ys, gs = (np.moveaxis(a, axis, -1) for a in (x, self.y, self.g))
        result = np.zeros(xs.shape)
        for at in np.ndindex(xs.shape[:-1]):
            result[at] = gs[at] @ self._run(text, y=ys[at], **{name: xs[at]})
        return np.moveaxis(result, -1, axis)

    # --- comparing -------------------------------------------------------------------------------

    def _compared(self, field: str, said: str, a: Any, b: Array, other: str) -> float:
        a = np.asarray(a)
        if field == "derivative" and not a.ndim:
            a = np.full(b.shape, a)
        if a.shape != b.shape:
            raise self._wrong(field, said, f"its shape is {a.shape}, of {other} {b.shape}")
        if a.dtype.kind == b.dtype.kind == "b":
            a, b = a.astype(int), b.astype(int)
        with np.errstate(all="ignore"):
            error = np.abs(a - b) / np.maximum(1, np.abs(b))
        error = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0, error)
        error = np.where(np.isnan(error), np.inf, error)
        worst = float(error.max(initial=0))
        if worst > _TOLERANCE:
            at = np.unravel_index(int(error.argmax()), error.shape)
            place = f"[{', '.join(map(str, at))}] " if at else ""
            raise self._wrong(field, said, f"at {place}it gives {a[at]:.12g}, {other} {b[at]:.12g}")
        return worst

    def _wrong(self, field: str, said: str, why: str) -> CheckError:
        return CheckError(f"check_primitive: {self.op.name}: {field} `{said}`: {why}")


def _leaf(x: Any) -> Tensor:
    value = np.asarray(x.value if isinstance(x, Node) else x)
    return Tensor(value.astype(float) if value.dtype.kind == "f" else value)
