r"""Batches: several sequences side by side, so that one product serves them all.

Arrays are time-major, (T, B, ...): step t of every sequence is one row. There are two ways to put
sequences side by side:

- *padded*: sequences of different lengths T_x, filled up to the longest, with their lengths kept;
- *contiguous*: one long text, cut into B pieces that run beside each other, T steps at a time.
  The state at the end of a batch is the state at the start of the next: truncated BPTT.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from microgrrepresent import GradientError, Tensor
from microgrrepresent.arrays import plain_array
from microgrrepresent.errors import shortened
from microgrrepresent.node import Array
from rnn.errors import DataError
from rnn.inputs import Side, number, valid_steps


@dataclass(frozen=True)
class Padded:
    """Sequences of different lengths in one array; ``padded[i]`` is the i-th, unpadded.

    Attributes
    ----------
    values : ndarray, shape (T, B, ...)
        The sequences, filled up.
    lengths : ndarray of int, shape (B,)
        The length of each.
    side : {"right", "left"}
        Where the padding is: behind the short sequences, or before them.
    """

    values: Array
    lengths: Array
    side: Side = "right"

    def __len__(self) -> int:
        return len(self.lengths)

    def __repr__(self) -> str:
        lengths = np.array2string(self.lengths, separator=", ", threshold=8)
        return f"<Padded {self.values.shape}: lengths {lengths}, padding on the {self.side}>"

    def __getitem__(self, i: int) -> Array:
        T, n = len(self.values), self.lengths[i]
        sequence: Array = self.values[:n, i] if self.side == "right" else self.values[T - n :, i]
        return sequence

    def __iter__(self) -> Iterator[Array]:
        return (self[i] for i in range(len(self)))

    @property
    def mask(self) -> Array:
        """True where there is a sequence, False where there is padding; shape (T, B)."""
        return sequence_mask(self.lengths, len(self.values), self.side)


def sequence_mask(lengths: Any, steps: int | None = None, side: Side = "right") -> Array:
    """True at the steps that each sequence has, False where there is padding; shape (T, B).

    Parameters
    ----------
    lengths : array_like of int, shape (B,)
        The lengths.
    steps : int, optional
        T; the longest length, if not given.
    side : {"right", "left"}
        Where the padding is.

    Examples
    --------
    >>> from rnn import sequence_mask
    >>> sequence_mask([1, 3]).T.tolist()
    [[True, False, False], [True, True, True]]
    """
    given = plain_array(lengths)
    T = int(given.max(initial=0)) if steps is None else steps
    return np.asarray(valid_steps(given, T, side))


def pad(sequences: Sequence[Any], value: float = 0, side: Side = "right") -> Padded:
    """Put sequences side by side, and fill up the short ones with `value`, behind or before them.

    A value that is no integer makes an array of floats of sequences of integers.

    Raises
    ------
    DataError
        If there are none, they differ in more than their length, or are none of numbers.

    Examples
    --------
    >>> from rnn import pad
    >>> pad([[1, 2, 3], [4]]).values.T.tolist()
    [[1, 2, 3], [4, 0, 0]]
    >>> pad([[1, 2, 3], [4]], side="left").values.T.tolist()
    [[1, 2, 3], [0, 0, 4]]
    """
    if not isinstance(sequences, Iterable):
        raise DataError(f"pad: sequences must be a list of them, got {shortened(sequences)}")
    number(plain_array(value) if isinstance(value, Tensor) else value, "pad: value")
    arrays = [_numbers(f"pad: sequence {i}", sequence) for i, sequence in enumerate(sequences)]
    if not arrays:
        raise DataError("pad: there are no sequences")
    for i, array in enumerate(arrays):
        if array.shape[1:] != arrays[0].shape[1:]:
            raise DataError(
                f"pad: sequence {i} has shape {array.shape}, but the first one {arrays[0].shape}; "
                "they may differ in the first axis only"
            )
    lengths = np.array([len(array) for array in arrays], dtype=np.int64)
    shape = (lengths.max(), len(arrays), *arrays[0].shape[1:])
    filler = value.item() if isinstance(value, Tensor) else value
    dtype = np.result_type(*arrays, filler)  # which is not widened for a number
    if dtype.kind in "iu" and not np.iinfo(dtype).min <= filler <= np.iinfo(dtype).max:
        raise DataError(
            f"pad: sequences of {dtype} cannot be filled up with {value}, which these integers do "
            "not have; convert them first, as with .astype(int)"
        )
    values = np.full(shape, filler, dtype)
    values.swapaxes(0, 1)[valid_steps(lengths, len(values), side).T] = np.concatenate(arrays)
    return Padded(values, lengths, side)


def padded_batches(
    *data: Sequence[Any],
    batch_size: int,
    rng: np.random.Generator | None = None,
    value: float = 0,
    side: Side = "right",
) -> Iterator[tuple[Padded, ...]]:
    """Go once through sequences, and through what belongs to each, in padded batches.

    Parameters
    ----------
    *data : sequences of array_like
        For instance xs, or xs and ys, where ``ys[i]`` belongs to ``xs[i]``. Their lengths need
        not agree: T_x ≠ T_y. A number stands for a sequence of length 1.
    batch_size : int
        B; the last batch may be smaller.
    rng : numpy Generator, optional
        Shuffles the sequences.
    value : float
        What short sequences are filled up with.
    side : {"right", "left"}
        Whether behind them or before them.

    Yields
    ------
    tuple of Padded
        One for each of `data`.

    Raises
    ------
    DataError
        If `data` differ in their number of sequences, or are no lists of them.
    """
    _positive("padded_batches: batch_size", batch_size)
    _is_generator("padded_batches", rng)
    if endless := [kind for kind in data if not hasattr(kind, "__len__")]:
        raise DataError(
            f"padded_batches: sequences come in a list, so that they can be shuffled, "
            f"got {endless[0]!r}"
        )
    numbers = [len(sequences) for sequences in data]
    if not data or len(set(numbers)) > 1 or not numbers[0]:
        raise DataError(
            "padded_batches: needs sequences, as many of each kind, "
            f"got {' and '.join(map(str, numbers)) or 'none'}"
        )
    order = np.arange(numbers[0]) if rng is None else rng.permutation(numbers[0])
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        yield tuple(
            pad([np.atleast_1d(sequences[i]) for i in chosen], value, side) for sequences in data
        )


def language_model_batches(
    indices: Any, batch_size: int, steps: int, rng: np.random.Generator | None = None
) -> Iterator[tuple[Array, Array]]:
    """Go once through a long text in contiguous batches of inputs and the tokens that follow them.

    The text is cut into `batch_size` pieces of equal length, side by side; at most
    `batch_size` - 1 tokens at the end are left over.

    Parameters
    ----------
    indices : array_like of int, shape (N,)
        The text.
    batch_size : int
        B, the number of pieces.
    steps : int
        T, the steps of a batch; the last batch may have fewer.
    rng : numpy Generator, optional
        Leave out a random number of tokens, less than T, at the start, so that the cuts fall
        elsewhere every time.

    Yields
    ------
    x, y : ndarray of int, shape (T, B)
        ``y[t] = x[t + 1]``; the next batch goes on where this one ends.

    Raises
    ------
    DataError
        If the text is too short for B pieces of two tokens, or no row of integers.

    Examples
    --------
    >>> from rnn import language_model_batches
    >>> [(x.T.tolist(), y.T.tolist()) for x, y in language_model_batches(range(5), 2, 2)]
    [([[0, 1], [2, 3]], [[1, 2], [3, 4]])]
    """
    _positive("language_model_batches: batch_size", batch_size)
    _positive("language_model_batches: steps", steps)
    _is_generator("language_model_batches", rng)
    text = plain_array(indices)
    if text.ndim != 1 or text.dtype.kind not in "iu":
        raise DataError(
            "language_model_batches: a text is one row of integers, such as "
            f"vocabulary.encode(text), got {text.dtype} of shape {text.shape}"
        )
    length = (len(text) - 1) // batch_size
    if length < 1:
        raise DataError(
            f"language_model_batches: a text of {len(text)} tokens is too short for {batch_size} "
            "pieces of two tokens; use a smaller batch_size or a longer text"
        )
    if rng is not None:
        text = text[rng.integers(min(steps, len(text) - batch_size)) :]
        length = (len(text) - 1) // batch_size
    x = text[: length * batch_size].reshape(batch_size, length).T
    y = text[1 : length * batch_size + 1].reshape(batch_size, length).T
    for start in range(0, length, steps):
        yield x[start : start + steps], y[start : start + steps]


def _numbers(what: str, sequence: Any) -> Array:
    """A sequence as an array, if it is one of numbers."""
    try:
        array = plain_array(sequence)
    except GradientError as error:
        raise GradientError(
            f"{what}: {error}; or pad what the Tensors are made of, and compute with the whole "
            "batch: embedding(pad(words).values)"
        ) from None
    except ValueError as error:  # of NumPy, if the parts differ in length
        raise DataError(f"{what} is no array: its steps differ in shape") from error
    if not array.ndim or array.dtype.kind not in "biufc":
        raise DataError(f"{what} is no sequence of numbers, got {sequence!r}")
    return array


def _positive(name: str, value: int) -> None:
    if not isinstance(value, (int, np.integer)) or value < 1:
        raise DataError(f"{name} must be an integer >= 1, got {value!r}")


def _is_generator(who: str, rng: object) -> None:
    if not (rng is None or isinstance(rng, np.random.Generator)):
        raise DataError(f"{who}: rng is a Generator, as np.random.default_rng(0), got {rng!r}")
