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
    """A weight matrix or a bias whose rows are the blocks of some gates.

    Parameters
    ----------
    letters : str
        The gates, in the order of their blocks.
    rows : Tensor, shape (gates * H, columns) or (gates * H,)
        The blocks, one below the other.
    name : str
        The letter of the whole; a block of its own is named ``W_f``.
    per_gate : bool
        Whether to split the rows instead of the product.
    """

    def __init__(self, letters: str, rows: Tensor, name: str, per_gate: bool) -> None:
        self.rows, self.n = rows, len(letters)
        self.parts: list[Tensor] = []
        if per_gate:
            blocks = split(rows, self.n)
            self.parts = [b.named(f"{name}_{x}") for b, x in zip(blocks, letters, strict=True)]

    def __call__(self, x: Tensor) -> list[Tensor]:
        """The product of each gate's block with x."""
        if self.parts:
            return [linear(x, part) for part in self.parts]
        return split(linear(x, self.rows), self.n, axis=-1)

    def each(self) -> list[Tensor]:
        """Each gate's block of a bias."""
        return self.parts or split(self.rows, self.n)


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
        self.W = Blocks(letters, W, "W", per_gate)
        self.U = Blocks(letters, U, "U", per_gate)
        self.b = None if b is None else Blocks(letters, b, "b", per_gate)

    def __call__(self, x: Tensor, h: Tensor) -> list[Tensor]:
        """The sum of each gate."""
        if not self.W.parts:
            a = linear(x, self.W.rows) + linear(h, self.U.rows)
            return split(a if self.b is None else a + self.b.rows, self.W.n, -1)
        sums = [wx + uh for wx, uh in zip(self.W(x), self.U(h), strict=True)]
        return sums if self.b is None else [a + b for a, b in zip(sums, self.b.parts, strict=True)]


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
