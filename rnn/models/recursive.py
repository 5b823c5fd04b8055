"""The recursive network: one cell, applied at every inner node of a tree.

A recurrent network is the special case in which the tree is a chain that branches to the left.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from microgrrepresent import ShapeError, Tensor, concatenate, linear, scope
from rnn.cells.activations import activation
from rnn.cells.simple import Nonlinearity
from rnn.initialize import Rng, floating, generator, uniform
from rnn.inputs import integer, tensor_of
from rnn.module import Module

Tree = Any
"""A leaf, which is a vector (H,) or (B, H), or a tuple or list of trees."""


class RecursiveCell(Module):
    r"""Compose the vectors of a node's children into the node's own (Socher et al. 2011).

        h = φ(W [h_1; h_2] + b)

    It is called with a tree, not with (x, state) as a `Cell`: a tree has no steps in which a state
    is carried, and its leaves are inputs and first states in one. Over a sequence, which is a chain
    that branches to the left, ``unroll(lambda x, h: cell.compose(h, x), xs[1:], xs[0])`` runs it.

    Parameters
    ----------
    hidden_size : int
        Length of every vector: leaves, inner nodes and root.
    bias : bool
        Whether b is there.
    nonlinearity : {"tanh", "relu", "sigmoid", "identity"}
        φ.
    children : int
        Number of children of an inner node.
    dtype : data type
        Of the parameters.
    rng : Generator or int, optional
        Where first values come from: U(-k, k) with k = 1/sqrt(children * hidden_size).

    Attributes
    ----------
    weight : Tensor, shape (hidden_size, children * hidden_size)
        A block of columns for each child, in order.
    bias : Tensor, shape (hidden_size,), or None

    Examples
    --------
    >>> import numpy as np
    >>> from rnn import RecursiveCell
    >>> the, cat, sat = np.eye(3)
    >>> RecursiveCell(3, rng=0)(((the, cat), sat)).shape
    (3,)
    """

    scope = "recursive"

    def __init__(
        self,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: Nonlinearity = "tanh",
        children: int = 2,
        *,
        dtype: DTypeLike | None = None,
        rng: Rng = None,
    ) -> None:
        self.hidden_size = integer(hidden_size, 1, "RecursiveCell: hidden_size")
        self.children = integer(children, 1, "RecursiveCell: children")
        self.dtype = floating(dtype)
        self.phi = activation(nonlinearity, "RecursiveCell")
        rng = generator(rng)
        k = float(1 / np.sqrt(children * hidden_size))
        self.weight = uniform((hidden_size, children * hidden_size), k, "W", dtype, rng)
        self.bias = uniform((hidden_size,), k, "b", dtype, rng) if bias else None

    def compose(self, *children: Tensor) -> Tensor:
        """The equation: the vector of a node from those of its children."""
        a = linear(concatenate(children, axis=-1), self.weight)
        return self.phi(a if self.bias is None else a + self.bias).named("h")

    def __call__(self, tree: Tree) -> Tensor:
        """The vector of the root of a tree.

        Parameters
        ----------
        tree : nested tuples or lists of vectors
            ``((x_1, x_2), x_3)``; a leaf is a Tensor or array (H,), or (B, H) for a batch of trees
            of one shape.
        """
        done: list[Tensor] = []
        todo: list[tuple[Tree, bool]] = [(tree, False)]
        with scope(self.scope):
            while todo:  # children first, without recursion, so that a tree may be a long chain
                node, visited = todo.pop()
                if not isinstance(node, (tuple, list)):
                    done.append(self._leaf(node))
                elif visited:
                    children = done[-self.children :]
                    del done[-self.children :]
                    if len(shapes := {child.shape for child in children}) > 1:
                        raise ShapeError(
                            f"{self!r}: the children of a node are of one shape, got "
                            f"{' beside '.join(map(str, sorted(shapes)))}; give all leaves of the "
                            "tree a batch axis, or none"
                        )
                    done.append(self.compose(*children))
                elif len(node) != self.children:
                    raise ShapeError(
                        f"{self!r}: every inner node of the tree has {self.children} children, "
                        f"got one with {len(node)}; a leaf is an array or Tensor, no tuple"
                    )
                else:
                    todo.append((node, True))
                    todo.extend((child, False) for child in reversed(node))
        return done[0]

    def _leaf(self, x: Tensor | ArrayLike) -> Tensor:
        leaf = tensor_of(x, self.dtype, self)
        if leaf.ndim not in (1, 2) or leaf.shape[-1] != self.hidden_size:
            raise ShapeError(
                f"{self!r}: expected leaves of shape ({self.hidden_size},) or "
                f"(batch, {self.hidden_size}), got {leaf.shape}"
            )
        return leaf if leaf.name else leaf.named("x")

    def __repr__(self) -> str:
        return f"RecursiveCell({self.hidden_size})"
