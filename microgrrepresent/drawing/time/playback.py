"""In which order a recorded computation is played back: stage by stage, each of one step.

A loop over the steps 1 to T has T stages. A layer that reads from right to left begins at its last
step, which the first layer has then come to, and goes on from there: 1, 2, 3, 2, 1. A decoder waits
for the last state of its encoder, and has stages of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from microgrrepresent.graph import Graph
from microgrrepresent.node import Node
from microgrrepresent.recurrence.rounds import root_of


@dataclass(frozen=True)
class Playback:
    """The stages of a computation, and the one at which each node is there.

    Attributes
    ----------
    steps : tuple of int
        The step of each stage from 1 on.
    stage : dict from Node to int
        0 for what is there before the first stage, ``last`` for what is made of all of them.
    """

    steps: tuple[int, ...]
    stage: dict[Node, int]

    @property
    def last(self) -> int:
        """The stage after all steps, at which the loss is there."""
        return len(self.steps) + 1

    def of_step(self, node: Node) -> int | None:
        """The stage of a node that stands in a step, None for others."""
        return None if node.step is None else self.stage.get(node)

    def names(self) -> list[str]:
        """What each stage is called: its step, and where steps come again, which loop it is in."""
        scopes: list[set[str]] = [set() for _ in range(self.last)]
        for node, at in self.stage.items():
            if node.parents and node.step is not None:
                scopes[at].add(root_of(node))
        names = []
        for at, step in enumerate(self.steps, 1):
            name = f"t = {step}"
            again = [k for k, other in enumerate(self.steps, 1) if other == step and k != at]
            if again:
                own = sorted(scopes[at].difference(*(scopes[k] for k in again)) - {""})
                back = at > 1 and step < self.steps[at - 2]
                name = f"{own[0]}, {name}" if own else f"{'←' if back else '→'} {name}"
            names.append(name)
        return names


def playback(graph: Graph) -> Playback:
    """Put what was computed into stages.

    A node is made at the first stage of its step at which all that it reads is there; what reads
    nothing of other steps waits until it is read. So each stage needs only those before it.
    """
    stage: dict[Node, int] = {}
    steps: list[int] = []
    for node in graph:
        at = max((stage[parent] for parent in node.parents), default=0)
        if node.parents and node.step is not None:
            at = max(at, 1)
            while at <= len(steps) and steps[at - 1] != node.step:
                at += 1
            if at > len(steps):
                steps.append(node.step)
        stage[node] = at
    backwards = list(reversed(list(graph)))
    for node in backwards:
        users = graph.consumers(node)
        if node.step not in steps:
            continue
        if users and all(user.step == node.step for user in users):
            stage[node] = min(stage[user] for user in users)
        elif not node.parents:  # cut off from the step at which it was computed
            stage[node] = 1 + steps.index(node.step)
    leads_on: set[Node] = set()
    for node in backwards:
        if node.step is not None or node in leads_on:
            leads_on.update(node.parents)
        elif node.parents:
            stage[node] = 1 + len(steps)
    return Playback(tuple(steps), stage)
