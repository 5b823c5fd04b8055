"""Marking: right solutions pass in any style; mistakes are found, and named with the right line."""

from __future__ import annotations

import re

import numpy as np
import pytest

from microgrrepresent import Tensor, mark
from microgrrepresent.programs.printing import as_printed, printed
from tests.microgrrepresent.programs.rates import function, marker, measured
from tests.microgrrepresent.programs.students import (
    CELLS,
    GRU_ARRAYS,
    LSTM_ARRAYS,
    LSTM_CACHES,
    RNN_ARRAYS,
    RNN_CACHES,
    SOLUTIONS,
)


def edited(source, right, wrong):
    assert source.count(right) == 1, source.count(right)
    return function(source.replace(right, wrong))


@pytest.mark.parametrize("name", SOLUTIONS)
def test_a_right_solution_passes_in_any_style(name):
    report = marker(name.partition(",")[0])(function(SOLUTIONS[name]))
    assert report.right and not report.mistakes and report.first_wrong is None
    assert str(report).endswith("All gradients are right: W_ih, W_hh, b_ih, b_hh, V, b_y.")


@pytest.mark.parametrize("cell", CELLS)
def test_so_does_one_in_float32(cell):
    source = {"rnn": RNN_ARRAYS, "gru": GRU_ARRAYS, "lstm": LSTM_ARRAYS}[cell]
    assert marker(cell, np.float32)(function(source)).right
    assert not marker(cell, np.float32)(edited(source, "+ dh_next", "")).right


