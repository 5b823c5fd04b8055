"""Pooling: one vector for a whole sequence, as a classifier needs it. Padding does not count."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from microgrrepresent import ShapeError, Tensor, where
from microgrrepresent import sum as total
from microgrrepresent.node import Array


def last_state(outputs: Tensor, lengths: ArrayLike | None = None) -> Tensor:
    """The output at each sequence's last valid step.

    For a bidirectional layer this is the end of the forward direction beside the *start* of the
    backward one; the ends of both are in the layer's final state.

    Parameters
    ----------
    outputs : Tensor, shape (T, B, H) or (T, H)
        What a recurrent layer gave out, time first.
    lengths : array of int, shape (B,), optional
        Number of valid steps of each sequence; all if not given.

    Returns
    -------
    Tensor, shape (B, H) or (H,)

    Examples
    --------
    >>> from microgrrepresent import Tensor
    >>> from rnn import last_state
    >>> last_state(Tensor([[[1.0], [2.0]], [[3.0], [0.0]]]), [2, 1]).numpy().tolist()
    [[3.0], [2.0]]
    """
    if lengths is None:
        return outputs[-1]
    n = _checked(outputs, lengths)
    return outputs[n - 1, np.arange(len(n))]


def mean_state(outputs: Tensor, lengths: ArrayLike | None = None) -> Tensor:
    """The mean of a sequence's outputs over its valid steps.

    Parameters
    ----------
    outputs, lengths
        As in `last_state`.

    Returns
    -------
    Tensor, shape (B, H) or (H,)

    Examples
    --------
    >>> from microgrrepresent import Tensor
    >>> from rnn import mean_state
    >>> mean_state(Tensor([[[1.0], [2.0]], [[3.0], [9.0]]]), [2, 1]).numpy().tolist()
    [[2.0], [2.0]]
    """
    if lengths is None:
        return outputs.mean(axis=0)
    n = _checked(outputs, lengths)
    valid = np.arange(outputs.shape[0])[:, None] < n
    summed: Any = total(where(valid[:, :, None], outputs, 0), axis=0)
    mean: Tensor = summed / n[:, None].astype(outputs.dtype)
    return mean


def _checked(outputs: Tensor, lengths: ArrayLike) -> Array:
    n: Array = np.asarray(lengths)
    if outputs.ndim != 3 or n.shape != outputs.shape[1:2] or n.dtype.kind not in "iu":
        raise ShapeError(
            "pooling: expected outputs (T, B, H), time first, and B integers as lengths; given "
            f"{outputs.shape} and {n.shape} of {n.dtype}"
        )
    if n.size and not 1 <= n.min() <= n.max() <= outputs.shape[0]:
        raise ValueError(
            f"pooling: a sequence has between 1 and T = {outputs.shape[0]} valid steps; "
            f"given {n.min()}..{n.max()}"
        )
    return n
