"""Which nodes a reverse sweep visits, and in which order."""

from __future__ import annotations

from collections.abc import Sequence

from microgrrepresent.errors import stale
from microgrrepresent.node import Node


def schedule(outputs: Sequence[Node], sources: Sequence[Node] | None) -> dict[int, Node]:
    """The nodes behind the outputs that depend on a source, by id, youngest first.

    By default the sources are the leaves that require a gradient; then each node says itself
    whether it depends on one.

    Raises
    ------
    StaleGraphError
        If a leaf that was used on the way has been assigned to: it is younger than its child.
    """
    found = _behind(outputs) if sources is None else _between(outputs, sources)
    return {key: found[key] for key in sorted(found, reverse=True)}


def _behind(outputs: Sequence[Node]) -> dict[int, Node]:
    """The nodes behind the outputs that require a gradient."""
    found = {node.id: node for node in outputs}
    aside: set[int] = set()  # walked over only to see that nothing in it is stale
    todo = list(outputs)
    for node in todo:  # the list grows meanwhile
        child = node.id
        for parent in node.parents:
            key = parent.id
            if key > child:
                raise stale(parent, node)
            if key in found:
                continue
            if parent._requires_grad:
                found[key] = parent
                todo.append(parent)
            elif parent.parents and key not in aside:
                aside.add(key)
                todo.append(parent)
    return found


def _between(outputs: Sequence[Node], sources: Sequence[Node]) -> dict[int, Node]:
    """The nodes behind the outputs that depend on one of the sources."""
    wanted = {node.id for node in sources}
    # What is older than all sources cannot depend on them, so the walk need not go there; but a
    # leaf may have a younger id than what was made from it, if it was assigned to.
    made = all(node.op is not None for node in sources)
    oldest = min(wanted) if wanted and made else 0
    found = {node.id: node for node in outputs}
    todo = list(outputs)
    for node in todo:
        for parent in node.parents:
            if parent.id > node.id:
                raise stale(parent, node)
            if parent.id >= oldest and parent.id not in found:
                found[parent.id] = parent
                todo.append(parent)
    depends: dict[int, Node] = {}
    for key in sorted(found):
        node = found[key]
        if key in wanted or (
            node.dtype.kind in "fc" and any(parent.id in depends for parent in node.parents)
        ):
            depends[key] = node
    return depends
