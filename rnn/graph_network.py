"""The recurrent network over a graph: a state at every vertex, messages along every edge.

A recurrent network over a sequence is the special case in which the graph is a directed path.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from microgrrepresent import ShapeError, Tensor, concatenate, matmul, scope
from rnn.cells.simple import RNNCell
from rnn.dense import Linear
from rnn.initialise import Rng, floating
from rnn.inputs import tensor_of
from rnn.module import Module

Message = Callable[[Tensor, Tensor, Tensor | None], Tensor]
Update = Callable[[Tensor, Tensor], Tensor]


class GraphRecurrentCell(Module):
    r"""One round of messages between the vertices of a graph (Scarselli et al. 2009).

        m(v) = Σ_{u → v} f(h'(v), h'(u), e(u, v))     what v hears from its neighbours
        h(v) = g([x(v); m(v)], h'(v))                 its new state

    where h' is the state before and x(v) what is known of the vertex. By default f is affine, and g
    is an `RNNCell`; a `GRUCell` in its place makes the gated graph network of Li et al. (2016).
    Vertices are not ordered: renaming them renames the result.

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
    >>> unroll(triangle, rounds, triangle.initial_state()).state.shape
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
        dtype: DTypeLike = np.float64,
        rng: Rng = None,
    ) -> None:
        rng = np.random.default_rng(rng)
        width = message_size or hidden_size
        self.input_size, self.hidden_size, self.edge_size = input_size, hidden_size, edge_size
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
            A function ``(x, h) -> h`` for `unroll`.
        """
        pairs = np.asarray(edges, dtype=np.int64).reshape(-1, 2)
        if pairs.size and not 0 <= pairs.min() <= pairs.max() < vertices:
            raise ValueError(
                f"{self!r}: vertices are numbered 0..{vertices - 1}; the edges name "
                f"{pairs.min()}..{pairs.max()}"
            )
        e = None if features is None else tensor_of(features, self.dtype, self, "e")
        if (0 if e is None else e.shape[-1]) != self.edge_size or (
            e is not None and e.shape[0] != len(pairs)
        ):
            raise ShapeError(
                f"{self!r}: expected features of shape ({len(pairs)}, {self.edge_size}), a row "
                f"for each edge, given {None if e is None else e.shape}"
            )
        return GraphRound(self, pairs, vertices, e)

    def __repr__(self) -> str:
        return f"GraphRecurrentCell({self.input_size}, {self.hidden_size})"


class GraphRound:
    """A `GraphRecurrentCell` on one graph: a function ``(x, h) -> h``. Made by ``cell.on``."""

    def __init__(
        self, cell: GraphRecurrentCell, pairs: np.ndarray[Any, Any], n: int, e: Tensor | None
    ) -> None:
        self.cell, self.e, self.vertices = cell, e, n
        self.speakers, self.listeners = pairs[:, 0], pairs[:, 1]
        hears = self.listeners == np.arange(n)[:, None]  # (N, E): who hears which message
        self.hears = Tensor(hears, name="A", dtype=cell.dtype)

    def initial_state(self) -> Tensor:
        """The state before the first round: zeros (N, hidden_size)."""
        return Tensor(np.zeros((self.vertices, self.cell.hidden_size), self.cell.dtype), name="h")

    def __call__(self, x: Tensor, h: Tensor | None = None) -> Tensor:
        """Take one round: the new state (N, hidden_size) from x (N, input_size) and the state."""
        cell = self.cell
        with scope(cell.scope):
            h = self.initial_state() if h is None else h
            if h.shape != (self.vertices, cell.hidden_size):
                raise ShapeError(
                    f"{cell!r}: expected h of shape {(self.vertices, cell.hidden_size)}, a row "
                    f"for each vertex, given {h.shape}"
                )
            m = matmul(self.hears, cell.message(h[self.listeners], h[self.speakers], self.e))
            m.named("m")
            return cell.g(concatenate([x, m], axis=-1) if cell.input_size else m, h)
