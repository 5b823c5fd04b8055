"""Twelve drawings, byte for byte. After a change that is meant: ``GOLDEN=write pytest``, look."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

GOLDEN = Path(__file__).with_name("golden")
NAMES = [
    "product", "logistic variables", "weight decay", "rnn", "gru gates", "lstm per gate gates",
    "loss rails", "loss cells", "loss window", "bidirectional", "rnn both", "gru folded",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_golden(name, drawn_once):
    source = drawn_once(name).drawing.source
    path = GOLDEN / f"{name.replace(' ', '_')}.dot"
    if os.environ.get("GOLDEN") == "write":
        GOLDEN.mkdir(exist_ok=True)
        path.write_text(source)
    assert source == path.read_text()
