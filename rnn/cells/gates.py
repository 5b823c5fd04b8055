"""Products of a cell's weights with x and h: for all gates at once, or gate by gate.

A parameter holds the gates' blocks of rows one below the other. ``fused`` multiplies with all of
them at once and splits the result, which is fast. ``per_gate`` splits the parameter and takes a
product for each gate, as the notes write the equations, which is the better picture.
"""

from __future__ import annotations

from typing import Literal

from microgrrepresent import Tensor, linear, split

Composition = Literal["fused", "per_gate"]


class Blocks:
    """A weight matrix whose rows are the blocks of some gates.

    Parameters
    ----------
    letters : str
        The gates, in the order of their blocks.
    rows : Tensor, shape (gates * H, columns)
        The blocks, one below the other.
    name : str
        The letter of the whole; a block of its own is named ``W_f``.
    per_gate : bool
        Whether to split the rows instead of the product.
    """

    def __init__(self, letters: str, rows: Tensor, name: str, per_gate: bool) -> None:
        self.letters, self.rows = letters, rows
        self.parts = parts_by_letter(letters, rows, name) if per_gate else {}

    def __call__(self, x: Tensor) -> dict[str, Tensor]:
        """The product of each gate's block with x, by letter."""
        if self.parts:
            return {gate: linear(x, part) for gate, part in self.parts.items()}
        return dict(
            zip(self.letters, split(linear(x, self.rows), len(self.letters), -1), strict=True)
        )


class Sums:
    """W x + U h + b for each of some gates.

    Parameters
    ----------
    letters : str
        The gates, in the order of their blocks of rows.
    W, U, b : Tensor
        Input weights, recurrent weights, and bias (or None).
    per_gate : bool
        Whether to compose the sum of each gate on its own.
    """

    def __init__(self, letters: str, W: Tensor, U: Tensor, b: Tensor | None, per_gate: bool):
        self.letters, self.b = letters, b
        self.W, self.U = Blocks(letters, W, "W", per_gate), Blocks(letters, U, "U", per_gate)
        self.biases = parts_by_letter(letters, b, "b") if per_gate and b is not None else {}

    def __call__(self, x: Tensor, h: Tensor) -> dict[str, Tensor]:
        """The sum of each gate, by letter."""
        if self.W.parts:
            wx, uh = self.W(x), self.U(h)
            sums = {gate: wx[gate] + uh[gate] for gate in wx}
            return {gate: sums[gate] + b for gate, b in self.biases.items()} or sums
        a = linear(x, self.W.rows) + linear(h, self.U.rows)
        a = a if self.b is None else a + self.b
        return dict(zip(self.letters, split(a, len(self.letters), -1), strict=True))


def parts_by_letter(letters: str, rows: Tensor, name: str) -> dict[str, Tensor]:
    """The block of each gate, named ``W_f``."""
    blocks = zip(letters, split(rows, len(letters)), strict=True)
    return {letter: block.named(f"{name}_{letter}") for letter, block in blocks}


def checked_composition(composition: str, who: str) -> bool:
    """Whether to compose gate by gate.

    Raises
    ------
    ValueError
        If the composition is neither fused nor per_gate.
    """
    if composition not in ("fused", "per_gate"):
        raise ValueError(
            f"{who}: composition is 'fused' (one product for all gates) or 'per_gate' "
            f"(one for each); given {composition!r}"
        )
    return composition == "per_gate"


def added(a: Tensor | None, b: Tensor | None, name: str) -> Tensor | None:
    """The sum of two biases, which are both there or both None."""
    return None if a is None or b is None else (a + b).named(name)
