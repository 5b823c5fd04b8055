"""The slips that people make within an expression, each as a small function.

Each takes an expression and gives, for each way in which it can be written wrongly, a sentence and
the wrong expression. `everywhere` applies them to all parts of a line.

    dropped_term        dh = dY[t - 1] + dh_next          dh = dY[t - 1]
    wrong_sign          da = dh * (1 - h[t] ** 2)         da = dh * (1 + h[t] ** 2)
    dropped_factor      da = dh * (1 - h[t] ** 2)         da = dh
    wrong_derivative    1 - h[t] ** 2                     h[t] * (1 - h[t])
    transposed          dh_next = da @ W                  dh_next = da @ W.T
    wrong_sum           db += da.sum(axis=0)              db += da.mean(axis=0)
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

from microgrrepresent.programs.expressions import (
    Expr,
    binary,
    call,
    key,
    name,
    negative,
    parsed,
    text,
)

Slip = tuple[str, Expr]
"""What is wrong, in a sentence without its end, and the wrong expression."""

ONE_STEP = (
    (0, "the sum over the steps is overwritten at each: the first step's part is left"),
    (-1, "the last step alone is taken, not the sum over the steps"),
)
"""Which step is left of a sum over all, and what is wrong then."""

Slips = Callable[[Expr], Iterator[Slip]]


def everywhere(expression: Expr, slips: Slips) -> Iterator[Slip]:
    """Apply slips to an expression and to every part of it, one at a time; indices stay."""
    yield from slips(expression)
    if isinstance(expression, ast.Subscript) and isinstance(expression.value, ast.Name):
        return
    for field, part in ast.iter_fields(expression):
        if field == "slice" or (field == "func" and not _is_method(part)):
            continue
        if isinstance(part, ast.expr):
            for says, wrong in everywhere(part, slips):
                yield says, _with(expression, field, wrong)
        elif isinstance(part, list):
            for i, one in enumerate(part):
                if isinstance(one, ast.expr):
                    for says, wrong in everywhere(one, slips):
                        yield says, _with(expression, field, [*part[:i], wrong, *part[i + 1 :]])


def _is_method(function: Expr) -> bool:
    """Whether it belongs to an operand: ``H.reshape``, not ``np.tanh``."""
    return isinstance(function, ast.Attribute) and text(function.value) != "np"


def _with(expression: Expr, field: str, part: object) -> Expr:
    found = copy.copy(expression)
    setattr(found, field, part)
    return found


def dropped_term(expression: Expr) -> Iterator[Slip]:
    """A term of a sum is left out."""
    match expression:
        case ast.BinOp(ast.Constant(), ast.Sub(), right):
            yield f"{text(right)} instead of {text(expression)}", right
        case ast.BinOp(left, ast.Add() | ast.Sub() as sign, right):
            minus = isinstance(sign, ast.Sub)
            yield f"the term {_role(right)} is left out", left
            yield f"the term {_role(left)} is left out", negative(right) if minus else right
            if minus:
                yield f"{text(right)} instead of {text(expression)}", right


def wrong_sign(expression: Expr) -> Iterator[Slip]:
    """A plus for a minus, or a difference the other way round."""
    match expression:
        case ast.BinOp(ast.Constant() as one, ast.Sub(), right):
            for wrong in (binary(right, ast.Sub(), one), binary(one, ast.Add(), right)):
                yield f"{text(wrong)} instead of {text(expression)}", wrong
        case ast.BinOp(left, ast.Add() | ast.Sub() as sign, right):
            minus = isinstance(sign, ast.Sub)
            other: ast.operator = ast.Add() if minus else ast.Sub()
            yield f"the sign of the term {text(right)} is wrong", binary(left, other, right)
            turned = binary(right, ast.Sub(), left)
            if minus:
                yield f"{text(turned)} instead of {text(expression)}", turned
            else:
                yield f"the sign of the term {text(left)} is wrong", turned
        case ast.UnaryOp(ast.USub(), inner) if not isinstance(inner, ast.Constant):
            yield f"the minus before {text(inner)} is left out", inner


def _role(term: Expr) -> str:
    if isinstance(term, ast.Name) and term.id.endswith("_next"):
        return f"{term.id}, which comes from step t + 1,"
    return text(term)


def dropped_factor(expression: Expr) -> Iterator[Slip]:
    """A factor of a product is left out, or a division, or a square."""
    match expression:
        case ast.BinOp(ast.BinOp(rest, ast.Mult(), y), ast.Mult(), slope) if is_slope(slope, y):
            yield f"the derivative {text(y)} * ({text(slope)}) is left out", rest
            yield f"the factor {text(slope)} is left out", expression.left
            yield f"the factor {text(y)} is left out", binary(rest, ast.Mult(), slope)
            yield f"the factor {text(expression.left)} is left out", slope
        case ast.BinOp(left, ast.Mult(), right):
            number = isinstance(left, ast.Constant)
            ones = binary(left, ast.Mult(), call("np.ones_like", right))
            yield f"the factor {text(right)} is left out", ones if number else left
            yield f"the factor {text(left)} is left out", right
        case ast.BinOp(left, ast.Div(), right):
            yield f"the division by {text(right)} is left out", left
        case ast.BinOp(left, ast.Pow(), ast.Constant(2)):
            yield f"the square of {text(left)} is left out", left
        case ast.Call(ast.Attribute(ast.Name("np"), "tanh"), [inner], []):
            yield f"{text(inner)} instead of {text(expression)}", inner


def is_slope(slope: Expr, y: Expr) -> bool:
    """Whether this is 1 - y: the rest of the derivative of a sigmoid."""
    match slope:
        case ast.BinOp(ast.Constant(1), ast.Sub(), inner):
            return key(inner) == key(y)
    return False


def wrong_derivative(expression: Expr) -> Iterator[Slip]:
    """The derivative of another activation, or of the output where that of the input is meant."""
    one = ast.Constant(1)
    match expression:
        case ast.BinOp(ast.Constant(1), ast.Sub(), ast.BinOp(y, ast.Pow(), ast.Constant(2))):
            sigmoid = binary(y, ast.Mult(), binary(one, ast.Sub(), y))
            yield "the derivative is that of the sigmoid, not that of tanh", sigmoid
            twice = binary(call("np.tanh", y), ast.Pow(), ast.Constant(2))
            yield f"tanh is applied once more to {text(y)}", binary(one, ast.Sub(), twice)
        case ast.BinOp(ast.BinOp(rest, ast.Mult(), y), ast.Mult(), slope) if is_slope(slope, y):
            square = binary(y, ast.Pow(), ast.Constant(2))
            tanh = binary(rest, ast.Mult(), binary(one, ast.Sub(), square))
            yield "the derivative is that of tanh, not that of the sigmoid", tanh
            s = binary(one, ast.Div(), binary(one, ast.Add(), call("np.exp", negative(y))))
            twice = binary(
                binary(rest, ast.Mult(), s), ast.Mult(), binary(one, ast.Sub(), copy.deepcopy(s))
            )
            yield f"the sigmoid is applied once more to {text(y)}", twice


def written_otherwise(expression: Expr) -> Iterator[Expr]:
    """The same line as others write it, where other slips are made.

    h[T] + h[T]                   2 * h[T]
    dh * h[t - 1] - dh * n[t]     dh * (h[t - 1] - n[t])
    -(dh * n[t]) + dh * h[t - 1]  dh * (h[t - 1] - n[t])
    dh * (1 - z[t])               dh - dh * z[t]
    """
    match expression:
        case ast.BinOp(
            ast.BinOp(a, ast.Mult(), left),
            ast.Add() | ast.Sub() as sign,
            ast.BinOp(b, ast.Mult(), right),
        ) if key(a) == key(b):
            yield binary(a, ast.Mult(), binary(left, sign, right))
        case ast.BinOp(a, ast.Add(), b) if key(a) == key(b):
            yield binary(ast.Constant(2), ast.Mult(), a)
        case ast.BinOp(
            ast.UnaryOp(ast.USub(), ast.BinOp(a, ast.Mult(), left)),
            ast.Add(),
            ast.BinOp(b, ast.Mult(), right),
        ) if key(a) == key(b):
            yield binary(a, ast.Mult(), binary(right, ast.Sub(), left))
        case ast.BinOp(a, ast.Mult(), ast.BinOp(ast.Constant(1), ast.Sub(), b)):
            yield binary(a, ast.Sub(), binary(a, ast.Mult(), b))


def transposed(expression: Expr) -> Iterator[Slip]:
    """A matrix is transposed where it should not be, or the other way round."""
    match expression:
        case ast.BinOp(left, ast.MatMult(), ast.Attribute(matrix, "T")):
            yield f"{text(matrix)} is not transposed", binary(left, ast.MatMult(), matrix)
        case ast.BinOp(left, ast.MatMult(), ast.Name() as matrix):
            wrong: Expr = ast.Attribute(matrix, "T", ast.Load())
            yield f"{text(matrix)} is transposed", binary(left, ast.MatMult(), wrong)
        case ast.BinOp(ast.Attribute(left, "T"), ast.MatMult(), right):
            wrong = binary(ast.Attribute(right, "T", ast.Load()), ast.MatMult(), left)
            yield f"the product is transposed: {text(wrong)}", wrong


def wrong_sum(expression: Expr) -> Iterator[Slip]:
    """A mean for a sum, or one step or one sequence of it only."""
    match expression:
        case ast.BinOp(ast.Attribute(left, "T"), ast.MatMult(), right) if _flattened(right):
            for step, says in ONE_STEP:
                a, b = (parsed(f"({_flattened(e)})[{step}]") for e in (left, right))
                yield says, binary(ast.Attribute(a, "T", ast.Load()), ast.MatMult(), b)
        case ast.Call(ast.Attribute(inner, "sum"), arguments, keywords):
            mean = ast.Call(ast.Attribute(inner, "mean", ast.Load()), arguments, keywords)
            yield "a mean is taken, not the sum", mean
            whole = ast.Call(ast.Attribute(inner, "sum", ast.Load()), [], [])
            yield f"{text(whole)}, one number for all, instead of {text(expression)}", whole
            row = ast.Subscript(inner, ast.Constant(0), ast.Load())
            if any(text(k.value) == "0" for k in keywords):
                yield "the first sequence alone is taken, not the sum over the batch", row
            elif any(text(k.value) == "(0, 1)" for k in keywords):
                for step, says in ONE_STEP:
                    yield says, parsed(f"({text(inner)})[{step}].sum(axis=0)")
                one = parsed(f"({text(inner)})[:, 0].sum(axis=0)")
                yield "the first sequence alone is taken, not the sum over the batch", one


def _flattened(expression: Expr) -> str:
    """What is reshaped, all steps into rows: ``H`` of ``H.reshape(-1, H.shape[-1])``."""
    match expression:
        case ast.Call(ast.Attribute(inner, "reshape")):
            return text(inner)
    return ""


def other_length(sizes: Sequence[str]) -> Slips:
    """The loss's own gradient divided by a length, or times it: a mean for a sum, or both."""
    lengths = [name(n) for n in sizes]
    found: list[Expr] = [*lengths]
    found += [binary(a, ast.Mult(), b) for a, b in combinations(lengths, 2)]

    def slips(expression: Expr) -> Iterator[Slip]:
        for n in found:
            yield f"it is divided by {text(n)} once too often", binary(expression, ast.Div(), n)
            if not _is_divided(expression, n):
                yield f"it is {text(n)} times too large", binary(expression, ast.Mult(), n)

    return slips


def _is_divided(expression: Expr, n: Expr) -> bool:
    """Whether the division may be left out, which says the same in fewer words."""
    match expression:
        case ast.BinOp(_, ast.Div(), right):
            return key(right) == key(n)
    return False


def mean_for_sum(sizes: Sequence[str]) -> Slips:
    """A gradient that is averaged over the steps or the sequences once more."""
    over = {"T": "the steps", "B": "the batch"}

    def slips(expression: Expr) -> Iterator[Slip]:
        for n in sizes:
            if n == "B" and text(expression).endswith(".sum(axis=0)"):
                continue  # `wrong_sum` says so with .mean(axis=0)
            says = f"a mean over {over.get(n, n)} is taken, not the sum"
            yield says, binary(expression, ast.Div(), name(n))

    return slips
