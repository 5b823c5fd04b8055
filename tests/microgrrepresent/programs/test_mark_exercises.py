"""What students of short exercises write, and what they are told."""

from __future__ import annotations

import pytest

from tests.microgrrepresent.programs.exercises import EXERCISES, exercise
from tests.microgrrepresent.programs.rates import function, marker
from tests.microgrrepresent.programs.students import LSTM_ARRAYS


def written(name, *edits):
    """A solution of an exercise with some of its text exchanged."""
    source = EXERCISES[name][0]
    for right, wrong in edits:
        assert source.count(right) == 1, (source.count(right), right)
        source = source.replace(right, wrong)
    return source


def report_on(name, *edits):
    return exercise(name)(function(written(name, *edits)))


@pytest.mark.parametrize("name", EXERCISES)
def test_a_right_solution_passes(name):
    assert report_on(name).right


BACK = {
    "chain": "        dw += np.sum(dh * h[t - 1])\n        dh = dh * w\n",
    "last": "        dW += dz.T @ X[t - 1]\n        dU += dz.T @ h[t - 1]\n",
    "every": "        dW += da.T @ X[t - 1]\n        dU += da.T @ h[t - 1]\n",
}


@pytest.mark.parametrize("name", BACK)
def test_where_nothing_is_written_no_cause_is_named(name):
    report = report_on(name, (BACK[name], "        pass\n"))
    assert report.untouched and not report.right and not report.mistakes
    first, *rest = str(report).splitlines()
    assert first == "The loss is right." and rest == [
        "Every gradient is 0, as before the first line of the way back.",
        "If there are lines: many mistakes give 0, so that none is named.",
    ]


def test_where_one_gradient_of_two_is_0_its_cause_is_named():
    report = report_on("last", ("        dU += dz.T @ h[t - 1]\n", ""))
    assert not report.untouched and "the line is left out" in {m.says for m in report.mistakes}


def test_adjoints_that_are_not_0_are_something_written():
    with_adjoints = ('{"w": dw}', '{"w": 0 * dw, "dh": {5: h[-1]}}')
    report = report_on("chain", with_adjoints)
    assert not report.untouched and "Right at every step: dh." in str(report)


def test_steps_are_not_asked_for_where_there_are_none():
    unknown = report_on("neuron", ('"b": du', '"b": du ** 3'))
    assert "Why: unknown" in str(unknown) and "by step" not in str(unknown)
    unknown = report_on("last", ('"U": dU', '"U": dU ** 3'))
    assert "Why: unknown" in str(unknown) and "by step" in str(unknown)


EARLY = (
    "dw += (dh * h[t - 1]).sum(axis=0)\ndh_next = dh * w",
    "dh = dh * w\ndw += (dh * h[t - 1]).sum(axis=0)\ndh_next = dh",
)
DOWN = "for t in range(T, 0, -1):"

