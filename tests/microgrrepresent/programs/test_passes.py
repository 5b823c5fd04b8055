"""The passes one by one, on lines written as text."""

from __future__ import annotations

import ast
from itertools import count

import numpy as np

from microgrrepresent.programs.activations import as_parts, merged
from microgrrepresent.programs.blocks import in_blocks
from microgrrepresent.programs.expressions import key, name, parsed, text
from microgrrepresent.programs.factors import factored_sum
from microgrrepresent.programs.inlining import Inlining
from microgrrepresent.programs.joined import in_their_places
from microgrrepresent.programs.lines import Line, Loop
from microgrrepresent.programs.passes import (
    Split,
    grouped,
    inlined,
    is_bulk,
    over_all_steps,
    split,
    sum_of,
)
from microgrrepresent.programs.reuse import in_place_of, reusing
from microgrrepresent.programs.shared_calls import with_shared_calls
from microgrrepresent.programs.slopes import in_their_adjoints

TIMED = {"a", "b", "c", "h", "dh", "da", "k"}


def line(source):
    statement = ast.parse(source).body[0]
    if isinstance(statement, ast.AugAssign):
        target, add = statement.target, True
    else:
        target, add = statement.targets[0], False
    return Line(parsed(ast.unparse(target)), statement.value, add)


def loop(*lines, down=False):
    first, last = (name("T"), parsed("1")) if down else (parsed("1"), name("T"))
    return Loop(first, last, down, [line(x) for x in lines])


def shown(lines):
    return [str(x) for x in lines]


def test_a_value_that_is_read_once_is_written_where_it_is_read():
    (found,) = inlined([loop("a[t] = X[t - 1] @ W", "h[t] = np.tanh(a[t])")], TIMED, {"h"})
    assert shown(found.lines) == ["h[t] = np.tanh(X[t - 1] @ W)"]
    twice = loop("a[t] = X[t - 1] @ W", "h[t] = a[t] * a[t]")
    assert shown(inlined([twice], TIMED, {"h"})[0].lines) == shown(twice.lines)
    other_step = loop("a[t] = X[t - 1] @ W", "h[t] = a[t - 1]")
    assert shown(inlined([other_step], TIMED, {"h"})[0].lines) == shown(other_step.lines)
    summed = loop("da[t] = dh[t] * k[t]", "dW += da[t].T @ h[t - 1]")
    assert shown(inlined([summed], TIMED, set())[0].lines) == shown(summed.lines)


def test_what_is_known_stands_together():
    def is_known(e):
        return not any(isinstance(n, ast.Name) and n.id == "dc" for n in ast.walk(e))

    assert text(grouped(parsed("dc * g * (1 - i)"), is_known)) == "dc * (g * (1 - i))"
    assert text(grouped(parsed("g * dc * i"), is_known)) == "dc * (g * i)"
    assert text(grouped(parsed("x + dc - b"), is_known)) == "x - b + dc"
    assert text(grouped(parsed("np.tanh(x + dc + b)"), is_known)) == "np.tanh(x + b + dc)"


def test_what_does_not_depend_on_the_loop_leaves_it():
    numbers = count(1)
    timed = set(TIMED)
    lines = ["h[t] = np.tanh(X[t - 1] @ W + b0 + h[t - 1] @ U)", "c[t] = h[t] @ V"]
    made = split(loop(*lines), timed, lambda: f"k_{next(numbers)}")
    assert shown(made.before) == ["k_1[t] = X[t - 1] @ W + b0"]
    assert shown(made.loop.lines) == ["h[t] = np.tanh(k_1[t] + h[t - 1] @ U)"]
    assert shown(made.after) == ["c[t] = h[t] @ V"]


def test_sums_over_steps_leave_the_loop_and_what_they_need_stays():
    numbers = count(1)
    lines = [
        "dh[t] = dY[t - 1] + dh_next",
        "da[t] = dh[t] * (1 - h[t] ** 2)",
        "dW += da[t].T @ h[t - 1]",
        "L += np.sum(np.sort(da[t]))",
        "dh_next = da[t] @ U",
    ]
    made = split(loop(*lines, down=True), set(TIMED), lambda: f"k_{next(numbers)}")
    assert shown(made.before) == ["k_1[t] = 1 - h[t] ** 2"]
    assert shown(made.after) == ["dW += da[t].T @ h[t - 1]"]
    assert "L += np.sum(np.sort(da[t]))" in shown(made.loop.lines)  # reads da at its own turn


