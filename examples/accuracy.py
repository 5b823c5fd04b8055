"""The share of right answers, which most examples end in."""

import numpy as np

from microgrrepresent import Tensor


def accuracy(logits: Tensor, targets: np.ndarray, mask: np.ndarray | None = None) -> float:
    """Share of rows whose largest logit is that of the target class.

    Parameters
    ----------
    logits : Tensor, shape (..., classes)
        Scores of the classes.
    targets : array of int, shape (...)
        The right classes.
    mask : array of bool, shape (...), optional
        True for the rows that count.
    """
    right = logits.numpy().argmax(-1) == targets
    return float(right.mean() if mask is None else right[mask].mean())