NAMED = {
    "tanh(c) forgotten": (
        LSTM_ARRAYS,
        "dc = dc_next + dh * o * (1 - tc ** 2)",
        "dc = dc_next + dh * o",
        "dc = dh * o[t] * (1 - np.tanh(c[t]) ** 2) + dc_next",
        "dc = dh * o[t] + dc_next",
    ),
    "no path through h": (
        LSTM_CACHES,
        "dc = dc + dh * o * (1 - np.tanh(c) ** 2)",
        "dc = dc",
        "dc = dh * o[t] * (1 - np.tanh(c[t]) ** 2) + dc_next",
        "dc = dc_next",
    ),
    "dh_next forgotten": (
        LSTM_ARRAYS,
        "dh = dscores[t] @ V + dh_next",
        "dh = dscores[t] @ V",
        "dh = dH[t - 1] + dh_next",
        "dh = dH[t - 1]",
    ),
    "the old c in the output gate": (
        LSTM_CACHES,
        "dao = dh * np.tanh(c) * o * (1 - o)",
        "dao = dh * np.tanh(c_prev) * o * (1 - o)",
        "do = dh * np.tanh(c[t])",
        "do = dh * np.tanh(c[t - 1])",
    ),
    "the new c in the forget gate": (
        LSTM_ARRAYS,
        "df = dc * cs[t]",
        "df = dc * cs[t + 1]",
        "df = dc * c[t - 1]",
        "df = dc * c[t]",
    ),
    "gates swapped": (
        LSTM_ARRAYS,
        "[di * i * (1 - i), df * f * (1 - f), ",
        "[df * f * (1 - f), di * i * (1 - i), ",
        "da = np.concatenate([da_i, da_f, da_g, da_o], axis=-1)",
        "da = np.concatenate([da_f, da_i, da_g, da_o], axis=-1)",
    ),
    "the wrong state": (
        RNN_ARRAYS,
        "dW_hh += draw.T @ hs[t]",
        "dW_hh += draw.T @ hs[t + 1]",
        "dW_hh += da.T @ h[t - 1]",
        "dW_hh += da.T @ h[t]",
    ),
    "overwritten": (
        RNN_CACHES,
        'grads["W_ih"] += da.T @ x',
        'grads["W_ih"] = da.T @ x',
        "dW_ih += da.T @ X[t - 1]",
        "dW_ih = da.T @ X[t - 1]",
    ),
    "no derivative": (
        RNN_CACHES,
        "da = dh * (1 - h ** 2)",
        "da = dh",
        "da = dh * (1 - h[t] ** 2)",
        "da = dh",
    ),
    "forwards": (
        RNN_ARRAYS,
        "for t in reversed(range(T)):",
        "for t in range(T):",
        "for t in range(T, 0, -1):",
        "for t in range(1, T + 1):",
    ),
    "handed on again and again": (
        RNN_ARRAYS,
        "dh_next = draw @ W_hh",
        "dh_next = dh_next + draw @ W_hh",
        "dh_next = da @ W_hh",
        "dh_next += da @ W_hh",
    ),
    "no probabilities": (
        GRU_ARRAYS,
        "dscores = (p - onehot) / (T * B)",
        "dscores = -onehot / (T * B)",
        "dy_ = (softmax(y_) - np.eye(5)[y]) / (T * B)",
        "dy_ = -np.eye(5)[y] / (T * B)",
    ),
    "transposed": (
        RNN_ARRAYS,
        "dh_next = draw @ W_hh",
        "dh_next = draw @ W_hh.T",
        "dh_next = da @ W_hh",
        "dh_next = da @ W_hh.T",
    ),
    "a square that is transposed": (
        RNN_ARRAYS,
        "dW_hh += draw.T @ hs[t]",
        "dW_hh += hs[t].T @ draw",
        "dW_hh += da.T @ h[t - 1]",
        "dW_hh += h[t - 1].T @ da",
    ),
    "not averaged over the batch": (
        GRU_ARRAYS,
        "dscores = (p - onehot) / (T * B)",
        "dscores = (p - onehot) / T",
        "dy_ = (softmax(y_) - np.eye(5)[y]) / (T * B)",
        "dy_ = (softmax(y_) - np.eye(5)[y]) / T",
    ),
    "averaged twice": (
        RNN_ARRAYS,
        "dscores = dscores / (T * B)",
        "dscores = dscores / (T * B) / B",
        "dy_ = (softmax(y_) - np.eye(5)[y]) / (T * B)",
        "dy_ = (softmax(y_) - np.eye(5)[y]) / (T * B) / B",
    ),
    "a bias of one sequence": (
        RNN_ARRAYS,
        "db += draw.sum(0)",
        "db += draw[0]",
        "db_1 += da.sum(axis=0)",
        "db_1 += da[0]",
    ),
    "a bias that is one number": (
        RNN_ARRAYS,
        "db += draw.sum(0)",
        "db += draw.sum()",
        "db_1 += da.sum(axis=0)",
        "db_1 += da.sum()",
    ),
    "the first input alone": (
        RNN_ARRAYS,
        "dW_ih += draw.T @ X[t]",
        "dW_ih += draw.T @ X[0]",
        "dW_ih += da.T @ X[t - 1]",
        "dW_ih += da.T @ X[0]",
    ),
    "the loss of the last step alone": (
        RNN_ARRAYS,
        "dh = dscores[t] @ V + dh_next",
        "dh = (dscores[t] @ V if t == T - 1 else 0) + dh_next",
        "dh = dH[t - 1] + dh_next",
        "dh = dH[t - 1] * (t == T) + dh_next",
    ),
    "the sign of all": (
        RNN_ARRAYS,
        "dscores = dscores / (T * B)",
        "dscores = -dscores / (T * B)",
        "dy_ = (softmax(y_) - np.eye(5)[y]) / (T * B)",
        "dy_ = -((softmax(y_) - np.eye(5)[y]) / (T * B))",
    ),
    "another gate's derivative": (
        GRU_ARRAYS,
        "dar = dr * rs[t] * (1 - rs[t])",
        "dar = dr * zs[t] * (1 - zs[t])",
        "da_r = dr * r[t] * (1 - r[t])",
        "da_r = dr * z[t] * (1 - z[t])",
    ),
    "the direct path of a GRU": (
        GRU_ARRAYS,
        "dhh @ W_hh + dh * zs[t]",
        "dhh @ W_hh",
        "dh_next = du_2 @ W_hh + dh * z[t]",
        "dh_next = du_2 @ W_hh",
    ),
    "the reset gate": (
        GRU_ARRAYS,
        "dhh = np.hstack([dar, daz, dan * rs[t]])",
        "dhh = np.hstack([dar, daz, dan])",
        "du_2 = np.concatenate([da_r, da_z, da_n * r[t]], axis=-1)",
        "du_2 = np.concatenate([da_r, da_z, da_n], axis=-1)",
    ),
    "1 - z for z": (
        GRU_ARRAYS,
        "dn = dh * (1 - zs[t])",
        "dn = dh * zs[t]",
        "dn = dh * (1 - z[t])",
        "dn = dh * z[t]",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMED)
def test_a_mistake_is_named_with_the_line_as_it_should_be(name):
    source, right, wrong, should_be, is_as_if = NAMED[name]
    cell = next(n.partition(",")[0] for n, s in SOLUTIONS.items() if s is source)
    report = marker(cell)(edited(source, right, wrong))
    assert not report.right and report.first_wrong is not None
    assert (should_be, is_as_if) in {(m.right, m.wrong) for m in report.mistakes}
    assert should_be in marker(cell).step.source()


def test_all_sums_overwritten_are_one_mistake():
    source = RNN_ARRAYS
    for name in ("db", "dW_ih", "dW_hh"):
        source = re.sub(rf"\b{name} \+= draw", f"{name} = draw", source)
    report = marker("rnn")(function(source))
    assert report.why == "each step overwrites all sums, with = instead of +="
    assert report.reproduced and report.ways[0][0].wrong.count("\n") == 2


def test_a_difference_the_other_way_round_is_named_before_what_comes_to_the_same():
    report = marker("gru")(edited(GRU_ARRAYS, "(hs[t] - ns[t])", "(ns[t] - hs[t])"))
    assert report.ways[0][0].right.startswith("dz = ")


def test_a_line_is_named_once():
    report = marker("lstm")(edited(LSTM_ARRAYS, "do = dh * tc", "do = dh"))
    lines = [(m.right, m.wrong) for way in report.ways for m in way]
    assert len(lines) == len(set(lines))


def test_a_loss_without_its_half_is_no_wrong_forward_pass():
    source = RNN_ARRAYS.replace("return loss,", "return 2 * loss,")
    report = marker("rnn")(function(source))
    assert "2 times the right one" in report.loss and not report.forward_wrong
    assert not report.wrong and not report.right


@pytest.mark.parametrize("form", ["grad_{}", "{}_grad", "dL_d{}"])
def test_names_that_gradients_are_given(form):
    names = ("V", "b_y", "W_ih", "W_hh")
    source = RNN_ARRAYS
    for name in names:
        source = source.replace(f'"d{name}": d{name}', f'"{form.format(name)}": d{name}')
    assert form.format("W_hh") in source and marker("rnn")(function(source)).right


def test_a_small_difference_is_not_called_none():
    source = RNN_ARRAYS.replace('"dV": dV,', '"dV": dV + 1e-5 * np.abs(dV).max() * (dV > 0),')
    assert "0.0%" not in str(marker("rnn")(function(source)))


WAYS = {
    "a term from t + 1": ("which comes from step t \\+ 1, is left out", CELLS),
    "a factor": (r"the factor 1 - \w\[t\] \*\* 2 is left out", CELLS),
    "h[t] for h[t - 1]": (r"^h\[t\] instead of h\[t - 1\]$", CELLS),
    "the old c": (r"^c\[t - 1\] instead of c\[t\] \(the old one", ["lstm"]),
    "no h_0": ("0 instead of h_0", CELLS),
    "overwritten": ("each step overwrites the sum", CELLS),
    "transposed": ("is transposed$", CELLS),
    "gates": ("are swapped$", ["gru", "lstm"]),
    "a mean": ("a mean over the batch is taken, not the sum", CELLS),
    "not averaged": ("the division by T \\* B is left out", CELLS),
    "off by 1/B": ("own gradient: it is divided by B once too often", CELLS),
    "off by 1/T": ("own gradient: it is divided by T once too often", CELLS),
    "forwards": ("the loop runs forwards in time", CELLS),
    "a bias not summed": ("the first sequence alone is taken", CELLS),
    "a sign": ("the sign of the term", CELLS),
}


@pytest.mark.parametrize("name", WAYS)
def test_the_ways_in_which_people_break_a_loop_are_tried(name):
    says, cells = WAYS[name]
    for cell in cells:
        tried, _ = marker(cell).trials.tried
        assert any(re.search(says, mistake.says) for mistake in tried), cell


def test_a_loop_may_leave_out_either_end():
    tried, _ = marker("rnn").trials.tried
    headers = {mistake.says: mistake.wrong for mistake in tried}
    assert headers["the first turn of the loop is left out"] == "for t in range(T - 1, 0, -1):"
    assert headers["the last turn of the loop is left out"] == "for t in range(T, 1, -1):"


def test_mistakes_of_others_making_are_found_and_named():
    rates = measured(every=13)
    counts = rates.counts
    assert counts["broken"] > 60 and counts["equal"] > 10 and not counts["false alarms"]
    assert counts["found"] == counts["first"] == counts["all"] == counts["broken"], rates
    assert counts["line"] >= 0.95 * counts["broken"], rates


@pytest.mark.slow
def test_all_mistakes_of_others_making_are_found_and_named():
    rates = measured()
    counts = rates.counts
    assert counts["broken"] > 800 and counts["equal"] > 150 and not counts["false alarms"]
    assert counts["found"] == counts["first"] == counts["all"] == counts["broken"], rates
    assert counts["shown"] >= 0.98 * counts["broken"], rates


def test_two_mistakes_at_once_are_named():
    source = RNN_ARRAYS.replace("dW_hh += draw.T @ hs[t]", "dW_hh += draw.T @ hs[t + 1]")
    report = marker("rnn")(edited(source, "db += draw.sum(0)", "db += draw[0]"))
    (pair,) = {frozenset(m.wrong for m in way) for way in report.found.ways}
    assert pair == {"dW_hh += da.T @ h[t]", "db_1 += da[0]"}
    assert "these two" in str(report)


def test_what_fits_nothing_is_said_so():
    report = marker("rnn")(edited(RNN_ARRAYS, "db += draw.sum(0)", "db += draw.sum(0) ** 3"))
    assert not report.mistakes and "Why: unknown; none of " in str(report)
    assert "Return adjoints, too, by step" in str(report)
    assert report.first_wrong == "b_ih" and list(report.wrong) == ["b_ih", "b_hh"]


def test_the_gate_is_named_in_whose_rows_it_is():
    wrong = "dW_ih[H:2 * H] = daf.T @ x"
    report = marker("lstm")(edited(LSTM_CACHES, "dW_ih[H:2 * H] += daf.T @ x", wrong))
    assert report.wrong == {"W_ih": "is wrong in the rows of the gate f, and right in the others"}
    assert {m.wrong for m in report.mistakes} == {"dW_ih = da.T @ X[t - 1]"}
    assert "elsewhere you have it right" in str(report)


# --- how gradients are given ----------------------------------------------------------------------


def given(change):
    """The right gradients of the RNN, changed, as a student's function."""
    arrays = marker("rnn").trials.arrays
    names = {"V": "W", "b_y": "b_2"}  # as the program has them
    asked = ["X", "y", "h_0", "W_ih", "W_hh", "b_ih", "b_hh", "V", "b_y"]
    loss, right = function(RNN_ARRAYS)(*(arrays[names.get(n, n)] for n in asked))
    gradients = {k.removeprefix("d"): v for k, v in right.items()}
    gradients |= {"b_ih": gradients["b"], "b_hh": gradients.pop("b")}
    return lambda **arrays: (loss, change(gradients))


def test_all_weights_transposed_are_a_layout_and_one_is_a_mistake():
    every = given(lambda g: {k: v.T for k, v in g.items()})
    report = marker("rnn")(every)
    assert report.right and "All matrices are transposed" in str(report)
    report = marker("rnn")(given(lambda g: g | {"V": g["V"].T}))
    assert report.wrong == {"V": "is transposed: (4, 5), where V is (5, 4)"}


def test_how_far_a_gradient_is_from_the_right_one_is_said():
    for change, said in (
        (lambda v: 3 * v, "is 3 times the right one"),
        (lambda v: -0.5 * v, "is -0.5 times the right one"),
        (lambda v: 0 * v, "is 0"),
    ):
        assert marker("rnn")(given(lambda g, c=change: g | {"V": c(g["V"])})).wrong == {"V": said}


def test_of_mistakes_that_explain_what_is_wrong_those_that_spoil_least_are_named():
    report = marker("rnn")(given(lambda g: g | {"W_hh": 0 * g["W_hh"]}))
    (line,) = report.mistakes  # others, such as dh = 0, make dW_hh 0 and the rest wrong
    assert line.right == "dW_hh += da.T @ h[t - 1]" and line.wrong == ""
    assert report.reproduced


def test_a_bias_that_is_not_summed_is_said_to_be():
    report = marker("rnn")(given(lambda g: g | {"b_y": np.tile(g["b_y"] / 3, (3, 1))}))
    assert report.wrong == {"b_y": "is not summed over the batch: (3, 5), not (5,)"}


def test_what_is_missing_or_no_number_is_said_to_be():
    report = marker("rnn")(given(lambda g: {"V": g["V"], "W_hh": g["W_hh"] * np.nan}))
    assert report.missing == ("W_ih", "b_ih", "b_hh", "b_y") and report.correct == ("V",)
    assert report.wrong == {"W_hh": "has 16 numbers that are NaN or ∞"} and not report.right
    assert marker("rnn")(given(lambda g: g | {"V": "dV"})).wrong["V"].startswith("is no array")


def test_the_loss_is_checked_first():
    wrong = "return loss * (T * B), {"
    report = marker("rnn")(edited(RNN_ARRAYS, "return loss, {", wrong))
    assert not report.right and "T * B times too large, as if summed" in str(report)
    report = marker("rnn")(edited(RNN_ARRAYS, "return loss, {", "return loss + 1, {"))
    assert "the forward pass is wrong" in str(report).splitlines()[0]
    for name in "TB":
        report = marker("rnn")(edited(RNN_ARRAYS, "return loss, {", f"return loss / {name}, {{"))
        assert f"it is divided by {name} once too often" in report.loss
    report = marker("rnn")(edited(RNN_ARRAYS, "return loss, {", "return loss - 1, {"))
    assert not report.right and "the forward pass is wrong" in report.loss


def test_gradients_of_a_wrong_forward_pass_are_not_compared():
    report = marker("rnn")(edited(RNN_ARRAYS, "hs[0] = h_0", "pass"))
    first, second = str(report).splitlines()
    assert first.endswith("it is the loss for h_0 = 0, so h_0 is not read.")
    assert second == "The gradients cannot be compared before the loss is right."
    report = marker("rnn")(edited(RNN_ARRAYS, "+ b_hh)", ")"))
    assert "the forward pass is wrong" in report.loss and report.forward_wrong


def test_a_name_that_is_nearly_right_is_asked_about():
    report = marker("rnn")(edited(RNN_ARRAYS, '"dW_hh": dW_hh', '"Whh": dW_hh'))
    assert "Not asked for, and not looked at: Whh (is it W_hh?)." in str(report)
    assert report.missing == ("W_hh",)
    report = marker("rnn")(edited(RNN_ARRAYS, '{"dV": dV', '{"dV": 0'))
    assert report.wrong["V"] == "is the number 0, and should have the shape (5, 4)"


def test_a_function_that_raises_gets_the_line():
    report = marker("rnn")(edited(RNN_ARRAYS, "dh_next = draw @ W_hh", "dh_next = draw @ W_hh.Q"))
    assert not report.right and "AttributeError" in str(report) and "in line" in str(report)
    assert "it asks for Z, which is none of X, y" in str(marker("rnn")(lambda Z: None))
    assert "must return the loss and a dict" in str(marker("rnn")(lambda X: 1.0))


def test_a_student_cannot_change_what_is_marked():
    def student(X, y, h_0, W_ih, W_hh, b_ih, b_hh, V, b_y):
        result = function(RNN_ARRAYS)(X, y, h_0, W_ih, W_hh, b_ih, b_hh, V, b_y)
        for array in (X, h_0, W_ih, W_hh, V):
            array[...] = 0
        return result

    assert marker("rnn")(student).right and marker("rnn")(student).right


def test_mark_takes_the_function_that_records_the_loss():
    w = Tensor([[0.5]], requires_grad=True, name="w")

    def f(x):
        return (x @ w).sum()

    x = np.ones((3, 1))
    report = mark(lambda x, w: ((x @ w).sum(), x.sum(0)[:, None]), f, w, x=x)
    assert "must return" in report.error
    report = mark(lambda x, w: ((x @ w).sum(), {"w": x.sum(0)[:, None]}), f, w, x=x)
    assert report.right and repr(report) == "<Report: right>"


def test_lines_as_printed_are_printed_the_same():
    code = marker("lstm").step.code
    assert printed(as_printed(code)) == printed(code)
