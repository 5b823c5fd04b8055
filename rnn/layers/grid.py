"""Cells in layers and directions, whose parameters bear the names that PyTorch gives them.

``weight_ih_l0`` of the layer is ``weight_ih`` of its first cell; ``weight_ih_l0_reverse`` is that
of the cell that runs backward. The Tensors are the cells' own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from microgrrepresent import Tensor
from rnn.cells.cell import Cell
from rnn.module import Module
from rnn.parameters import replaced

S = TypeVar("S")


class CellGrid(Module, Generic[S]):
    """Cells in layers and directions, and their parameters by name.

    Attributes
    ----------
    cells : list of Cell
        Layer 0 forward, layer 0 backward (if bidirectional), layer 1 forward, and so on.
    num_layers, directions : int
        How many there are of either.
    """

    cells: list[Cell[S]]
    num_layers: int
    directions: int

    def _suffix(self, k: int) -> str:
        layer, direction = divmod(k, self.directions)
        return f"_l{layer}" + ("_reverse" if direction else "")

    def named_tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Name and Tensor of every parameter: ``weight_ih_l0``, ``bias_hh_l1_reverse``."""
        for name, tensor in super().named_tensors():
            held, _, rest = name.partition(".")
            if held == "cells":
                index, _, inner = rest.partition(".")
                name = f"{inner}{self._suffix(int(index))}"
            yield name, tensor

    def _owner(self, name: str) -> tuple[Cell[S] | None, str]:
        """The cell that has a parameter of the layer, if one does, and its name there."""
        for k, cell in enumerate(vars(self).get("cells", ())):
            inner = name.removesuffix(self._suffix(k))
            if inner != name and inner in vars(cell):
                return cell, inner
        return None, name

    def __getattr__(self, name: str) -> Tensor:
        cell, inner = self._owner(name)
        if cell is None or not isinstance(tensor := getattr(cell, inner), Tensor):
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return tensor

    def __setattr__(self, name: str, value: Any) -> None:
        cell, inner = self._owner(name)
        if cell is None:
            super().__setattr__(name, value)
            return
        own = getattr(cell, inner)
        if not isinstance(own, Tensor):
            raise AttributeError(f"{self!r} was made without {name}, and does not use one")
        setattr(cell, inner, replaced(own, value, f"{type(self).__name__}.{name}"))

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(name for name, _ in self.named_tensors())]

    def directions_of(self, layer: int) -> list[Cell[S]]:
        """The cells of one layer, forward and, if bidirectional, backward.

        Raises
        ------
        ValueError
            If there is no layer of that number.
        """
        if layer not in range(self.num_layers):
            raise ValueError(
                f"{self!r}: its layers are numbered 0..{self.num_layers - 1}, got {layer!r}"
            )
        return self.cells[layer * self.directions : (layer + 1) * self.directions]
