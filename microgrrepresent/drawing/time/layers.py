"""What tells the variables of layers apart: h^(1) and h^(2), h→ and h←, as in the equations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from microgrrepresent.letters import InLayer, in_layer, layer_marks
from microgrrepresent.node import Node


@dataclass(frozen=True)
class Layers:
    """The layers of a graph.

    Attributes
    ----------
    of_scopes : dict
        For the scope of each layer, its mark: a number, an arrow, or both.
    of_names : dict
        For the name of each parameter of a layer, its mark.
    stacks : set
        The scopes that have several layers in them.
    """

    of_scopes: Mapping[str, str]
    of_names: Mapping[str, str]
    stacks: frozenset[str]

    def written(self, name: str) -> str:
        """A parameter's name with its layer above it: ``W_hh^2`` for ``W_hh_l1``."""
        layer = in_layer(name) if name in self.of_names else None
        if layer is None:
            return name
        mark = self.of_names[name]
        return f"{layer.stem}^{mark}" if mark else layer.stem

    def mark(self, scope: str) -> str:
        """What is written behind the letter of a variable of a layer: ``^2→``, or nothing."""
        mark = self.of_scopes.get(scope, "")
        return f"^{mark}" if mark else ""

    def network(self, scope: str) -> str:
        """The scope of the network that a layer is part of; of anything else, its own."""
        return scope.rpartition("/")[0] or scope if scope in self.of_scopes else scope


def layers_in(nodes: Iterable[Node]) -> Layers:
    """Find the layers: scopes side by side in one network, and ends of the names of parameters."""
    stacks: dict[str, dict[str, InLayer]] = defaultdict(dict)
    names: dict[str, InLayer] = {}
    for node in nodes:
        network, _, last = node.scope.rpartition("/")
        if (layer := in_layer(last)) is not None and not layer.stem:
            stacks[network][node.scope] = layer
        if node.name and (layer := in_layer(node.name)) is not None and layer.stem:
            names[node.name] = layer
    marks = [layer_marks(stack) for stack in stacks.values()]
    several = {
        network
        for network, stack in stacks.items()
        if len({layer.number for layer in stack.values()}) > 1
    }
    return Layers(
        {scope: mark for found in marks for scope, mark in found.items()},
        layer_marks(names),
        frozenset(several),
    )
