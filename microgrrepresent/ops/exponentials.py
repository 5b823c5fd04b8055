r"""Normalized exponentials: logsumexp, softmax, and the losses that are built on them.

What they compute is in `exponential_forms`. A row of -inf only, such as a fully masked row of
attention scores, has softmax 0, which passes no derivative.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from microgrrepresent.arrays import arrayed, mask_of, new_array
from microgrrepresent.errors import DTypeError, ShapeError
from microgrrepresent.node import Array, Node
from microgrrepresent.ops import exponential_forms
from microgrrepresent.ops.axes import from_front
from microgrrepresent.ops.elementwise import astype, exp, floats, maximum, sigmoid, where
from microgrrepresent.ops.reductions import mean, sum
from microgrrepresent.ops.selection import one_hot
from microgrrepresent.ops.shapes import broadcast_to, expand_dims
from microgrrepresent.place import running
from microgrrepresent.polymorphic import operation
from microgrrepresent.primitive import primitive

Reduction = Literal["mean", "sum", "none"]


_softmax = primitive(
    "softmax",
    exponential_forms.softmax,
    (lambda g, y, x, axis: y * (g - sum(g * y, axis, keepdims=True)),),
    kind="score",
    source="softmax(x, axis)",
    helpers=(exponential_forms.largest, exponential_forms.softmax),
    formula="softmax(x)",
    derivative="np.diag(y) - np.outer(y, y)",
    meets="rows",
    vjp_source="y * (g - np.sum(g * y, axis, keepdims=True))",
)
_logsumexp = primitive(
    "logsumexp",
    exponential_forms.logsumexp,
    (
        lambda g, y, x, axis, keepdims: (
            (g if keepdims else expand_dims(g, axis)) * _softmax(x, axis=axis)
        ),
    ),
    symbol="log Σ exp",
    source="logsumexp(x, axis, keepdims)",
    helpers=(
        exponential_forms.largest,
        exponential_forms.softmax,
        exponential_forms.logsumexp,
    ),
    formula="logsumexp(x)",
    derivative="softmax(x, axis)",
    meets="spread",
)
_log_softmax = primitive(
    "log_softmax",
    exponential_forms.log_softmax,
    (lambda g, y, x, axis: g - exp(y) * sum(g, axis, keepdims=True),),
    kind="score",
    source="log_softmax(x, axis)",
    helpers=(
        exponential_forms.largest,
        exponential_forms.softmax,
        exponential_forms.log_softmax,
    ),
    formula="log_softmax(x)",
    derivative="np.eye(x.size) - np.outer(np.ones(x.size), softmax(x))",
    meets="rows",
    vjp_source="g - np.exp(y) * np.sum(g, axis, keepdims=True)",
)
_cross_entropy = primitive(
    "cross_entropy",
    exponential_forms.cross_entropy,
    (
        lambda g, y, x, k: (
            expand_dims(g, -1) * (_softmax(x, axis=-1) - one_hot(k, x.shape[-1], x.dtype))
        ),
        None,
    ),
    symbol="CE",
    kind="score",
    source="cross_entropy(x, k)",
    helpers=(
        exponential_forms.largest,
        exponential_forms.softmax,
        exponential_forms.log_softmax,
        exponential_forms.cross_entropy,
    ),
    formula="CE(x, k)",
    derivative=("softmax(x) - np.eye(x.shape[-1])[k]", "0"),
    meets="spread",
)


_binary_cross_entropy = primitive(
    "binary_cross_entropy",
    exponential_forms.binary_cross_entropy,
    (lambda g, y, x, t: g * (sigmoid(x) - t), lambda g, y, x, t: -g * x),
    symbol="BCE",
    kind="score",
    source="binary_cross_entropy(x, t)",
    helpers=(exponential_forms.binary_cross_entropy,),
    formula="BCE(x, t)",
    derivative=("1 / (1 + np.exp(-x)) - t", "-x"),
    meets="elementwise",
    analytic=False,
)


@operation
def softmax(x: Any, axis: int = -1) -> Any:
    """exp(x) divided by its sum along an axis; a row of -inf gives a row of 0.

    To draw from it with NumPy, give ``rng.choice(n, p=y.numpy())`` the array: how exactly
    probabilities must add up to 1, NumPy only adapts to the data type of arrays.

    Examples
    --------
    >>> from microgrrepresent import Tensor, softmax
    >>> softmax(Tensor([1000.0, 1000.0])).numpy().tolist()
    [0.5, 0.5]
    """
    x = floats(x)
    return _softmax(x, axis=from_front(axis, x, "softmax"))


@operation
def log_softmax(x: Any, axis: int = -1) -> Any:
    """Logarithm of `softmax`, exact also where softmax is too small for a float."""
    x = floats(x)
    return _log_softmax(x, axis=from_front(axis, x, "log_softmax"))


@operation
def logsumexp(x: Any, axis: int = -1, keepdims: bool = False) -> Any:
    """log(sum(exp(x))) along an axis; -inf for a row of -inf.

    Examples
    --------
    >>> from microgrrepresent import Tensor, logsumexp
    >>> float(logsumexp(Tensor([1000.0, -1000.0])))
    1000.0
    """
    x = floats(x)
    return _logsumexp(x, axis=from_front(axis, x, "logsumexp"), keepdims=keepdims)


@operation
def cross_entropy(
    logits: Any,
    targets: Any,
    *,
    mask: Any = None,
    ignore_index: int | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Negative log-probability of the target classes: log(sum(exp(logits))) - logits[target].

    Parameters
    ----------
    logits : array or Tensor, shape (..., classes)
        Unnormalized log-probabilities.
    targets : array or Tensor of int, shape (...)
        The right class of each row, 0 <= target < classes.
    mask : array of bool, shape (...) or one that broadcasts to it, optional
        True for the rows that count.
    ignore_index : int, optional
        Rows with this target do not count.
    reduction : {"mean", "sum", "none"}
        Mean over the rows that count (0 if there are none), their sum, or each row's loss.

    Raises
    ------
    ShapeError, DTypeError, ValueError
        For targets of another shape than ``logits.shape[:-1]``, not integers, or out of range, and
        for a mask that does not fit or is not of booleans.

    Examples
    --------
    >>> from microgrrepresent import Tensor, cross_entropy
    >>> round(float(cross_entropy(Tensor([[0.0, 0.0]]), [1])), 4)
    0.6931
    """
    logits, classes = floats(logits), arrayed(targets)
    given = _bare(classes)
    if given.dtype.kind not in "iu":
        raise DTypeError(
            f"{running('cross_entropy')}: targets must be integers, the class of each row, "
            f"got {given.dtype}"
        )
    if not logits.ndim or given.shape != logits.shape[:-1]:
        raise ShapeError(
            f"{running('cross_entropy')}: logits {logits.shape} (..., classes) need targets of "
            f"shape {logits.shape[:-1]}, got {given.shape}"
        )
    counts = _counts(mask, given.shape, "cross_entropy")
    if ignore_index is not None:
        kept = classes != ignore_index
        counts = kept if counts is None else counts & kept
    considered = given if counts is None else given[np.broadcast_to(_bare(counts), given.shape)]
    if considered.size and not 0 <= considered.min() <= considered.max() < logits.shape[-1]:
        raise ValueError(
            f"{running('cross_entropy')}: targets go from {considered.min()} to "
            f"{considered.max()}, but logits {logits.shape} have classes "
            f"0..{logits.shape[-1] - 1}; use ignore_index for padding"
        )
    if counts is not None:  # what does not count may be NaN, and 0 · NaN, in the sweep, is NaN
        classes = where(counts, classes, 0)
        logits = where(counts[..., None], logits, 0)
    return _reduce(_cross_entropy(logits, classes), counts, reduction, "cross_entropy")


