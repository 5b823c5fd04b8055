"""Mistakes made in a student's source, by editing its syntax tree; nothing of the marker's own."""

from __future__ import annotations

import ast
import copy
import textwrap

NEIGHBORS = {
    "prev": "h new", "h_prev": "h", "c_prev": "c", "h": "h_prev prev", "c": "c_prev", "new": "prev",
    "i": "f g o", "f": "i o", "g": "i", "o": "i f", "r": "z", "z": "r", "n": "m", "m": "n",
    "gi": "gf go gg", "gf": "gi", "go": "gf", "gg": "gi", "rs": "zs", "zs": "rs", "ns": "us",
    "di": "df", "df": "di", "dg": "di", "do": "dh", "dn": "dh", "dan": "dn",
}  # fmt: skip
"""Names that are taken for one another."""

CARRIED = {"dh_next", "dc_next", "dhn", "dcn", "dh", "dc"}


def is_backward(statement):
    """Whether a statement of the function is behind the last one that adds to the loss."""
    return not any(isinstance(n, ast.Name) and n.id == "loss" for n in ast.walk(statement))


def broken(source):
    """Each way to break the backward part: (kind, the line before, the source with the mistake)."""
    tree = ast.parse(source)
    body = tree.body[0].body
    header = ast.unparse(tree).splitlines()[0]
    texts = [textwrap.indent(ast.unparse(statement), "    ") for statement in body]
    for position in range(_last_of_the_loss(body) + 1, len(body) - 1):
        for kind, before, statements in _statements(body[position]):
            new = ast.unparse(ast.fix_missing_locations(ast.Module(statements, [])))
            changed = textwrap.indent(new, "    ")
            yield (
                kind,
                before,
                "\n".join([header, *texts[:position], changed, *texts[position + 1 :]]),
            )


def _last_of_the_loss(body):
    return max(i for i, s in enumerate(body[:-1]) if not is_backward(s))


def rewritten(source):
    """The source with the operands of one product or sum of its backward part exchanged."""
    tree = ast.parse(source)
    body = tree.body[0].body
    last = _last_of_the_loss(body)
    count = sum(_may_turn(n) for s in body[last + 1 : -1] for n in ast.walk(s))
    for k in range(count):
        new = ast.parse(source)
        found = [n for s in new.body[0].body[last + 1 : -1] for n in ast.walk(s) if _may_turn(n)]
        found[k].left, found[k].right = found[k].right, found[k].left
        yield ast.unparse(new)


def _may_turn(node):
    """Whether this is a sum or product of numbers; `[h_0] * n` would be none."""
    return isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mult))


def _statements(statement):
    """Copies of a statement with one mistake: (kind, the line, [statements])."""
    if isinstance(statement, (ast.For, ast.While)):
        header = ast.unparse(statement).splitlines()[0]
        if isinstance(statement, ast.For):
            match statement.iter:
                case ast.Call(ast.Name("reversed"), [inner]):
                    yield "forwards", header, [_with(statement, "iter", inner)]
        for k, line in enumerate(statement.body):
            for kind, before, new in _statements(line):
                body = [*statement.body[:k], *new, *statement.body[k + 1 :]]
                yield kind, before, [_with(statement, "body", body or [ast.Pass()])]
        return
    before = ast.unparse(statement)
    if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Add):
        target = statement.target
        yield "overwritten", before, [ast.Assign([target], statement.value)]
        yield "left out", before, []
    carried = isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) in CARRIED
    if carried and "zeros" not in before:
        yield "left out", before, []
    if "zeros" not in before and "copy()" not in before:
        for kind, value in _expressions(statement.value):
            yield kind, before, [_with(statement, "value", value)]


def _expressions(e):
    match e:
        case ast.BinOp(left, ast.Add() | ast.Sub(), right):
            yield "term", left
            if not isinstance(left, ast.Constant):
                yield "term", right
            other = ast.Sub() if isinstance(e.op, ast.Add) else ast.Add()
            yield "sign", ast.BinOp(left, other, right)
            if isinstance(e.op, ast.Sub):
                yield "the other way round", ast.BinOp(right, e.op, left)
        case ast.BinOp(left, ast.Mult(), right):
            yield "factor", left
            yield "factor", right
        case ast.BinOp(left, ast.Div(), right):
            yield "division", left
        case ast.BinOp(left, ast.Pow(), _):
            yield "square", left
        case ast.Subscript(ast.Name("hs" | "cs" as n), ast.BinOp(ast.Name("t"), ast.Add(), _)):
            yield "step", ast.parse(f"{n}[t]", mode="eval").body
        case ast.Subscript(ast.Name("hs" | "cs" as n), ast.Name("t")):
            yield "step", ast.parse(f"{n}[t + 1]", mode="eval").body
        case ast.Subscript(ast.Name("h" | "c" as n), ast.Name("t")):
            yield "step", ast.parse(f"{n}[t - 1]", mode="eval").body
        case ast.Subscript(ast.Name("h" | "c" as n), ast.BinOp(ast.Name("t"), ast.Sub(), _)):
            yield "step", ast.parse(f"{n}[t]", mode="eval").body
        case ast.Name(n) if n in NEIGHBORS:
            for other in NEIGHBORS[n].split():
                yield "name", ast.Name(other, ast.Load())
        case ast.Call(ast.Attribute(inner, "sum"), _, _):
            yield "sum", ast.Subscript(inner, ast.Constant(0), ast.Load())
            yield "mean", ast.parse(f"({ast.unparse(inner)}).mean(0)", mode="eval").body
        case ast.Call(ast.Attribute(ast.Name("np"), "tanh"), [inner], _):
            yield "tanh", inner
        case ast.BinOp(left, ast.MatMult(), ast.Name() as right):
            yield "transposed", ast.BinOp(left, ast.MatMult(), ast.Attribute(right, "T"))
        case ast.BinOp(left, ast.MatMult(), ast.Attribute(ast.Name() as right, "T")):
            yield "transposed", ast.BinOp(left, ast.MatMult(), right)
        case ast.Call(ast.Attribute(ast.Name("np"), "hstack"), [ast.List(parts)], _):
            order = [parts[1], parts[0], *parts[2:]]
            yield "gates", _with(e, "args", [ast.List(order, ast.Load())])
            order = [*parts[:-2], parts[-1], parts[-2]]
            yield "gates", _with(e, "args", [ast.List(order, ast.Load())])
    if isinstance(e, ast.Subscript):
        if not isinstance(e.value, ast.Name) or (e.value.id in NEIGHBORS and not _is_shifted(e)):
            for kind, value in _expressions(e.value):
                yield kind, _with(e, "value", value)
        return
    for field, part in ast.iter_fields(e):
        if isinstance(part, ast.expr) and field != "func":
            for kind, value in _expressions(part):
                yield kind, _with(e, field, value)
        elif field == "func" and isinstance(part, ast.Attribute):
            for kind, value in _expressions(part.value):
                yield kind, _with(e, field, _with(part, "value", value))
        elif isinstance(part, list):
            for i, one in enumerate(part):
                if isinstance(one, ast.expr):
                    for kind, value in _expressions(one):
                        yield kind, _with(e, field, [*part[:i], value, *part[i + 1 :]])


def _is_shifted(e):
    return e.value.id in {"h", "c"}


def _with(node, field, value):
    found = copy.copy(node)
    setattr(found, field, value)
    return found
