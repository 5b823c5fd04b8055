"""Pre-activations of gates: W x + U h + b, for all gates at once or gate by gate.

Both ways use the same parameters, in which the gates' blocks of rows stand one below the other.
``fused`` takes one product with all of them and splits the result: fast. ``per_gate`` splits the
parameters and takes one product a gate, as the notes write the equations: a better picture.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from microgrrepresent import Tensor, linear, split

Composition = Literal["fused", "per_gate"]


class Affine(NamedTuple):
    """The blocks of one gate, or of all of them: W (rows, I), U (rows, H) and b (rows,) or None."""

    W: Tensor
    U: Tensor
    b: Tensor | None

    def __call__(self, x: Tensor, h: Tensor) -> Tensor:
        """W x + U h + b."""
        a = linear(x, self.W) + linear(h, self.U)
        return a if self.b is None else a + self.b


def affine(
    letters: str,
    W: Tensor,
    U: Tensor,
    b: Tensor | None,
    composition: Composition,
) -> list[Affine]:
    """The shared part of a step: one `Affine` of all gates, or one for each letter."""
    if composition == "fused":
        return [Affine(W, U, b)]
    n = len(letters)
    Ws, Us = split(W, n), split(U, n)
    bs = [None] * n if b is None else split(b, n)
    for letter, *blocks in zip(letters, Ws, Us, bs, strict=True):
        for name, block in zip("WUb", blocks, strict=True):
            if block is not None:
                block.named(f"{name}_{letter}")
    return [Affine(*blocks) for blocks in zip(Ws, Us, bs, strict=True)]


def sums(gates: list[Affine], letters: str, x: Tensor, h: Tensor) -> list[Tensor]:
    """W x + U h + b of every gate, in the order of the letters."""
    if len(gates) == 1 < len(letters):
        return split(gates[0](x, h), len(letters), axis=-1)
    return [gate(x, h) for gate in gates]
