"""A backward pass with one mistake in it, for each way in which people make one.

A mistake is a whole program again: what is wrong in a sentence, the line as it should be, the line
as it is, and the code to run. `ways` has what can be wrong in one line or loop.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from microgrrepresent.programs.code import Code
from microgrrepresent.programs.lines import Item, Line, Loop
from microgrrepresent.programs.loop_slips import (
    LoopSlips,
)
from microgrrepresent.programs.ways import Ways


@dataclass(frozen=True, eq=False)
class Mistake:
    """A way to write a backward pass wrongly.

    Attributes
    ----------
    says : str
        What is wrong, such as "the factor 1 - h[t] ** 2 is left out".
    right, wrong : str
        The line as it should be, and as it is; empty if it is not there.
    place : (int, int)
        Which line or loop of the backward pass it is in, and which line of the loop; -1 for what
        is no line of a loop.
    new : Line, Loop or None
        What stands there; None for a line that is left out.
    """

    says: str
    right: str
    wrong: str
    place: tuple[int, int]
    new: Item | None

    def __repr__(self) -> str:
        return f"<Mistake: {self.says[:200]}>"


def mistakes(code: Code) -> Iterator[Mistake]:
    """All the mistakes that are looked for, in the order of the backward pass.

    Parameters
    ----------
    code : Code
        A right program, as it is printed.
    """
    ways = Ways.of(code)
    for i, item in enumerate(code.backward):
        if isinstance(item, Loop):
            yield from _in_loop(item, i, ways.of_loop)
        for k, line in enumerate(item.lines) if isinstance(item, Loop) else [(-1, item)]:
            for says, wrong in ways.of_line(line):
                yield Mistake(says, str(line), "" if wrong is None else str(wrong), (i, k), wrong)
            for says, whole, wrong in ways.without_brackets(line):
                yield Mistake(says, str(whole), str(wrong), (i, k), wrong)
        if isinstance(item, Loop):
            yield from _in_loop(item, i, ways.seldom)


def _in_loop(loop: Loop, place: int, ways: Sequence[LoopSlips]) -> Iterator[Mistake]:
    for way in ways:
        for says, wrong in way(loop):
            yield _of_loop(says, loop, wrong, place)


def _of_loop(says: str, right: Loop, wrong: Loop, place: int) -> Mistake:
    """A mistake of a loop as a whole: its header, or the lines that are not the same."""
    if right.header != wrong.header:
        return Mistake(says, right.header, wrong.header, (place, -1), wrong)
    before, after = list(map(str, right.lines)), list(map(str, wrong.lines))
    if len(before) == len(after):
        before, after = [a for a in before if a not in after], [b for b in after if b not in before]
    else:
        for end in (0, -1):  # what is the same before and after
            while before and before[end] == after[end]:
                del before[end], after[end]
    return Mistake(says, "\n".join(before), "\n".join(after), (place, -1), wrong)


def with_mistakes(code: Code, *wrong: Mistake) -> Code:
    """The program with one or more mistakes, each at another place.

    A mistake of a line is not seen where one of the whole loop has changed that line.
    """
    new = {m.place: m.new for m in wrong}
    items: list[Item] = []
    for i, item in enumerate(code.backward):
        found = new.get((i, -1), item)
        if isinstance(item, Loop) and isinstance(found, Loop):
            inner = {id(line): new[i, k] for k, line in enumerate(item.lines) if (i, k) in new}
            lines = [inner.get(id(line), line) for line in found.lines]
            found = replace(found, lines=[line for line in lines if isinstance(line, Line)])
        if found is not None:
            items.append(found)
    return replace(code, backward=tuple(items))
