"""The recurrent network over a graph: a state at every vertex, messages along every edge.

A recurrent network over a sequence is the special case in which the graph is a directed path.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from microgrrepresent import ShapeError, Tensor, concatenate, matmul
from microgrrepresent.arrays import plain_array
from microgrrepresent.node import Array
from rnn.cells.cell import Cell
from rnn.cells.simple import RNNCell
from rnn.initialize import Rng, floating, generator
from rnn.inputs import integer, tensor_of
from rnn.layers.dense import Linear
from rnn.module import Module

Message = Callable[[Tensor, Tensor, Tensor | None], Tensor]
Update = Callable[[Tensor, Tensor], Tensor]


class GraphRecurrentCell(Module):
    r"""One round of messages between the vertices of a graph (Scarselli et al. 2009).

        m(v) = Σ_{u → v} f(h'(v), h'(u), e(u, v))     what v hears from its neighbors
        h(v) = g([x(v); m(v)], h'(v))                 its new state

    where h' is the state before and x(v) what is known of the vertex. By default f is affine, and g
    is an `RNNCell`; a `GRUCell` in its place makes the gated graph network of Li et al. (2016).
    Vertices are not ordered: renaming them renames the result. `on` a graph, which says who hears
    whom, it is a `Cell`.

    Parameters
    ----------
    input_size : int
        Length of x(v), or 0 for none.
    hidden_size : int
        Length of h(v).
    edge_size : int
        Length of e(u, v), or 0 for none.
    message_size : int, optional
        Length of a message; hidden_size if not given.
    message : callable, optional
        f: ``message(h_v, h_u, e)`` of arrays with one row for each edge, e None if there is none.
    update : callable, optional
        g: ``update(x_and_m, h)`` of arrays with one row for each vertex, such as a cell.
    dtype, rng
        As for the cells.

    Examples
    --------
    >>> import numpy as np
    >>> from rnn import GraphRecurrentCell, unroll
    >>> cell = GraphRecurrentCell(2, 5, rng=0)
    >>> triangle = cell.on([(0, 1), (1, 2), (2, 0)], vertices=3)
    >>> rounds = np.zeros((4, 3, 2))
    >>> unroll(triangle, rounds).state.shape
    (3, 5)
    """

    scope = "graph"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        edge_size: int = 0,
        message_size: int | None = None,
        message: Message | None = None,
        update: Update | None = None,
        *,
        dtype: DTypeLike | None = None,
        rng: Rng = None,
    ) -> None:
        rng = generator(rng)
        width = message_size or hidden_size
        self.input_size = integer(input_size, 0, "GraphRecurrentCell: input_size")
        self.hidden_size = integer(hidden_size, 1, "GraphRecurrentCell: hidden_size")
        self.edge_size = integer(edge_size, 0, "GraphRecurrentCell: edge_size")
        self.dtype = floating(dtype)
        self.f = (
            None if message else Linear(2 * hidden_size + edge_size, width, dtype=dtype, rng=rng)
        )
        self.g = update or RNNCell(input_size + width, hidden_size, dtype=dtype, rng=rng)
        self.message = message or self._affine

    def _affine(self, h_v: Tensor, h_u: Tensor, e: Tensor | None) -> Tensor:
        assert self.f is not None
        return self.f(concatenate([h_v, h_u] if e is None else [h_v, h_u, e], axis=-1))

    def on(
        self, edges: ArrayLike, vertices: int, features: Tensor | ArrayLike | None = None
    ) -> GraphRound:
        """Put the cell on one graph.

        Parameters
        ----------
        edges : array of int, shape (E, 2)
            Pairs (u, v): u speaks, v listens. An undirected edge is two pairs.
        vertices : int
            N; vertices are numbered 0 to N-1.
        features : array, shape (E, edge_size), optional
            e(u, v).

        Returns
        -------
        GraphRound
            The cell on this graph, for `unroll`.
        """
        vertices = integer(vertices, 1, f"{self!r}: vertices")
        pairs = plain_array(edges)
        if not pairs.size:
            pairs = np.zeros((0, 2), np.int64)
        if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.dtype.kind not in "iu":
            raise ShapeError(
                f"{self!r}: expected edges of shape (E, 2), pairs of integers (u, v), got "
                f"{pairs.shape} of {pairs.dtype}; of two rows, speakers above listeners, give the "
                "transpose"
            )
        if pairs.size and not 0 <= pairs.min() <= pairs.max() < vertices:
            raise ValueError(
                f"{self!r}: vertices are numbered 0..{vertices - 1}; the edges name "
                f"{pairs.min()}..{pairs.max()}"
            )
        e = None if features is None else tensor_of(features, self.dtype, self, "e")
        shape = (len(pairs), 0) if e is None else e.shape
        if shape != (len(pairs), self.edge_size):
            raise ShapeError(
                f"{self!r}: expected features of shape ({len(pairs)}, {self.edge_size}), a row "
                f"for each edge, got {None if e is None else e.shape}"
            )
        return GraphRound(self, pairs, vertices, e)

    def __repr__(self) -> str:
        return f"GraphRecurrentCell({self.input_size}, {self.hidden_size})"


class GraphRound(Cell[Tensor]):
    """A `GraphRecurrentCell` on one graph, made by ``cell.on``: the cell of a network over time.

    A step is a round of messages. The vertices stand where the batch of other cells does: x is
    (N, input_size), the state is (N, hidden_size).
    """

    def __init__(
        self, cell: GraphRecurrentCell, pairs: np.ndarray[Any, Any], n: int, e: Tensor | None
    ) -> None:
        super().__init__(cell.input_size, cell.hidden_size, dtype=cell.dtype, rng=None)
        self.scope = cell.scope
        self.cell, self.e, self.vertices = cell, e, n
        self.speakers, self.listeners = pairs[:, 0], pairs[:, 1]

    def _blank(self, size: int) -> Array:
        return np.zeros((self.vertices, size))

    def initial_state(self, batch: int | None = None) -> Tensor:
        """The state before the first round: zeros (N, hidden_size)."""
        return super().initial_state(self.vertices)

    def _input(self, x: Any) -> Tensor:
        node = super()._input(x)
        if node.shape != (self.vertices, self.input_size):
            raise ShapeError(
                f"{self._here()}: expected x of shape {(self.vertices, self.input_size)}, a row "
                f"for each vertex, got {node.shape}"
            )
        return node

    def shared(self) -> tuple[Tensor, Update]:
        """Who hears which message, a matrix (N, E) of 0 and 1; and g, bound if it is a cell."""
        hears = self.listeners == np.arange(self.vertices)[:, None]
        g = self.cell.g
        return Tensor(hears, name="A", dtype=self.dtype), g.bound() if isinstance(g, Cell) else g

    def forward(self, x: Tensor, h: Tensor, hears: Tensor, g: Update) -> Tensor:
        """The equations."""
        message = self.cell.message(h[self.listeners], h[self.speakers], self.e)
        m = matmul(hears, message).named("m")
        return g(concatenate([x, m], axis=-1) if self.input_size else m, h)