@operation
def binary_cross_entropy(
    logits: Any, targets: Any, *, mask: Any = None, reduction: Reduction = "mean"
) -> Any:
    r"""Negative log-likelihood of yes/no targets: log(1 + exp(logit)) - target * logit.

    This is -t log σ(x) - (1-t) log(1-σ(x)), without the logarithm of a rounded probability.

    Parameters
    ----------
    logits, targets : array or Tensor
        Of one shape; targets between 0 and 1.
    mask, reduction
        As in `cross_entropy`.

    Raises
    ------
    ShapeError
        If the shapes differ: ``(8, 1)`` and ``(8,)`` would broadcast to every pair of the 8.
    DTypeError
        If the mask is not of booleans.

    Examples
    --------
    >>> from microgrrepresent import Tensor, binary_cross_entropy
    >>> float(binary_cross_entropy(Tensor([1000.0]), [1.0]))
    0.0
    """
    logits = floats(logits)
    if not isinstance(targets, Node):
        targets = new_array(targets, dtype=logits.dtype)
    if targets.shape != logits.shape:
        raise ShapeError(
            f"{running('binary_cross_entropy')}: logits {logits.shape} need targets of the same "
            f"shape, got {targets.shape}"
        )
    counts = _counts(mask, logits.shape, "binary_cross_entropy")
    if counts is not None:
        logits, targets = where(counts, logits, 0), where(counts, targets, 0)
    loss = _binary_cross_entropy(logits, targets)
    return _reduce(loss, counts, reduction, "binary_cross_entropy")


def _bare(x: Any) -> Array:
    return x.value if isinstance(x, Node) else np.asarray(x)


def _counts(mask: Any, shape: tuple[int, ...], op: str) -> Any:
    """The mask as booleans, one for each row; a node if the mask is one."""
    if mask is None:
        return None
    given = mask_of(mask, running(op))
    try:
        return broadcast_to(astype(given, bool) if given.dtype != bool else given, shape)
    except ValueError:
        raise ShapeError(
            f"{running(op)}: the mask says which of the rows {shape} count, and needs their "
            f"shape or one that broadcasts to it, got {given.shape}"
        ) from None


def _reduce(loss: Any, counts: Any, reduction: str, op: str) -> Any:
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(
            f"{running(op)}: reduction must be 'mean', 'sum' or 'none', got {reduction!r}"
        )
    if counts is not None:
        loss = where(counts, loss, 0)
    if reduction == "none":
        return loss
    if reduction == "sum":
        return sum(loss)
    if counts is None:
        return mean(loss) if loss.size else sum(loss)
    n = maximum(sum(counts), 1)
    return sum(loss) / (astype(n, loss.dtype) if isinstance(n, Node) else int(n))
