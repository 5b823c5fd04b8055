"""``python -m rnn systems``: the index of the lecture notes' systems, in a terminal."""

from __future__ import annotations

import argparse
from itertools import groupby

from rnn.systems import System, find, preamble, systems

_MOST_CARDS = 5
"""Of more systems than these, only the names are printed."""


def list_systems(options: argparse.Namespace) -> int:
    """Print the systems whose names contain a word, or the names of all."""
    if options.word is None:
        print(_names(systems()))
        print("\nOne of them: python -m rnn systems WORD, in English or Chinese.")
        return 0
    found = find(options.word)
    if len(found) > _MOST_CARDS:
        print(_names(found))
        print("\nOne of them: python -m rnn systems with more of its name.")
        return 0
    print("\n\n\n".join(map(str, found)))
    print("\n\nBefore each call:\n")
    print("\n".join(f"    {line}".rstrip() for line in preamble().splitlines()))
    return 0


def _names(among: list[System] | tuple[System, ...]) -> str:
    """The names of systems under those of their parts; English, then Chinese."""
    width = max(len(system.english[0]) for system in among)
    lines: list[str] = []
    for part, members in groupby(among, key=lambda system: system.part):
        lines += [f"\n{part}"] if lines else [part]
        lines += [f"  {s.english[0]:{width}}  {s.chinese[0]}" for s in members]
    return "\n".join(lines)
