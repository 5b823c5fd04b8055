"""What may be asked of a drawing; all else is refused in a sentence that says the choices."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, NoReturn, get_args

import numpy as np

from microgrrepresent.adjoints import Adjoints
from microgrrepresent.drawing.marks.themes import THEMES, Theme
from microgrrepresent.drawing.views.views import VIEWS
from microgrrepresent.equations import NOTATIONS
from microgrrepresent.errors import DrawingError
from microgrrepresent.graph import Graph
from microgrrepresent.node import Node

MOST_STEPS, MOST_NODES, MOST_IN_ONE = 5_000, 200_000, 20_000
Time = Literal["unrolled", "folded", "both"]


def check_form(view: object, time: object, window: object) -> None:
    """Refuse what is no view, no form of time, or no window, and what does not go together."""
    if not callable(view):
        one_of("view", view, view_names())
    one_of("time", time, get_args(Time))
    if window is not None and not (
        isinstance(window, Sequence)
        and len(window) == 2
        and all(isinstance(n, (int, np.integer)) and n >= 0 for n in window)
        and any(window)
    ):
        _refuse("window", "two numbers of steps, at the beginning and at the end: (3, 2)", window)
    if view == "layers" and (time != "unrolled" or window is not None):
        raise DrawingError(
            "draw: the view 'layers' shows all of time in one box; leave out time and window"
        )
    if time == "folded" and window is not None:
        raise DrawingError(
            "draw: a folded drawing shows one step for all, so no steps can be hidden; leave out "
            "the window, or take the time 'both'"
        )


def view_names() -> list[str]:
    """The names that ``draw(..., view=...)`` knows."""
    return [*VIEWS, "layers"]


def check_details(depth: object, rails: object, values: object) -> None:
    """Refuse what is no depth, and no switch."""
    if depth is not None and not (isinstance(depth, (int, np.integer)) and depth >= 0):
        _refuse("depth", "a number of scopes, 0 or more, or None", depth)
    check_switches(rails=rails, values=values)


def check_switches(**switches: object) -> None:
    """Refuse what is neither True nor False."""
    for what, given in switches.items():
        if not isinstance(given, bool):
            _refuse(what, "True or False", given)


def check_words(title: object, labels: object, font_size: object, size: object) -> None:
    """Refuse a title that is no text, letters for no names, and what is no size of letters."""
    if title is not None and not isinstance(title, str):
        _refuse("title", "a text", title)
    named = labels is None or (isinstance(labels, str) and labels in NOTATIONS)
    if not named and not (
        isinstance(labels, Mapping)
        and all(isinstance(word, str) for pair in labels.items() for word in pair)
    ):
        known = ", ".join(NOTATIONS)
        _refuse("labels", f"a dict of letters, {{'h': 'hidden'}}, or one of {known}", labels)
    if font_size is None:
        return
    if isinstance(font_size, bool) or not isinstance(font_size, (int, float)) or font_size <= 0:
        _refuse("font_size", "a number of points above 0", font_size)
    if size is not None:
        raise DrawingError(
            "draw: on a page the letters are as large as the picture allows; leave out font_size, "
            "or size"
        )


def letters_of(labels: str | Mapping[str, str], graph: Graph) -> Mapping[str, str]:
    """The letters that were given, or those of a course.

    Raises
    ------
    DrawingError
        If a letter was given for something that is not in the graph.
    """
    names = {node.name for node in graph if node.name}
    if not isinstance(labels, str):
        if unknown := sorted(labels.keys() - names):
            has = f"the names are {', '.join(sorted(names))}" if names else "nothing has a name"
            raise DrawingError(
                f"draw: labels has a letter for {unknown[0]!r}, which is no name in this graph; "
                f"{has}"
            )
        return labels
    return NOTATIONS[labels].fitted(names).letters


def graph_of(out: object) -> Graph:
    """The graph behind what was given to be drawn."""
    if isinstance(out, Graph):
        return out
    if isinstance(out, Node):
        return Graph(out)
    if isinstance(out, Sequence) and out and all(isinstance(node, Node) for node in out):
        return Graph(out)
    _refuse("out", "a Tensor, a list of Tensors, or a Graph", out)


def theme_of(theme: object) -> Theme:
    """A theme, or that of a name."""
    if isinstance(theme, Theme):
        return theme
    one_of("theme", theme, tuple(THEMES))
    return THEMES[str(theme)]


def check_scopes(collapse: object, graph: Graph) -> None:
    """Refuse scopes that the graph does not have."""
    if isinstance(collapse, str) or not isinstance(collapse, Collection):
        _refuse("collapse", "a set of scopes: {'encoder'}", collapse)
    paths = {node.scope for node in graph}
    known = sorted({path[:i] for path in paths for i in _ends(path)})
    for path in collapse:
        if path not in known:
            has = f"its scopes are {', '.join(known)}" if known else "it has no scopes"
            raise DrawingError(f"draw: there is no scope {path!r} in this graph to collapse; {has}")


def check_size(graph: Graph) -> None:
    """Refuse to draw in full what nobody could look at, before any work is done."""
    steps = len(graph.steps)
    if steps > MOST_STEPS or len(graph) > (MOST_NODES if steps else MOST_IN_ONE):
        of = f"{steps:,} steps" if steps else "no steps"
        most = f"{MOST_STEPS:,} steps of {MOST_NODES:,} nodes in all"
        raise DrawingError(
            f"draw: the graph has {len(graph):,} nodes and {of}, and a picture can show "
            f"{most if steps else f'{MOST_IN_ONE:,} nodes'}; {advice(steps > 0)}"
        )


def advice(has_steps: bool) -> str:
    """What to do where a graph is too large to be drawn in full."""
    if has_steps:
        return (
            "show some of the steps with window=(3, 2), all as one with time='folded' or "
            "view='layers', or choose a coarser view ('gates', 'cells'), or collapse= a scope"
        )
    return (
        "choose view='cells' (a box for each use of a scope) or view='layers' (a box for each "
        "scope), or collapse= a scope; where there are no scopes, put parts of it into scope(...), "
        "or run its loop inside of steps(...), so that it is drawn by steps, or draw the part "
        "behind one of its inner nodes"
    )


def check_gradients(gradients: object, graph: Graph, time: Time) -> None:
    """Refuse gradients that are none, or those of another graph, or of a step that has none."""
    if gradients is None:
        return
    if not isinstance(gradients, Adjoints):
        _refuse("gradients", "the result of backward(loss), or None", gradients)
    if not any(node in gradients for node in graph):
        raise DrawingError(
            "draw: these gradients are of another graph, no node of this one has any; draw the "
            "loss that backward(loss) was given"
        )
    if time == "folded":
        raise DrawingError(
            "draw: a folded drawing shows one step for all, which has no gradients of its own; "
            "leave out the gradients, or take the time 'both', where the unrolled half shows them"
        )


def one_of(what: str, given: object, known: Collection[str]) -> None:
    """Refuse what is none of some names."""
    if not isinstance(given, str) or given not in known:
        _refuse(what, f"one of {', '.join(known)}", given)


def _ends(path: str) -> list[int]:
    """Where the path of a scope, and those of the scopes around it, end."""
    return [i for i in range(1, len(path) + 1) if path[i : i + 1] in ("", "/")]


def _refuse(what: str, choices: str, given: object) -> NoReturn:
    shown = repr(given)
    if len(shown) > 60 or "\n" in shown:
        shown = f"a {type(given).__name__}"
    raise DrawingError(f"draw: {what} is {choices}, got {shown}")