def test_which_expressions_are_the_same_for_all_steps_at_once():
    joined = "np.concatenate([a[t], b[t]], axis={})"  # an axis of time in front moves all but -1
    for good in (
        *("np.tanh(a[t]) * b0", "a[t] @ W.T", "a[t][:, 0:4]", "np.where(a[t] > 0, b[t], 0)"),
        joined.format(-1),
    ):
        assert is_bulk(parsed(good), TIMED), good
    for bad in (
        *("np.sum(a[t])", "a[t] @ b[t]", "a[t].T", "a[t][0]", "np.sort(a[t])", "t"),
        *(joined.format(0), joined.format(1)),
    ):
        assert not is_bulk(parsed(bad), TIMED), bad


def test_sums_are_known_by_their_form():
    assert sum_of(line("dW += da[t].T @ h[t - 1]"), TIMED)[0] == "product"
    assert sum_of(line("db += da[t].sum(axis=0)"), TIMED)[0] == "rows"
    assert sum_of(line("dW += da[t].T @ np.tanh(h[t])"), TIMED) is None


def test_all_steps_at_once_have_an_axis_of_time_in_front():
    def rows(variable, first, last):
        return parsed(f"{variable}[{text(first)}:{text(last)} + 1]")

    found = over_all_steps(parsed("a[t - 1][:, 0:4] + b0"), parsed("1"), name("T"), rows)
    assert key(found) == key(parsed("a[0:T - 1 + 1][:, :, 0:4] + b0"))


def test_gates_that_stand_side_by_side_are_one_call():
    numbers = count(1)
    timed = {*TIMED, "i", "f", "g"}
    lines = [
        "a[t] = X[t - 1] @ W + h[t - 1] @ U",
        "i[t] = 1 / (1 + np.exp(-a[t][:, 0:4]))",
        "f[t] = 1 / (1 + np.exp(-a[t][:, 4:8]))",
        "g[t] = np.tanh(a[t][:, 8:12])",
        "c[t] = f[t] * c[t - 1] + i[t] * g[t]",
    ]
    made, parts, constants = merged(loop(*lines), timed, lambda stem: f"{stem}_{next(numbers)}")
    assert shown(made.lines)[1] == (
        "gates_1[t] = np.tanh(a[t][:, 0:12] * scale_2) * scale_2 + shift_3"
    )
    assert [(p.variable, p.start, p.stop) for p in parts] == [
        ("i", 0, 4),
        ("f", 4, 8),
        ("g", 8, 12),
    ]
    assert [c.values for c in constants] == [
        ((0.5, 4), (0.5, 4), (1.0, 4)),
        ((0.5, 4), (0.5, 4), (0.0, 4)),
    ]
    read = as_parts(made.lines[-1], {p.variable: p for p in parts})
    assert str(read) == (
        "c[t] = gates_1[t][:, 4:8] * c[t - 1] + gates_1[t][:, 0:4] * gates_1[t][:, 8:12]"
    )


def test_gates_with_a_gap_or_of_other_arrays_stay_apart():
    timed = {*TIMED, "i", "f"}
    for second in ("np.tanh(a[t][:, 5:8])", "np.tanh(b[t][:, 4:8])", "np.tanh(a[t - 1][:, 4:8])"):
        lines = loop("i[t] = np.tanh(a[t][:, 0:4])", f"f[t] = {second}")
        made, parts, _ = merged(lines, set(timed), lambda stem: stem)
        assert shown(made.lines) == shown(lines.lines) and not parts


def test_a_function_of_a_variable_is_called_once():
    forward = loop("c[t] = X[t - 1] * c[t - 1]", "h[t] = b[t] * np.tanh(c[t])")
    backward = loop("da[t] = dh[t] * (1 - np.tanh(c[t]) ** 2)", down=True)
    found = with_shared_calls([forward, backward], set(TIMED), lambda stem: "kept")
    assert shown(found[0].lines)[1:] == ["kept[t] = np.tanh(c[t])", "h[t] = b[t] * kept[t]"]
    assert shown(found[1].lines) == ["da[t] = dh[t] * (1 - kept[t] ** 2)"]
    once = with_shared_calls([forward], set(TIMED), lambda stem: "kept")
    assert shown(once[0].lines) == shown(forward.lines)


