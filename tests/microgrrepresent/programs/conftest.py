"""What is compiled, run as plain Python: fast to try, and a failing line has a number."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from importlib.util import find_spec
from types import SimpleNamespace

import pytest


def njit(function=None, **_):
    """The function itself: what is compiled otherwise is run by Python."""
    return function if function is not None else njit


@pytest.fixture
def interpreted(monkeypatch):
    found = SimpleNamespace(
        njit=njit, objmode=lambda **_: nullcontext(), __spec__=SimpleNamespace(loader=None)
    )
    monkeypatch.setitem(sys.modules, "numba", found)
    if find_spec("scipy") is None:  # numba takes its products from it; Python does not
        monkeypatch.setitem(sys.modules, "scipy", found)
