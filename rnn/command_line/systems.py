"""``python -m rnn systems``: the index of the lecture notes' systems, in a terminal."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import groupby

from rnn.systems import System, find, preamble, systems

_MOST_CARDS = 3
"""Where none is called exactly as is sought, so many of the nearest are shown in full."""


def list_systems(options: argparse.Namespace) -> int:
    """Print the systems of a name and the names of those near it, or the names of all."""
    sought = " ".join(options.word)
    if not sought:
        print(_names(systems()))
        print("\nOne of them: python -m rnn systems WORD, in English or Chinese.")
        return 0
    found = find(sought)
    cards = [system for system in found if system.is_called(sought)] or found[:_MOST_CARDS]
    print("\n\n\n".join(map(str, cards)))
    print("\n\nBefore each call:\n")
    print("\n".join(f"    {line}".rstrip() for line in preamble().splitlines()))
    if others := [system for system in found if system not in cards]:
        print(f"\n\nMore that {sought!r} finds:\n\n{_rows(others)}")
    return 0


def _names(among: Sequence[System]) -> str:
    """The names of systems under those of their parts."""
    parts = groupby(among, key=lambda system: system.part)
    return "\n\n".join(f"{part}\n{_rows(list(members))}" for part, members in parts)


def _rows(among: Sequence[System]) -> str:
    """The names of systems, a line each; English, then Chinese."""
    width = max(len(system.english[0]) for system in systems())
    return "\n".join(f"  {s.english[0]:{width}}  {s.chinese[0]}" for s in among)
