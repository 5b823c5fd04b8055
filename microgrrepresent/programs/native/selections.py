"""Elements that other arrays choose: rows of a table, one of each row, pairs of places."""

from __future__ import annotations

import ast

from microgrrepresent.programs.expressions import Expr, name
from microgrrepresent.programs.native.elements import Elements, Index, Unknown, as_real
from microgrrepresent.programs.native.sums import Sums
from microgrrepresent.programs.sizes import Dimension, length


class Selections(Sums):
    """What an index that is read gives; each of its numbers is checked."""

    def rows(self, x: Elements, at: Elements) -> Elements:
        """Rows of a table: ``E[y]``."""
        n = len(at.shape)

        def element(index: Index) -> Expr:
            return x.at([self.checked(at.at(index[:n]), x.shape[0]), *index[n:]])

        return Elements((*at.shape, *x.shape[1:]), element, x.kind)

    def one_hot(self, width: Dimension, at: Elements) -> Elements:
        """Rows of the identity: ``np.eye(n)[y]``."""

        def element(index: Index) -> Expr:
            return ast.Compare(index[-1], [ast.Eq()], [self.checked(at.at(index[:-1]), width)])

        return as_real(Elements((*at.shape, width), element, "truth"), self.real)

    def element_of_each_row(self, x: Elements, at: Elements) -> Elements:
        """``np.take_along_axis(x, y[..., None], -1)[..., 0]``."""

        def element(index: Index) -> Expr:
            return x.at([*index, self.checked(at.at(index), x.shape[-1])])

        return Elements(x.shape[:-1], element, x.kind)

    def pairwise(self, x: Elements, rows: Elements, columns: Elements) -> Elements:
        """``x[rows, columns]``."""
        if len(rows.shape) != 1 or len(columns.shape) != 1:
            raise Unknown("an index of several axes")

        def element(index: Index) -> Expr:
            row = rows.at(index)
            row = row if rows.kind == "number" else self.checked(row, x.shape[0])
            return x.at([row, self.checked(columns.at(index), x.shape[1])])

        return Elements(columns.shape, element, x.kind)

    def checked(self, index: Expr, n: Dimension) -> Expr:
        """An index that is read, and may be anything."""
        return ast.Call(name(self.places.functions["place"]), [index, length(n)], [])
