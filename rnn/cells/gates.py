"""The sums of a cell's gates, W x + U h + b: of all gates at once, or gate by gate.

A parameter holds the gates' blocks of rows one below the other. ``fused`` multiplies with all of
them at once and splits the result, which is fast. ``per_gate`` splits the parameter and takes a
product for each gate, as the notes write the equations, which is the better picture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from microgrrepresent import Tensor, linear, split

Composition = Literal["fused", "per_gate"]
Gates = dict[str, Tensor]
"""A Tensor for each gate, by the gate's letter."""
GateSums = Callable[..., Gates]
"""A function of x, of h or of both that gives the sum of each gate."""


def gate_sums(
    letters: str, weights: Mapping[str, Tensor], bias: Tensor | Gates | None, per_gate: bool
) -> GateSums:
    """A function ``(x, h) -> {"i": W_i x + U_i h + b_i, ...}`` of as many vectors as weights.

    Parameters
    ----------
    letters : str
        The gates, in the order of their blocks of rows.
    weights : mapping of str to Tensor, shape (gates * H, columns)
        By the letter of the whole, W; the block of a gate is named ``W_i``.
    bias : Tensor, shape (gates * H,), or dict of Tensor, optional
        Of all gates, or of some by letter, which needs `per_gate`.
    per_gate : bool
        Whether to take the sum of each gate on its own.
    """
    matrices = list(weights.values())
    if not per_gate:
        assert not isinstance(bias, dict)

        def at_once(*vectors: Tensor) -> Gates:
            a = _affine(vectors, matrices, bias)
            return dict(zip(letters, split(a, len(letters), -1), strict=True))

        return at_once
    each = [by_gate(letters, rows, name) for name, rows in weights.items()]
    b = by_gate(letters, bias, "b") if isinstance(bias, Tensor) else bias or {}
    return lambda *vectors: {
        gate: _affine(vectors, [blocks[gate] for blocks in each], b.get(gate)) for gate in letters
    }


def _affine(vectors: tuple[Tensor, ...], matrices: list[Tensor], b: Tensor | None) -> Tensor:
    """W x + U h + b."""
    a, *others = (linear(x, W) for x, W in zip(vectors, matrices, strict=True))
    for other in others:
        a = a + other
    return a if b is None else a + b


def by_gate(letters: str, rows: Tensor, name: str) -> Gates:
    """The block of rows of each gate, named ``W_f``."""
    blocks = zip(letters, split(rows, len(letters)), strict=True)
    return {gate: block.named(f"{name}_{gate}") for gate, block in blocks}


def is_per_gate(composition: str, who: str) -> bool:
    """Whether to compose gate by gate.

    Raises
    ------
    ValueError
        If the composition is neither fused nor per_gate.
    """
    if composition not in ("fused", "per_gate"):
        raise ValueError(
            f"{who}: composition must be 'fused' (one product for all gates) or 'per_gate' "
            f"(one for each), got {composition!r}"
        )
    return composition == "per_gate"


def bias_sum(b_ih: Tensor | None, b_hh: Tensor | None) -> Tensor | None:
    """b, the sum of two biases that are both there or both None."""
    return None if b_ih is None or b_hh is None else (b_ih + b_hh).named("b")
