"""Curves: which side of a path is which."""

import pytest

from microgrrepresent.drawing.marks.curves import abreast, beside, point_beside, straight

UP = straight((0.0, 0.0), (0.0, 90.0))
RIGHT = straight((0.0, 0.0), (90.0, 0.0))


def test_a_path_beside_another_is_on_its_left():
    assert {x for x, _ in beside(UP, 5.0)} == {-5.0}
    assert {y for _, y in beside(RIGHT, 5.0)} == {5.0}


def test_a_point_beside_a_path_is_on_its_right():
    assert point_beside(UP, 12.0, 8.0) == pytest.approx((8.0, 12.0))
    assert point_beside(RIGHT, 12.0, 8.0) == pytest.approx((12.0, -8.0))
    assert point_beside(UP, 1000.0, 8.0) == pytest.approx((8.0, 45.0))  # half-way at the most


def test_paths_abreast_stand_from_left_to_right_about_the_one():
    left, middle, right = (path[0][0] for path in abreast(UP, 3))
    assert left < middle == 0 < right == -left
