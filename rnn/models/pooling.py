"""Pooling: one vector for a whole sequence, as a classifier needs it. Padding does not count."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from microgrrepresent import Tensor, where
from microgrrepresent import sum as total
from rnn.inputs import Side, lengths_of, valid_steps


def last_state(outputs: Tensor, lengths: ArrayLike | None = None, side: Side = "right") -> Tensor:
    """The output at each sequence's last valid step.

    For a bidirectional layer this is the end of the forward direction beside the *start* of the
    backward one; the ends of both are in the layer's final state.

    Parameters
    ----------
    outputs : Tensor, shape (T, B, H) or (T, H)
        What a recurrent layer gave out, time first.
    lengths : array of int, shape (B,), optional
        Number of valid steps of each sequence; all if not given. Of an empty one it is 0.
    side : {"right", "left"}
        Where the padding is.

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
    n = lengths_of(lengths, len(outputs), outputs.shape[1:-1])
    ends = np.maximum(n, 1) - 1 if side == "right" else len(outputs) - 1
    last = outputs[ends, np.arange(len(n))]
    return last if n.all() else where(n[:, None] > 0, last, 0)


def mean_state(outputs: Tensor, lengths: ArrayLike | None = None, side: Side = "right") -> Tensor:
    """The mean of a sequence's outputs over its valid steps.

    Parameters
    ----------
    outputs, lengths, side
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
    n = lengths_of(lengths, len(outputs), outputs.shape[1:-1])
    valid = valid_steps(n, len(outputs), side)
    summed: Any = total(where(valid[:, :, None], outputs, 0), axis=0)
    mean: Tensor = summed / np.maximum(n, 1)[:, None].astype(outputs.dtype)
    return mean