def test_what_two_terms_share_is_factored_out():
    for given, expected in (
        ("u * a - u * b", "u * (a - b)"),
        ("a * u * v + u * b * v", "u * v * (a + b)"),
        ("z * a + (1 - z) * b", "b + z * (a - b)"),
        ("(1 - z) * b + z * a * c", "b + z * (a * c - b)"),
        ("(u * a - u * b) * k", "u * (a - b) * k"),
        ("z * a + (1 - z) * (b @ c)", "z * a + (1 - z) * (b @ c)"),  # b @ c twice costs more
        ("z * a + (1 - w) * b", "z * a + (1 - w) * b"),
        ("u * a - u", "u * a - u"),
        ("z * a - (1 - z) * b", "z * a - (1 - z) * b"),
    ):
        assert text(factored_sum(parsed(given))) == expected


def test_parts_are_written_where_they_are_joined():
    lines = [
        "a[t] = dh[t] * k[t]",
        "b[t] = a[t] * h[t]",
        "c[t] = np.concatenate([a[t], b[t], dh[t] * h[t]], axis=-1)",
        "dh_next = c[t] @ W",
    ]
    timed = {*TIMED}
    made, parts = in_their_places(loop(*lines, down=True), timed, {"b"}, lambda e: ("B", 4))
    assert [(p.variable, p.whole, p.start, p.stop) for p in parts] == [("a", "c", 0, 4)]
    by_name = {p.variable: p for p in parts}
    assert shown(as_parts(x, by_name) for x in made.lines) == [
        "c[t][:, 0:4] = dh[t] * k[t]",
        "b[t] = c[t][:, 0:4] * h[t]",
        "c[t][:, 4:8] = b[t]",  # b is asked for by its name
        "c[t][:, 8:12] = dh[t] * h[t]",
        "dh_next = c[t] @ W",
    ]
    summed_only = loop(*lines[:3], "dW += c[t].T @ X[t - 1]", down=True)
    assert in_their_places(summed_only, timed, set(), lambda e: ("B", 4))[1] == []


def spread(x):
    """The distance of each from the largest."""
    top = np.max(x, -1)
    y = top - x
    return y


def squares(x, power=2):
    y = spread(x) ** power
    return y


def branching(x):
    if x.ndim:
        return x
    return -x


def test_functions_are_written_out_and_what_they_share_is_computed_once():
    numbers = count(1)
    inlining = Inlining(
        (spread, squares, branching), lambda stem: f"{stem}_{next(numbers)}", lambda a: None
    )
    first = inlining.lines([line("L = np.sum(squares(s) + branching(s))")])
    assert shown(first) == [
        "top_1 = np.max(s, -1)",
        "y_2 = top_1 - s",
        "y_3 = y_2 ** 2",
        "v_4 = branching(s)",
        "v_5 = y_3 + v_4",
        "L = np.sum(v_5)",
    ]
    assert shown(inlining.lines([line("ds = spread(s) * 3")])) == ["ds = y_2 * 3"]
    inside = loop("a[t] = spread(h[t])")
    assert shown(inlining.lines([inside])[0].lines) == shown(inside.lines)


def test_a_value_goes_where_the_last_it_reads_has_been():
    def own(n):
        return (3, 4) if n in "abcde" else None

    lines = ["b = a - x", "c = np.exp(b)", "d = c / 2", "e = b + d", "f = e.sum()"]
    assert shown(reusing([line(x) for x in lines], own)) == [
        "a = a - x",
        "c = np.exp(a)",  # a is read again
        "c = c / 2",
        "a = a + c",
        "f = a.sum()",
    ]
    seen = ["b = a - x", "v = b[0:2]", "c = b * 2", "d = v + c[0:2]"]
    assert shown(reusing([line(x) for x in seen], own))[2] == "c = a * 2"  # v still reads it


