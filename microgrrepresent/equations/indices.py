"""Indices in equations: ``X[t-1]``, ``a[0:4]``, and parts that were selected side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from microgrrepresent.equations.reading import shape_of
from microgrrepresent.equations.terms import Apply, Chain, Given, Growing, Slice, Term


def index_text(index: Any, now: int | None) -> str:
    """What stands in the brackets of a selection; the axis of the batch is left out.

    Parameters
    ----------
    index
        As it is in a term's static arguments.
    now : int or None
        The step, if the equation is for one only: then ``t-1`` is a number.
    """
    parts = index if _is_plain_tuple(index) else (index,)
    shown = [part_text(part, now) for part in parts]
    while len(shown) > 1 and shown[0] in (":", "…"):
        shown.pop(0)  # the batch
    return ", ".join(shown)


def part_text(part: Any, now: int | None) -> str:
    """One part of an index."""
    if isinstance(part, Slice):
        ends = part if part.step not in (None, 1) else part[:2]
        return ":".join("" if end is None else part_text(end, now) for end in ends)
    if isinstance(part, Growing):
        if now is not None:
            return str(part.slope * now + part.start)
        slope = {1: "t", -1: "-t"}.get(part.slope, f"{part.slope}t")
        return f"{slope}{part.start:+d}" if part.start else slope
    if isinstance(part, Given):
        return str(part.array.tolist()) if part.array.size < 5 else "indices"
    return "…" if part is Ellipsis else str(part)


def part_of_part(whole: Apply, index: Any) -> Slice | None:
    """The index of x for a part of a part of it: of x[2:8][1:3] it is 3:5; else nothing."""
    outer, index = _alone(selected_by(whole)), _alone(index)
    if not isinstance(outer, Slice) or not isinstance(index, Slice):
        return None
    ends = (outer.start, index.start, index.stop)
    steps = {outer.step, index.step} - {None, 1}
    if steps or not all(type(n) is int for n in ends):
        return None
    return Slice(outer.start + index.start, outer.start + index.stop, None)


def selected_by(term: Apply | Chain) -> Any:
    """The index by which an operation selects, as it is in a term's static arguments."""
    return dict(term.params).get(term.op.index)


def _alone(index: Any) -> Any:
    """The part of an index that has one."""
    return index[0] if _is_plain_tuple(index) and len(index) == 1 else index


def joined_text(position: int | Growing, lengths: Sequence[int], now: int | None) -> str:
    """Where a part begins and ends in what it was joined to: ``4:8``."""
    if isinstance(position, Growing):  # parts that were made step by step are of one length
        slope, start = position.slope * lengths[0], position.start * lengths[0]
        return part_text(Slice(Growing(slope, start), Growing(slope, start + lengths[0]), 1), now)
    start = sum(lengths[:position])
    return part_text(Slice(start, start + lengths[position], 1), now)


def side_by_side(terms: Sequence[Term]) -> list[Term]:
    """The adjoints of parts that together are the whole of something; else nothing."""
    placed: list[tuple[int, Term]] = []
    for term in terms:
        part = _last_slice(term)
        if part is None:
            return []
        placed.append((part, term.g))  # type: ignore[union-attr]
    if len({start for start, _ in placed}) < len(terms) or len(terms) < 2:
        return []
    axis = _last_axis(terms[0])
    total = sum(shape_of(g)[axis] for _, g in placed)
    if total != terms[0].shape[axis]:  # type: ignore[union-attr]
        return []
    return [g for _, g in sorted(placed, key=lambda p: p[0])]


def _is_plain_tuple(index: Any) -> bool:
    """Whether an index has several parts."""
    return isinstance(index, tuple) and not isinstance(index, (Slice, Growing, Given))


def _last_slice(term: Term) -> int | None:
    """Where a part begins that was selected from one axis of something, or None."""
    if not isinstance(term, Chain) or term.meets != "moved":
        return None
    index = selected_by(term)
    *others, last = index if _is_plain_tuple(index) else (index,)
    if not isinstance(last, Slice) or last.step not in (None, 1) or last.stop is None:
        return None
    if any(part is not Ellipsis and part != Slice(None, None, None) for part in others):
        return None
    return int(last.start or 0)


def _last_axis(term: Term) -> int:
    """The axis of the last part of a selection's index."""
    assert isinstance(term, Chain)
    index = selected_by(term)
    if not _is_plain_tuple(index):
        return 0
    return len(term.shape) - 1 if Ellipsis in index else len(index) - 1
