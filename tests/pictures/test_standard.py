"""The standard pictures on a slide: nothing lies on anything else, and all can be read."""

from __future__ import annotations

import pytest

from tests.pictures.measures import contrast, measure
from tests.pictures.standard import STANDARD


@pytest.mark.parametrize("name", STANDARD)
def test_on_a_slide(name):
    found = measure(STANDARD[name](size="slide"))
    assert (found.overlaps, found.outside) == (0, 0)
    assert found.contrast >= 4.5
    assert found.text > 11


def test_contrast_is_that_of_wcag():
    """The values of WCAG 2.2 (contrast ratio) at both ends, and of a gray."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#ffffff", "#ffffff") == pytest.approx(1)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
