"""Letters for the variables of a derivation, also for those that the program has not named.

What goes into an activation is called a, or a_i where it is the gate i's own; what goes into a
softmax is y, and what something is compared with, target; a stack of all h_t is called H; anything
else without a name is u with a number, as the notes call it. Variables of the same name, as those
of several layers, are told apart by a mark.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from microgrrepresent.equations.series import Series, Step
from microgrrepresent.letters import in_layer, layer_marks
from microgrrepresent.node import Node

Edges = Mapping[Node, Sequence[tuple[Node, int]]]
Places = Mapping[Node, tuple[Series, Step]]


def names(
    order: Sequence[Series],
    edges: Edges,
    places: Places,
    ends: Mapping[Series, str],
    inputs: Collection[Series] = (),
) -> dict[Series, tuple[str, str]]:
    """Give each variable a name and a mark.

    Parameters
    ----------
    order : sequence of Series
        The variables.
    edges, places
        Who reads a node; which series it belongs to.
    ends : dict from Series to str
        What to call outputs that have no name.
    inputs : collection of Series
        Parts of data; they are called what the whole is.
    """
    letters = {
        series: (series.example.parents[0].name or "x")
        if series in inputs and series.example.name is None
        else _letter(series, edges, ends)
        for series in order
    }
    called_u = [series for series in order if letters[series] == "u"]
    named_u = [series for series in called_u if series.example.name is not None]
    # numbers are unique; only what the program alone calls u needs none
    numbered = {*called_u} - {*(named_u if len(named_u) == 1 else ())}
    alike: dict[tuple[str, bool], list[Series]] = {}
    for series in order:
        counted = series not in numbered and (letters[series] == "u" or bool(series.steps))
        alike.setdefault((letters[series], counted), []).append(series)
    found: dict[Series, tuple[str, str]] = {}
    for (letter, _), group in alike.items():
        found_in = dict.fromkeys(series.example.scope for series in group)
        places_of = _marks(sorted(found_in, key=lambda scope: not scope))  # what is outside, last
        earlier: dict[tuple[str, Step], list[Series]] = {}
        for count, series in enumerate(group, start=1):
            scope, times = series.example.scope, series.steps
            alone = len(earlier.get((scope, None), ()))
            again = alone + len({one for t in times for one in earlier.get((scope, t), ())})
            for t in times or (None,):
                earlier.setdefault((scope, t), []).append(series)
            mark = str(count) if series in numbered else _again(places_of[scope], again)
            found[series] = (letter, mark)
    return found


def _again(mark: str, count: int) -> str:
    """The mark of a letter that there was before: primes, as far as they can be counted."""
    return mark + "'" * count if mark or count < 4 else str(count + 1)


def _marks(scopes: Sequence[str]) -> dict[str, str]:
    """What tells one letter in several scopes apart: layer and direction, or a number."""
    found = {scope: in_layer(scope.rpartition("/")[2]) for scope in scopes}
    layers = {scope: layer for scope, layer in found.items() if layer and not layer.stem}
    others = [scope for scope in scopes if scope not in layers]
    stacks = {scope.rpartition("/")[0] for scope in layers}
    if len(scopes) > 1 and (len(stacks) != 1 or len(others) > 1):
        return {scope: str(i) for i, scope in enumerate(scopes, start=1)}
    return dict.fromkeys(others, "") | layer_marks(layers)


def _letter(series: Series, edges: Edges, ends: Mapping[Series, str]) -> str:
    example = series.example
    if example.name is not None:
        return example.name
    if series in ends:
        return ends[series]
    readers = [child for child, _ in edges[example]]
    scored = [position for child, position in edges[example] if _kind(child) == "score"]
    if example.op is None:
        missed = all(_is_subtracted(*edge) for edge in edges[example])
        return "θ" if example.requires_grad else "target" if 1 in scored or missed else "x"
    names_of_parts = {part.name for part in example.parents}
    if example.op.many is not None and len(names_of_parts) == 1 and example.parents[0].name:
        return example.parents[0].name.upper()
    if 0 in scored:
        return "y"
    if readers and all(selects(reader) for reader in readers):
        inner = [child for reader in readers for child, _ in edges[reader]]
        if inner and any(activates(child) for child in inner):
            return "a"
    if len(readers) == 1 and activates(readers[0]):
        reader = readers[0]
        return "a" if reader.name in (None, "h") else f"a_{reader.name}"
    return "u"


def activates(node: Node) -> bool:
    """Whether it is an activation of what goes into it, or its score."""
    return _kind(node) in ("activation", "score")


def selects(node: Node) -> bool:
    """Whether it is a part of one array."""
    return _kind(node) == "moves" and node.op is not None and bool(node.op.index)


def _is_subtracted(node: Node, position: int) -> bool:
    """Whether a node takes this input away from another: what a prediction misses is its target."""
    return node.op is not None and position == 1 and node.op.is_difference(node)


def _kind(node: Node) -> str:
    return node.op.kind if node.op else ""