def test_a_value_at_a_step_goes_where_one_that_is_read_no_more_has_stood():
    before = [line("a[t] = X[t - 1] @ W")]

    def replaced(*lines, after=()):
        made = Split(before, loop(*lines), [line(x) for x in after])
        return in_place_of([made], [made], TIMED)

    assert replaced("b[t] = a[t] + h[t - 1]", "c[t] = np.tanh(b[t])") == {"c": "a"}
    assert replaced("b[t] = a[t - 1] + h[t - 1]", "c[t] = np.tanh(b[t])") == {}
    assert replaced("b[t] = a[t]", "c[t] = np.tanh(b[t])", after=["k[t] = a[t]"]) == {}
    assert replaced("b[t] = a[t]", "c[t] = np.tanh(b[t])", "k[t] = a[t] * c[t]") == {}
    assert replaced("c[t] = np.tanh(a[t])") == {}  # a would be written to while it is read


def test_a_local_derivative_stands_where_its_adjoint_will():
    def passed(*lines, before=("k[t] = 1 - c[t] * c[t]",), after=(), shape=(3, 4)):
        made = Split([line(x) for x in before], loop(*lines, down=True), [line(x) for x in after])
        found = in_their_adjoints(made, TIMED, lambda e: shape)
        return shown(found.before), shown(found.loop.lines)

    dh, product = "dh[t] = g + dh_next", "da[t] = dh[t] * k[t]"
    assert passed(dh, product) == (["da[t] = 1 - c[t] * c[t]"], [dh, "da[t] = dh[t] * da[t]"])
    parts = "da[t] = np.concatenate([dh[t] * k[t], dh[t] * b[t]], axis=-1)"
    assert passed(dh, parts, before=["k[t] = 1 - c[t]", "b[t] = np.exp(c[t])"]) == (
        ["da[t][:, 0:4] = 1 - c[t]", "da[t][:, 4:8] = np.exp(c[t])"],
        [dh, "da[t] = np.concatenate([dh[t] * da[t][:, 0:4], dh[t] * da[t][:, 4:8]], axis=-1)"],
    )

    def stays(*lines, **more):
        return passed(*lines, **more)[1] == list(lines)

    assert stays(dh, "da[t] = (dh[t] + dh_next) * k[t]")  # the sum would be written over k
    assert stays(dh, product, "b[t] = k[t] + 1")  # k is read again
    assert stays(dh, "b[t] = da[t + 1]", product)  # and so is the adjoint of another step
    assert stays(dh, product, before=["k[t] = 1 - c[t]", "b[t] = da[t]"])
    assert stays(dh, product, "da[t] = da[t] * 2")
    shapes = {"da": (3, 4), "dh": (3, 4), "k": (4,)}
    made = Split([line("k[t] = b0 * b0")], loop(product))
    shape = lambda e: shapes.get(e.value.id, (3, 4)) if isinstance(e, ast.Subscript) else (3, 4)  # noqa: E731
    assert shown(in_their_adjoints(made, TIMED, shape).before) == ["k[t] = b0 * b0"]


def test_lines_for_all_steps_run_block_by_block():
    numbers = count(1)

    def blocks(*lines, **stands_in):
        return in_blocks(lines, "B * 4", stands_in, "hkacm", lambda stem: f"{stem}_{next(numbers)}")

    inside = ["multiply(h[1:T + 1], h[1:T + 1], k[0:T])", "subtract(1, k[0:T], k[0:T])"]
    prepared, body = blocks("dot(x, W_T, a)", *inside, "k[0:T][...] = 1")
    assert prepared == [
        "size_1 = max(1, 16384 // (B * 4))",
        "blocks_2 = [(h[1:T + 1][begin_:begin_ + size_1], k[0:T][begin_:begin_ + size_1], ) "
        "for begin_ in range(0, len(h[1:T + 1]), size_1)]",
    ]
    assert body == [
        "dot(x, W_T, a)",
        "for (h_block, k_block,) in blocks_2:\n    multiply(h_block, h_block, k_block)\n"
        "    subtract(1, k_block, k_block)",
        "k[0:T][...] = 1",
    ]
    assert blocks(inside[0]) == ([], inside[:1])
    ahead = ["multiply(a[0:T], b, k[0:T])", "add(k[1:T + 1], b, c[0:T])"]  # k of the next block
    assert blocks(*ahead) == ([], ahead)
    other = ["multiply(a[0:T], b, k[0:T])", "add(m[1:T + 1], b, c[0:T])"]
    assert len(blocks(*other)[1]) == 1 and blocks(*other, m="k") == ([], other)
    given = ["add(X[0:T], b, k[0:T])", "add(k[0:T], c, k[0:T])"]  # X is another at each call
    assert blocks(*given) == ([], given)
