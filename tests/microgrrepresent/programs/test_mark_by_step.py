"""Adjoints that a student gives tell from which step on something is wrong, and in which line."""

from __future__ import annotations

import numpy as np
import pytest

from tests.microgrrepresent.programs.rates import function, marker
from tests.microgrrepresent.programs.students import RNN_CACHES

KEPT = RNN_CACHES
for before, after in (
    ("    dh = np.zeros_like(h)\n", "    dh, dhs, das = 0 * h, [], []\n"),
    (
        '        grads["W_ih"] +=',
        '        dhs.append(dh), das.append(da)\n        grads["W_ih"] +=',
    ),
):
    KEPT = KEPT.replace(before, after)

WAYS = {
    "a list, backwards": '{"dh": dhs, "da": das}',
    "a list, forwards": '{"dh": dhs[::-1], "da": das[::-1]}',
    "an array": '{"dh": np.array(dhs[::-1]), "da": np.array(das[::-1])}',
    "from 1": '{"dh": {T - k: d for k, d in enumerate(dhs)}, "da": das}',
    "from 0": '{"dh": {T - 1 - k: d for k, d in enumerate(dhs)}, "da": das}',
    "one more, at 0": '{"dh": [dh, *dhs[::-1]], "da": [dh, *das[::-1]]}',
}


def student(way, *edits):
    source = KEPT.replace("return loss / (T * B), grads", f"return loss / (T * B), grads | {way}")
    for right, wrong in edits:
        assert right in source
        source = source.replace(right, wrong)
    return function(source)


@pytest.mark.parametrize("name", [n for n in WAYS if n != "from 0"])
def test_adjoints_are_read_however_they_are_kept(name):
    report = marker("rnn")(student(WAYS[name]))
    assert report.right and report.adjoints == ("Right at every step: dh, da.",)
    report = marker("rnn")(student(WAYS[name], ("(1 - h ** 2)", "(1 - prev ** 2)")))
    assert report.adjoints == (
        "da is wrong from the start of the loop, at t = 6.",
        "dh is right at t = 6, and wrong from t = 5 on.",
        "On the way back, the first wrong one is da at t = 6; dh before it is right there.",
    )
    assert report.mistakes[0].wrong == "da = dh * (1 - h[t - 1] ** 2)"


def test_steps_may_be_counted_from_0():
    way = '{"dh": {T - 1 - k: d for k, d in enumerate(dhs)}}'
    report = marker("rnn")(student(way, ("dh = dh + ds @ V", "dh = ds @ V")))
    assert report.adjoints == ("dh is right at t = 6, and wrong from t = 5 on.",)
    assert "first seen      at t = 5, in dh" in str(report)


def test_adjoints_tell_apart_what_gives_the_same_gradients():
    edit = ("dh = dh + ds @ V", "dh = ds @ V")
    without = marker("rnn")(student("{}", edit))
    report = marker("rnn")(student('{"dh": [-d for d in dhs], "da": das}', edit))
    assert report.mistakes == without.mistakes  # nothing fits -dh
    way = '{"dh": dhs, "da": das}'
    edit = ("da = dh * (1 - h ** 2)", "da = 2 * dh * (1 - h ** 2); da = da / 2; da[0] = 0")
    report = marker("rnn")(student(way, edit))
    assert report.adjoints[-1].startswith("On the way back, the first wrong one is da at t = 6")


def test_of_ways_to_the_same_gradients_those_with_these_adjoints_are_taken():
    no_dh, no_da = "dh = dh_next", {"da = dh_next * (1 - h[t] ** 2)", "da = dh - dh"}
    for edit, wrong in (
        (("dh = dh + ds @ V", "pass"), {no_dh}),
        (("da = dh", "da = 0 * dh"), no_da),
    ):
        unknown = marker("rnn")(student("{}", edit))
        assert {m.wrong for m in unknown.mistakes} == {no_dh, *no_da}
        report = marker("rnn")(student('{"dh": dhs}', edit))
        assert {m.wrong for m in report.mistakes} == wrong


def test_an_adjoint_of_another_meaning_is_no_mistake():
    report = marker("rnn")(student('{"dh": [d - 1 for d in dhs]}'))
    assert report.right
    assert report.adjoints == (
        "dh: not what has that name here; the gradients are right all the same.",
    )


def test_adjoints_of_another_form_are_said_to_be():
    wrong = ("dh = dh + ds @ V", "dh = ds @ V")
    report = marker("rnn")(student('{"dh": None}', wrong))
    assert "must be a dict from step to array" in report.adjoints[0]
    report = marker("rnn")(student('{"dh": [d.T for d in dhs]}', wrong))
    assert report.adjoints == ("dh has the shape (4, 3) at t = 6, and should have (3, 4).",)
    report = marker("rnn")(student('{"dh": dhs, "spam": 1}', wrong))
    assert report.remarks == ("Not asked for, and not looked at: spam.",)


def test_gradients_that_follow_a_wrong_loss_are_compared_as_if_it_were_right():
    summed = function(RNN_CACHES.replace("(T * B)", "T"))
    report = marker("rnn")(summed)
    assert not report.right and not report.wrong and len(report.correct) == 6
    assert "it is B times too large" in str(report) and "follow that loss" in str(report)


def test_the_step_from_which_on_a_mistake_is_seen_is_that_of_the_trial():
    np.testing.assert_equal(list(marker("rnn").trials.trace)[:2], [(6, "dh"), (6, "da")])
    report = marker("rnn")(student("{}", ("da @ W_hh", "da @ W_hh.T")))
    assert report.found.seen[0] == (5, "dh")
    report = marker("rnn")(student("{}", ("ds.T @ h", "ds.T @ prev")))
    assert report.found.seen[0] is None