SLIPS = {
    "scaled before it is used": (
        "chain",
        [(BACK["chain"], "        dh = dh * w\n        dw += np.sum(dh * h[t - 1])\n")],
        EARLY,
    ),
    "scaled for one line": (
        "gate",
        [("dn = dh * (1 - z[t])", "dn = dh * z[t] * (1 - z[t])")],
        (
            "da = dh * (1 - z[t]) * (1 - np.tanh(a[t]) ** 2)",
            "da = dh * z[t] * (1 - z[t]) * (1 - np.tanh(a[t]) ** 2)",
        ),
    ),
    "the input for the state": (
        "chain",
        [("dh * h[t - 1]", "dh * X[t - 1]")],
        ("dw += (dh * h[t - 1]).sum(axis=0)", "dw += (dh * X[t - 1]).sum(axis=0)"),
    ),
    "the weight for the state": (
        "chain",
        [("dh * h[t - 1]", "dh * w")],
        ("dw += (dh * h[t - 1]).sum(axis=0)", "dw += (dh * w).sum(axis=0)"),
    ),
    "the state for the weight": (
        "chain",
        [("dh = dh * w", "dh = dh * h[t]")],
        ("dh_next = dh * w", "dh_next = dh * h[t]"),
    ),
    "one step too far": (
        "chain",
        [("range(len(X), 0, -1)", "range(len(X), -1, -1)")],
        (DOWN, "for t in range(T, -1, -1):"),
    ),
    "one step too far, with a loss at each": (
        "every",
        [("range(len(X), 0, -1)", "range(len(X), -1, -1)")],
        (DOWN, "for t in range(T, -1, -1):"),
    ),
    "counted from 0": (
        "last",
        [("range(len(X), 0, -1)", "range(len(X) - 1, -1, -1)")],
        (DOWN, "for t in range(T - 1, -1, -1):"),
    ),
    "counted from 0, and forwards": (
        "last",
        [("range(len(X), 0, -1)", "range(len(X))")],
        (DOWN, "for t in range(0, T):"),
    ),
    "counted twice at T": (
        "every",
        [("dh_next = 0", "dh_next = 2 * h[-1]")],
        ("dh_next = np.zeros_like(h[T])", "dh_next = dH[T - 1]"),
    ),
    "counted twice at each step": (
        "every",
        [("dh_next = da @ U", "dh_next = da @ U + 2 * h[t]")],
        ("dh_next = da @ U", "dh_next = da @ U + dH[t - 1]"),
    ),
    "a loss of the last step, at each": (
        "last",
        [("dh = dz @ U", "dh = dz @ U + 2 * h[t - 1]")],
        ("dh_next = da @ U", "dh_next = da @ U + (h[t - 1] + h[t - 1])"),
    ),
    "the loss's last state": (
        "every",
        [("+ 2 * h[t])", "+ 2 * h[-1])")],
        ("dh = dH[t - 1] + dh_next", "dh = dH[T - 1] + dh_next"),
    ),
    "the last input": (
        "last",
        [("dz.T @ X[t - 1]", "dz.T @ X[-1]")],
        ("dW += da.T @ X[t - 1]", "dW += da.T @ X[T - 1]"),
    ),
    "brackets around what comes first": (
        "every",
        [("(dh_next + 2 * h[t]) *", "dh_next + 2 * h[t] *")],
        (
            "da = (dH[t - 1] + dh_next) * (1 - h[t] ** 2)",
            "da = dh_next + dH[t - 1] * (1 - h[t] ** 2)",
        ),
    ),
    "brackets around a difference": (
        "gate",
        [("(h[t - 1] - n[t])", "h[t - 1] - n[t]")],
        (
            "da_z = dh * (h[t - 1] - np.tanh(a[t])) * z[t] * (1 - z[t])",
            "da_z = dh * h[t - 1] - np.tanh(a[t]) * z[t] * (1 - z[t])",
        ),
    ),
    "brackets of the loss": (
        "neuron",
        [("2 * (y - target)", "2 * y - target")],
        ("du_1 = 2 * (y - target)", "du_1 = 2 * y - target"),
    ),
    "the other operand": (
        "neuron",
        [('"w": du * x', '"w": du * w')],
        ("dw = da_y * x", "dw = da_y * w"),
    ),
    "the bias as a factor": (
        "neuron",
        [('"b": du', '"b": du * b')],
        ("db = da_y", "db = da_y * b"),
    ),
    "1 for the adjoint": (
        "neuron",
        [('"b": du', '"b": 1')],
        ("db = da_y", "db = np.ones_like(da_y)"),
    ),
    "a state left out of the loss's own": (
        "every",
        [("+ 2 * h[t])", "+ 2)")],
        ("dH = 2 * H", "dH = 2 * np.ones_like(H)"),
    ),
    "1 for the loss's own": (
        "chain",
        [("dh = h[-1]", "dh = 1.0")],
        (
            "dh_next = 0.5 * h[T] + 0.5 * h[T]",
            "dh_next = np.ones_like(0.5 * h[T] + 0.5 * h[T])",
        ),
    ),
}


@pytest.mark.parametrize("name", SLIPS)
def test_a_frequent_slip_is_named_first(name):
    exercise_name, edits, line = SLIPS[name]
    report = report_on(exercise_name, *edits)
    assert report.reproduced and not report.right
    assert [(m.right, m.wrong) for m in report.ways[0]] == [line]


def test_an_adjoint_that_is_forgotten_altogether():
    report = report_on("neuron", ('"w": du * x, "b": du', '"w": x, "b": 1.0'))
    assert report.why == "the factor da_y is left out, twice"


def test_one_mistake_in_a_line_is_named_before_one_of_the_order_of_lines():
    report = report_on("gate", ("(h[t - 1] - n[t])", "(h[t] - n[t])"))  # where h[t - 1] is z * h'
    assert report.why == "h[t] instead of h[t - 1]"


ACROSS = {
    "an adjoint that is computed later": (
        "do = dh * tc",
        "do = dc * tc",
        ("do = dh * np.tanh(c[t])", "do = dc * np.tanh(c[t])"),
    ),
    "brackets that hold too much": (
        "dc = dc_next + dh * o * (1 - tc ** 2)",
        "dc = (dc_next + dh * o) * (1 - tc ** 2)",
        (
            "dc = dh * o[t] * (1 - np.tanh(c[t]) ** 2) + dc_next",
            "dc = (dh * o[t] + dc_next) * (1 - np.tanh(c[t]) ** 2)",
        ),
    ),
}


@pytest.mark.parametrize("name", ACROSS)
def test_slips_between_the_two_states_of_an_lstm(name):
    right, wrong, line = ACROSS[name]
    assert right in LSTM_ARRAYS
    source = LSTM_ARRAYS.replace(right, wrong)
    if name == "an adjoint that is computed later":
        later = "dc = dc_next + dh * o * (1 - tc ** 2)"
        source = source.replace(f"        {later}\n", "").replace(wrong, f"{later}; {wrong}")
    report = marker("lstm")(function(source))
    assert [(m.right, m.wrong) for m in report.ways[0]] == [line]
