r"""Losses over time: what each step costs, put together to the one number that is made small.

A loss L<t> is taken at each of the T steps, and they are put together in one of three ways:

    "sum"        Σ_i Σ_t L_i<t>             over all steps of all sequences i
    "batchmean"  (1/B) Σ_i Σ_t L_i<t>       the sum over time, averaged over the sequences
    "mean"       Σ_i Σ_t L_i<t> / n         with n the number of steps that count

Courses differ here: Ng's sums over time, the Nankai notes' divides by T. For one sequence "mean"
is 1/T of "sum", and so is its gradient: a learning rate that suits one does not suit the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import numpy as np

from microgrrepresent import ShapeError, Tensor, stack, step, where
from microgrrepresent.arrays import arrayed, mask_of, plain_array
from microgrrepresent.errors import operand, shortened
from microgrrepresent.node import Array
from rnn.inputs import number

SequenceReduction = Literal["mean", "sum", "batchmean"]
Reduction = Literal["mean", "sum", "none"]


def sequence_loss(
    loss: Callable[..., Any],
    outputs: Tensor | Sequence[Tensor],
    targets: Any,
    *,
    mask: Any = None,
    reduction: SequenceReduction = "mean",
) -> Tensor:
    """Take a loss at every step, and put the steps together.

    Parameters
    ----------
    loss : callable
        ``loss(output, target, reduction="none")``: `cross_entropy`, `binary_cross_entropy` or
        `mse_loss`, for instance.
    outputs : Tensor, shape (T, B, ...) or (T, ...); or a sequence of T Tensors (B, ...)
        What the network says at each step. A sequence, such as ``unroll(...).outputs``, gives one
        node L for each step, and one sum of them, as the notes draw it. A single Tensor gives the
        same number from fewer nodes.
    targets : array_like, first axis T
        What it should say.
    mask : array_like of bool, shape (T, B) or (T,), optional
        True at the steps that count; see `sequence_mask`.
    reduction : {"mean", "sum", "batchmean"}
        See above.

    Returns
    -------
    Tensor
        A scalar named L.

    Raises
    ------
    ShapeError
        If outputs, targets and mask are not of the same number of steps and sequences.
    DTypeError
        If the mask is not of booleans.
    ValueError
        For an unknown reduction.

    Examples
    --------
    >>> from microgrrepresent import Tensor, cross_entropy
    >>> from rnn import sequence_loss
    >>> even = Tensor([[[0.0, 0.0]], [[0.0, 0.0]], [[0.0, 0.0]]])  # T=3, B=1, two classes
    >>> float(sequence_loss(cross_entropy, even, [[0], [1], [0]], reduction="sum"))
    2.0794415416798357
    """
    _check_reduction(reduction, get_args(SequenceReduction), "sequence_loss")
    wanted = arrayed(targets)
    if isinstance(wanted, Tensor) and not wanted.requires_grad:
        wanted = wanted.value  # each step reads its target as a leaf of its own, as of an array
    counts = _counts(mask, "sequence_loss")
    for name, array in (("targets", wanted), ("mask", counts)):
        if array is not None and (not array.ndim or len(array) != len(outputs)):
            raise ShapeError(
                f"sequence_loss: the outputs have {len(outputs)} steps, time being the first axis; "
                f"the shape of the {name} is {array.shape}"
            )
    wanted = _masked(wanted, counts)
    if isinstance(outputs, Tensor):
        targets = targets if counts is None else wanted
        each = _loss_that_counts(loss, outputs, targets, counts)
        whole, terms, batch = each.sum(), each.size, each.shape[1] if each.ndim > 1 else 1
    else:
        whole, terms, batch = _sum_of_steps(loss, outputs, wanted, counts)
    if counts is not None:
        terms = terms * int(counts.sum()) // counts.size
    if reduction != "sum":
        whole = whole / (batch if reduction == "batchmean" else max(terms, 1))
    L: Tensor = whole.named("L")
    return L


def _sum_of_steps(
    loss: Callable[..., Any], outputs: Sequence[Tensor], targets: Any, counts: Array | None
) -> tuple[Tensor, int, int]:
    """A node L for each step and their sum, the number of terms in it, and the size of a batch."""
    losses: list[Tensor] = []
    terms, batch = 0, 1
    for t, output in enumerate(outputs, start=1):
        with step(t):
            target = targets[t - 1]
            if not isinstance(target, Tensor):
                target = Tensor(target, name="target")
            now = None if counts is None else counts[t - 1]
            each = _loss_that_counts(loss, output, target, now)
            losses.append((each.sum() if each.ndim else each).named("L"))
        terms, batch = terms + each.size, len(each) if each.ndim else 1
    return stack(losses).sum(), terms, batch


def _loss_that_counts(
    loss: Callable[..., Any], output: Tensor, target: Any, counts: Array | None
) -> Tensor:
    """The loss of each element, 0 where it does not count.

    Padding may hold anything, of which a loss makes NaN, and 0 · NaN, in the sweep, is NaN. In its
    place 0.5 is fit for every loss, be it of scores or of probabilities.
    """
    each: Tensor = _masked(loss(_masked(output, counts, 0.5), target, reduction="none"), counts)
    return each


def _counts(mask: Any, who: str) -> Array | None:
    """The mask as an array of booleans."""
    return None if mask is None else np.asarray(mask_of(mask, who), dtype=bool)


def _check_reduction(reduction: str, known: tuple[str, ...], who: str) -> None:
    if reduction not in known:
        listed = ", ".join(map(repr, known))
        raise ValueError(f"{who}: reduction must be one of {listed}, got {reduction!r}")


def _masked(x: Any, counts: Array | None, other: float = 0) -> Any:
    """What counts, and another value in the place of what does not."""
    if counts is None:
        return x
    if counts.shape != x.shape[: counts.ndim]:
        raise ShapeError(
            f"a mask of shape {counts.shape} does not fit {operand(getattr(x, 'name', None), x)}, "
            "of which it says for each step of each sequence whether it counts"
        )
    return where(counts.reshape(counts.shape + (1,) * (x.ndim - counts.ndim)), x, other)


def mse_loss(
    output: Tensor, target: Any, *, mask: Any = None, reduction: Reduction = "mean"
) -> Tensor:
    """(output - target)², with the arguments of the engine's cross-entropies.

    Raises
    ------
    ShapeError
        If output and target differ in shape, which would broadcast to something else, or the shape
        of the mask is not that of their first axes.
    DTypeError
        If the mask is not of booleans.
    ValueError
        For an unknown reduction.

    Examples
    --------
    >>> from microgrrepresent import Tensor
    >>> from rnn import mse_loss
    >>> float(mse_loss(Tensor([1.0, 3.0]), [1.0, 1.0]))
    2.0
    """
    _check_reduction(reduction, get_args(Reduction), "mse_loss")
    if not isinstance(output, Tensor):
        raise TypeError(f"mse_loss: the output must be a Tensor, got {shortened(output)}")
    if not isinstance(target, Tensor):
        target = plain_array(target)
    if target.shape != output.shape:
        raise ShapeError(
            f"mse_loss: {operand(output.name or 'output', output)} needs a target of the "
            f"same shape, got {target.shape}"
        )
    counts = _counts(mask, "mse_loss")
    difference = _masked(output - target, counts)
    each: Tensor = difference * difference
    if reduction == "none":
        return each
    n = each.size if counts is None else each.size * int(counts.sum()) // counts.size
    return each.sum() / (max(n, 1) if reduction == "mean" else 1)


def perplexity(nats: float | Tensor) -> float:
    """Give exp(cross-entropy): among how many equally likely tokens the model wavers.

    Examples
    --------
    >>> import math
    >>> from rnn import perplexity
    >>> round(perplexity(math.log(63)), 6)  # one that knows nothing of 63 characters
    63.0
    """
    loss = number(nats, "perplexity: the cross-entropy")
    return math.inf if loss > 700 else math.exp(loss)


def bits_per_character(nats: float | Tensor) -> float:
    """The mean cross-entropy in bits: what a text costs if the model is used to compress it.

    Examples
    --------
    >>> import math
    >>> from rnn import bits_per_character
    >>> bits_per_character(math.log(8))
    3.0
    """
    return number(nats, "bits_per_character: the cross-entropy") / math.log(2)
