"""Which numbers in a program are sizes: those that differ between two recordings of it.

One and the same code is recorded twice, with inputs of different lengths. A number that is the
same in both is a number. One that differs must follow from the lengths, as ``T + 1`` or ``T * B``
do; so it is written, and the program runs for any lengths.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

from microgrrepresent.errors import GraphError

Dimension = int | ast.expr
"""A length: a number, or an expression over the sizes."""


@dataclass(frozen=True)
class Size:
    """An axis that the two recordings have in different lengths."""

    name: str
    first: int
    second: int


class UnknownNumber(GraphError):
    """A number that does not follow from the lengths.

    Attributes
    ----------
    number : int or float
        What it is in the first recording.
    """

    def __init__(self, message: str, number: float) -> None:
        super().__init__(message)
        self.number = number


class Sizes:
    """Read numbers of two recordings as expressions over the sizes that tell them apart."""

    def __init__(self, sizes: Sequence[Size]) -> None:
        self.sizes = tuple(sizes)

    def expression(self, first: int, second: int, what: str) -> Dimension:
        """What is `first` in one recording and `second` in the other.

        Raises
        ------
        GraphError
            If it does not follow from the sizes, or follows from them in two ways.
        """
        if first == second:
            return first
        found = self._products(first, second) or self._sums(first, second)
        if len(found) != 1:
            a = where_lengths({s.name: s.first for s in self.sizes})
            b = where_lengths({s.name: s.second for s in self.sizes})
            how = "does not follow" if not found else "may follow in several ways"
            raise UnknownNumber(
                f"program: {what} is {first} {a}, and {second} {b}; that "
                f"{how} from the lengths of the inputs, as a length does, a product of lengths, "
                "one plus or minus a whole number, or 1 divided by one of these; what depends on "
                "the inputs in another way must be an input itself",
                first,
            )
        return ast.parse(found[0], mode="eval").body

    def _products(self, first: int, second: int) -> list[str]:
        """k, k * T, k * T * B."""
        found = []
        for n in (1, 2, 3):
            for chosen in combinations_with_replacement(self.sizes, n):
                a = b = 1
                for size in chosen:
                    a, b = a * size.first, b * size.second
                if first % a == 0 and second % b == 0 and first // a == second // b > 0:
                    names = [size.name for size in chosen]
                    factor = first // a
                    found.append(" * ".join([*([str(factor)] if factor > 1 else []), *names]))
            if found:
                return found
        return found

    def _sums(self, first: int, second: int) -> list[str]:
        """T + k."""
        return [
            f"{size.name} {'+' if first > size.first else '-'} {abs(first - size.first)}"
            for size in self.sizes
            if first - size.first == second - size.second
        ]


def where_lengths(lengths: Mapping[str, int]) -> str:
    """``where T = 8 and B = 7``: which recording is meant."""
    said = " and ".join(f"{n} = {length}" for n, length in lengths.items())
    return f"where {said}" if said else "in one recording"


def length(dimension: Dimension) -> ast.expr:
    """A dimension as an expression."""
    return ast.Constant(dimension) if isinstance(dimension, int) else dimension


def dimension(length: ast.expr) -> Dimension:
    """An expression as a dimension."""
    match length:
        case ast.Constant(int(n)):
            return n
    return length


def shape_expression(shape: Sequence[Dimension]) -> ast.expr:
    """A shape as a tuple."""
    return ast.Tuple([length(n) for n in shape], ast.Load())


def same(a: Dimension, b: Dimension) -> bool:
    """Whether two dimensions are written alike."""
    return ast.dump(length(a)) == ast.dump(length(b))
