"""The slips of taking one operand for another, each as a small function, as in `slips`.

wrong_step          dW += da.T @ h[t - 1]             dW += da.T @ h[t]
wrong_variable      dg = dc * i[t]                    dg = dc * f[t]
other_operand       dw = du * x                       dw = du * w
of_parameter        db += da.sum(axis=0)              db += 1
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence

from microgrrepresent.programs.expressions import (
    Expr,
    at,
    binary,
    call,
    name,
    parsed,
    plus,
    shifted,
    substituted,
    text,
    time_shift,
)
from microgrrepresent.programs.slips import Slip, Slips, is_slope


def wrong_step(timed: Collection[str], last: Expr | None) -> Slips:
    """A variable of another step: the one before, the first or the last, or 0 for the initial one.

    Parameters
    ----------
    timed : collection of str
        The variables that are kept for each step.
    last : ast.expr or None
        The last step: what a variable of the forward loop still is when that has ended.
    """

    def slips(expression: Expr) -> Iterator[Slip]:
        match expression:
            case ast.BinOp(left, ast.Add(), ast.Name(n) as later) if n.endswith("_next"):
                if last is not None:
                    known = binary(left, ast.Mult(), parsed(f"(t == {text(last)})"))
                    says = f"the term {text(left)} is taken at the last step only"
                    yield says, binary(known, ast.Add(), later)
            case ast.Subscript(ast.Name(n), index):
                shift = time_shift(index)
                if shift is None:
                    return
                for by in (-1, 1):
                    if n in timed and shift + by > 0:
                        continue
                    wrong = at(n, shifted("t", shift + by))
                    old_new = " (the old one for the new)" if n in timed and by < 0 else ""
                    yield f"{text(wrong)} instead of {text(expression)}{old_new}", wrong
                if n in timed and last is not None:
                    wrong = at(n, last)
                    yield f"{text(wrong)}, the last one, instead of {text(expression)}", wrong
                if n not in timed:
                    if last is not None:
                        wrong = at(n, plus(last, shift))
                        yield f"{text(wrong)}, the last one, instead of {text(expression)}", wrong
                    wrong = at(n, ast.Constant(0))
                    yield f"{text(wrong)}, the first one, instead of {text(expression)}", wrong
                if n in timed and shift < 0:
                    known = binary(expression, ast.Mult(), parsed("(t > 1)"))
                    yield f"0 instead of {n}_0, the value before the first step", known

    return slips


def wrong_variable(similar: Mapping[str, Sequence[Expr]]) -> Slips:
    """Another variable of the same shape, such as another gate."""

    def slips(expression: Expr) -> Iterator[Slip]:
        match expression:
            case ast.Subscript(ast.Subscript(), _):
                for wrong in similar.get(text(expression), ()):
                    yield f"{text(wrong)} instead of {text(expression)}", wrong
            case ast.Name(n) | ast.Subscript(ast.Name(n), ast.Name("t")):
                for wrong in similar.get(n, ()):
                    yield f"{text(wrong)} instead of {text(expression)}", wrong
            case ast.Subscript(ast.Name(n), index) if time_shift(index) is not None:
                for wrong in similar.get(n, ()):
                    yield f"{text(wrong)} instead of {text(expression)}", wrong
            case ast.BinOp(ast.Constant(1), ast.Sub(), _):
                return
            case ast.BinOp(
                ast.BinOp(rest, ast.Mult(), ast.Subscript(ast.Name(n)) as y), ast.Mult(), slope
            ) if is_slope(slope, y):
                for other in similar.get(n, ()):
                    left = binary(rest, ast.Mult(), other)
                    rest_of_it = binary(ast.Constant(1), ast.Sub(), other)
                    says = f"the derivative is that of {text(other)}, not that of {text(y)}"
                    yield says, binary(left, ast.Mult(), rest_of_it)
            case ast.BinOp(left, ast.Mult(), right) if isinstance(right, ast.Subscript):
                wrong = binary(ast.Constant(1), ast.Sub(), right)
                yield f"{text(wrong)} instead of {text(right)}", binary(left, ast.Mult(), wrong)

    return slips


def other_operand(operands: Mapping[str, Sequence[Expr]]) -> Slips:
    """What an operand is multiplied by is taken for that operand: ``du * w`` for ``du * x``.

    Parameters
    ----------
    operands : dict from str to list of ast.expr
        For each operand of a product, the other one.
    """

    def slips(expression: Expr) -> Iterator[Slip]:
        match expression:
            case ast.BinOp(left, ast.Mult() | ast.MatMult() as sign, right):
                for wrong in operands.get(text(right), ()):
                    says = f"{text(wrong)}, the other factor, instead of {text(right)}"
                    yield says, binary(left, sign, wrong)

    return slips


def of_parameter(parameter: str) -> Slips:
    """Where a gradient is made: times the parameter itself, or without what comes from behind."""

    def slips(expression: Expr) -> Iterator[Slip]:
        itself = name(parameter)
        yield f"it is multiplied by {parameter} itself, too", binary(expression, ast.Mult(), itself)
        match expression:
            case ast.Name(n) | ast.Call(ast.Attribute(ast.Name(n), "sum")):
                ones = substituted(expression, {n: call("np.ones_like", name(n))})
                yield f"the factor {n} is left out", ones
                if isinstance(expression, ast.Call):
                    yield f"the factor {n} is left out", ast.Constant(1)

    return slips
