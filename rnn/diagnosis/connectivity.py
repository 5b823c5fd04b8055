r"""Which earlier inputs the loss at each step listens to: ``|dL_t/dx_k|`` for every t and k.

    heard = connectivity(losses, xs)
    print(heard)                # for each step, the inputs that it listens to most
    heard.save("heard.png")     # the matrix (matplotlib); .html has it with numbers, and the text

Where gradients vanish, the matrix is a narrow band beside its diagonal. Madsen (2019),
"Visualizing memorization in RNNs", Distill, https://doi.org/10.23915/distill.00016, has the
picture of a text, its letters colored by what the next one owes to them, and the name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from microgrrepresent import GradientError, Node, ShapeError, backward
from microgrrepresent.arguments import one_node
from microgrrepresent.files import as_path, write_file
from microgrrepresent.node import Array
from microgrrepresent.norms import euclidean_norm
from rnn.diagnosis.by_time import seeded, time_of, twice
from rnn.diagnosis.shown import Shown

if TYPE_CHECKING:
    import os

    from rnn.figures import Figure

MOST = 3
"""Inputs that the table names for each loss."""


@dataclass(frozen=True)
class Connectivity(Shown):
    """How much the loss of each step depends on each input. Made by `connectivity`.

    Attributes
    ----------
    norms : ndarray, shape (losses, inputs)
        ``norms[i, j]``: ``|dL_t/dx_k|`` of the i-th loss and the j-th input, over the batch.
    losses, inputs : tuple of int
        The steps t of the losses, and k of the inputs.
    read, said : tuple of str
        What was read at each k, and what is predicted at each t: letters or words, if given.
    """

    norms: Array
    losses: tuple[int, ...]
    inputs: tuple[int, ...]
    read: tuple[str, ...] = ()
    said: tuple[str, ...] = ()

    def __repr__(self) -> str:
        losses, inputs = self.norms.shape
        return f"<Connectivity of {losses} losses and {inputs} inputs; print() shows them>"

    def shares(self) -> Array:
        """Each row divided by its sum: which share of what a loss hears comes from which input."""
        sums = self.norms.sum(axis=1, keepdims=True)
        shares: Array = np.divide(self.norms, sums, where=sums > 0, out=np.zeros_like(self.norms))
        return shares

    def by_lag(self) -> dict[int, float]:
        """``{lag: mean of |dL_t/dx_k|}`` over the pairs with t - k = lag, as far as it is >= 0."""
        lags = np.subtract.outer(self.losses, self.inputs)
        return {
            int(lag): float(self.norms[lags == lag].mean()) for lag in np.unique(lags[lags >= 0])
        }

    def __str__(self) -> str:
        """A table: for each loss, the inputs that it listens to most, with their shares."""
        said = [repr(word) for word in self.said] or [""] * len(self.losses)
        width = max(map(len, said), default=0)
        lines = [f"{'t':>4}  {'':>{width}}  listens to".rstrip()]
        for t, word, row in zip(self.losses, said, self.shares(), strict=True):
            heard = [
                f"{self._input(j)} {row[j]:.0%}" for j in np.argsort(-row)[:MOST] if row[j] > 0
            ]
            lines.append(f"{t:>4}  {word:>{width}}  {', '.join(heard) or 'nothing'}")
        return "\n".join(lines)

    def _input(self, j: int) -> str:
        return f"x_{self.inputs[j]}" + (f" {self.read[j]!r}" if self.read else "")

    def figure(self, title: str | None = None) -> Figure:
        """Draw the matrix as a heat map, and its mean by lag beside it.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        """
        from rnn.diagnosis.connectivity_figure import figure

        return figure(self, title)

    def html(self, title: str | None = None) -> str:
        """A page with the matrix, a number for each cell, and the text to point at."""
        from rnn.diagnosis.connectivity_page import page

        return page(self, title).decode()

    def save(self, path: str | os.PathLike[str], title: str | None = None) -> None:
        """Write the figure (.svg, .png, .pdf) or the page (.html) to a file.

        Raises
        ------
        FileError
            If the file cannot be written.
        """
        target = as_path(path)
        if target.suffix.lower() in (".html", ".htm"):
            write_file(target, self.html(title).encode())
        else:
            super().save(target, title)


def connectivity(
    losses: Sequence[Node] | Mapping[int, Node] | Node,
    inputs: Sequence[Node] | Node,
    read: Sequence[str] = (),
    said: Sequence[str] = (),
) -> Connectivity:
    """The norm of the derivative of every loss by every input.

    It takes one reverse sweep for each loss.

    Parameters
    ----------
    losses : sequence of Tensor, mapping from int to Tensor, or Tensor
        The loss of each time step, as for `gradient_by_lag`. Of other outputs, such as a state,
        the sum stands for a loss.
    inputs : Tensor, shape (T, ...), or sequence of Tensor
        What was read: one Tensor with time as its first axis, or one for each step. They have to
        require a gradient, or to be made of what does: of words, take their vectors.
    read, said : sequence of str, optional
        What was read at each step, and what each loss is about: letters or words, for figures.

    Returns
    -------
    Connectivity

    Raises
    ------
    GradientError
        If no loss depends on the inputs, or the step of a loss is not known.
    ShapeError
        If there are not as many words as inputs or losses.

    Examples
    --------
    >>> from microgrrepresent import Tensor, steps
    >>> from rnn.diagnosis import connectivity
    >>> xs, s, losses = Tensor([1.0, 1.0, 1.0], requires_grad=True), Tensor(0.0), []
    >>> for t, x in steps(xs):
    ...     s = 0.5 * s + x
    ...     losses.append(s)
    >>> heard = connectivity(losses, xs, read="abc")
    >>> heard.norms.tolist()
    [[1.0, 0.0, 0.0], [0.5, 1.0, 0.0], [0.25, 0.5, 1.0]]
    >>> print(heard)
       t    listens to
       1    x_1 'a' 100%
       2    x_2 'b' 67%, x_1 'a' 33%
       3    x_3 'c' 57%, x_2 'b' 29%, x_1 'a' 14%
    """
    nodes, times = _inputs(inputs)
    rows: dict[int, Array] = {}
    for i, (given, loss, seed) in enumerate(seeded(losses, "connectivity"), start=1):
        adjoints = backward(loss, np.ones(loss.shape, loss.dtype) if seed is None else seed)
        t = time_of(given, i, loss, adjoints, "connectivity")
        if t in rows:
            raise twice(t, "connectivity")
        found = [adjoints[node] if node in adjoints else np.zeros(node.shape) for node in nodes]
        parts = list(found[0]) if isinstance(inputs, Node) else found
        rows[t] = np.array([euclidean_norm(part) for part in parts])
    norms = np.array([rows[t] for t in sorted(rows)])
    if not norms.any():
        raise GradientError(
            "connectivity: none of the losses depends on the inputs; make them with "
            "requires_grad=True, or give what was made of them: the vectors of words, not their "
            "numbers"
        )
    for words, count, what in ((read, len(times), "inputs"), (said, len(rows), "losses")):
        if words and len(words) != count:
            raise ShapeError(f"connectivity: there are {count} {what}, and {len(words)} words")
    return Connectivity(norms, tuple(sorted(rows)), times, tuple(read), tuple(said))


def _inputs(inputs: Sequence[Node] | Node) -> tuple[list[Node], tuple[int, ...]]:
    """The nodes that were read, and their steps."""
    if isinstance(inputs, Node):
        if not inputs.ndim:
            raise ShapeError("connectivity: the inputs have time as their first axis, got a number")
        return [inputs], tuple(range(1, len(inputs.value) + 1))
    nodes = [one_node(node, "connectivity", "every input") for node in inputs]
    known = [node.step for node in nodes]
    times = [t for t in known if t is not None]
    if len(set(times)) < len(nodes):  # not all were made inside of steps
        times = list(range(1, len(nodes) + 1))
    return nodes, tuple(times)
