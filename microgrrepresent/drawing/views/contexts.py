"""A context as one box: C_t = Σ_k α_{t,k} h_k, with an arrow from every state that it looks at."""

from __future__ import annotations

from microgrrepresent.drawing.marks.labels import Label, Line, Run, math, text
from microgrrepresent.drawing.marks.naming import name
from microgrrepresent.drawing.time.contexts import Context
from microgrrepresent.drawing.time.timeline import Timeline
from microgrrepresent.drawing.views.glyphs import Glyph, Glyphs
from microgrrepresent.node import Node


def with_contexts(glyphs: Glyphs, time: Timeline) -> Glyphs:
    """Draw what a step computes for its context as one box, and its parameters as one.

    Everything else is drawn as without.
    """
    of = time.contexts.of
    if not of:
        return glyphs
    parameters = _parameters(time)

    def glyph(node: Node) -> Glyph:
        own = glyphs(node) if node not in of and node not in parameters else None
        if own is not None and own.key not in of:
            return own
        if node in parameters:
            context = parameters[node]
            letter = context.weights.name if context.weights is not None else context.node.name
            words = math(f"θ_{time.letter(letter)}" if letter else "θ")
            return Glyph(("θ", time.slot[context.node]), "parameter", (words,), True)
        context = of[node if own is None else own.key]  # type: ignore[index]
        return Glyph(context.node, "variable", words_of(context, time), True)

    return glyph


def _parameters(time: Timeline) -> dict[Node, Context]:
    """What contexts alone are made with, before the steps, each with one of these contexts."""
    found: dict[Node, Context] = {}
    of = time.contexts.of
    for node in reversed(time.nodes):
        if time.column[node] or not node.requires_grad:
            continue
        users = [of.get(user) or found.get(user) for user in time.users(node)]
        first = users[0] if users else None
        if first is not None and all(
            user is not None and time.slot[user.node] == time.slot[first.node] for user in users
        ):
            found[node] = first
    return found


def share_of(context: Context, state: Node, time: Timeline) -> Label:
    """How much a context has of a state: ``α_2,1`` and ``0.06``, below each other."""
    share = (text(f"{context.shares[state]:.2f}", size=0.85),)
    if context.weights is None or not context.weights.name:
        return share
    t, k = (time.titles[time.column[node] - 1] for node in (context.node, state))
    return (math(time.letter(context.weights.name), f"{t},{k}"), *share)


def words_of(context: Context, time: Timeline) -> Label:
    """What a context is, ``C_2`` and ``Σ_k α_2,k h_k``, as far as what it is made of has names."""
    own = name(context.node, time)
    weights, source = context.weights, context.sources[0].name
    if weights is None or not weights.name or not source:
        return (own,)
    t = time.titles[time.column[context.node] - 1]
    total: Line = (
        *math("Σ_k"),
        Run(" "),
        *math(time.letter(weights.name), f"{t},k"),
        Run(" "),
        *math(f"{time.letter(source)}_k"),
    )
    return (own, total) if context.node.name else (total,)
