"""Pooling: one vector for a whole sequence, as a classifier needs it. Padding does not count."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from microgrrepresent import Tensor, where
from microgrrepresent import sum as total
from rnn.inputs import lengths_of


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
    n = lengths_of(lengths, len(outputs), outputs.shape[1:-1])
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
    n = lengths_of(lengths, len(outputs), outputs.shape[1:-1])
    valid = np.arange(outputs.shape[0])[:, None] < n
    summed: Any = total(where(valid[:, :, None], outputs, 0), axis=0)
    mean: Tensor = summed / n[:, None].astype(outputs.dtype)
    return mean
