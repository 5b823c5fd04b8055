"""Batches: padded ones keep their lengths (I7), contiguous ones the text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrrepresent import GradientError, Tensor, no_grad
from rnn import DataError, Embedding, language_model_batches, pad, padded_batches, sequence_mask

sequences = st.lists(st.lists(st.integers(1, 9), max_size=6), min_size=1, max_size=7)


@given(sequences, st.sampled_from(["right", "left"]))
def test_padding_loses_nothing(xs, side):
    padded = pad(xs, value=-1, side=side)
    assert padded.side == side
    assert [x.tolist() for x in padded] == xs
    assert padded.lengths.tolist() == [len(x) for x in xs]
    assert np.array_equal(padded.mask, padded.values != -1)
    assert padded.values.shape == (max(map(len, xs)), len(xs))


def test_padding_before_the_sequences():
    assert pad([[1, 2, 3], [4], []], side="left").values.T.tolist() == [
        [1, 2, 3],
        [0, 0, 4],
        [0, 0, 0],
    ]
    (batch,) = next(padded_batches([[1, 2], [3]], batch_size=2, side="left"))
    assert batch.values.T.tolist() == [[1, 2], [0, 3]] and batch.side == "left"
    assert sequence_mask([1, 2], 3, "left").T.tolist() == [
        [False, False, True],
        [False, True, True],
    ]
    with pytest.raises(ValueError, match=r"side must be 'right' or 'left', .* got 'pre'"):
        pad([[1]], side="pre")


def test_padding_of_vectors_and_types():
    padded = pad([np.ones((2, 3), np.float32), np.ones((1, 3), np.float32)])
    assert padded.values.shape == (2, 2, 3)
    assert padded.values.dtype == np.float32
    assert padded.values[1, 1].tolist() == [0, 0, 0]
    with pytest.raises(DataError, match=r"sequence 1 has shape \(2, 4\), but the first one"):
        pad([np.ones((2, 3)), np.ones((2, 4))])
    with pytest.raises(DataError, match="no sequences"):
        pad([])


@given(sequences, st.integers(1, 8))
def test_batches_go_through_everything_once_and_in_step(xs, batch_size):
    ys = [sum(x) for x in xs]  # T_y = 1, whatever T_x is
    rng = np.random.default_rng(0)
    seen = []
    for bx, by in padded_batches(xs, ys, batch_size=batch_size, rng=rng):
        assert 1 <= len(bx) == len(by) <= batch_size
        for x, y in zip(bx, by, strict=True):
            assert y.tolist() == [x.sum()]
            seen.append(x.tolist())
    assert sorted(seen) == sorted(xs)


def test_padding_of_integers_with_another_number():
    assert pad([[1, 2], [3]], 0.5).values.T.tolist() == [[1, 2], [3, 0.5]]
    assert np.isnan(pad([[1, 2], [3]], np.nan).values[1, 1])
    assert pad([[1, 2], [3]], -1).values.dtype == np.int64
    assert pad([np.ones(2, np.float32), np.ones(1, np.float32)], 0.5).values.dtype == np.float32


def test_batches_keep_the_order_unless_told_to_shuffle():
    xs = [[i] for i in range(50)]

    def order(rng):
        return [int(x[0]) for (b,) in padded_batches(xs, batch_size=8, rng=rng) for x in b]

    assert order(None) == list(range(50))
    assert order(np.random.default_rng(0)) != list(range(50))
    assert order(np.random.default_rng(0)) == order(np.random.default_rng(0))


def test_mask():
    assert sequence_mask([2, 0], 3).tolist() == [[True, False], [True, False], [False, False]]


@given(st.integers(2, 60), st.integers(1, 5), st.integers(1, 9))
def test_contiguous_batches_go_on_where_the_last_ended(n, batch_size, steps):
    text = np.arange(n)
    if (n - 1) // batch_size < 1:
        with pytest.raises(DataError, match="too short"):
            list(language_model_batches(text, batch_size, steps))
        return
    batches = list(language_model_batches(text, batch_size, steps))
    xs, ys = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    assert np.array_equal(ys, xs + 1)  # shifted by one
    assert all((np.diff(xs, axis=0) == 1).ravel())  # each column is a piece of the text
    assert xs.T.ravel().tolist() == list(range(xs.size))  # and the pieces follow each other
    assert 0 <= n - 1 - xs.size < batch_size  # hardly anything is left over
    assert [len(x) for x, _ in batches[:-1]] == [steps] * (len(batches) - 1)


def test_an_offset_moves_the_cuts():
    text = np.arange(1000)
    firsts = set()
    for seed in range(40):
        batches = list(language_model_batches(text, 4, 10, np.random.default_rng(seed)))
        firsts.add(int(batches[0][0][0, 0]))
        assert all(np.array_equal(y, x + 1) for x, y in batches)
    assert len(firsts) > 5
    assert max(firsts) < 10


@pytest.mark.parametrize("n", range(4, 12))
def test_an_offset_never_eats_up_a_short_text(n):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        assert list(language_model_batches(range(n), 3, 10, rng))


@pytest.mark.parametrize(
    ("sequences", "said"),
    [
        ([[[1], [2, 3]]], "sequence 0 is no array: its steps differ in shape"),
        ([[1], "ab"], "sequence 1 is no sequence of numbers, got 'ab'"),
        ([3, 4], "sequence 0 is no sequence of numbers, got 3"),
    ],
)
def test_what_cannot_be_padded(sequences, said):
    with pytest.raises(DataError, match=said):
        pad(sequences)


@pytest.mark.parametrize("text", ["hello", [[0, 1], [1, 0]], [0.5, 1.5], 3])
def test_a_text_is_a_row_of_integers(text):
    with pytest.raises(DataError, match="a text is one row of integers"):
        next(language_model_batches(text, 1, 1))


def test_messages():
    for batches in (
        lambda: padded_batches([[1]], batch_size=1, rng=3),
        lambda: language_model_batches(range(9), 1, 1, rng=3),
    ):
        with pytest.raises(DataError, match=r"rng is a Generator, .* got 3"):
            next(batches())
    with pytest.raises(DataError, match="sequences come in a list"):
        next(padded_batches(([k] for k in range(3)), batch_size=1))
    with pytest.raises(DataError, match=r"must be an integer >= 1, got 1\.5"):
        next(padded_batches([[1]], batch_size=1.5))
    with pytest.raises(DataError, match="must be an integer >= 1, got 0"):
        next(padded_batches([[1]], batch_size=0))
    with pytest.raises(DataError, match="as many of each kind, got 2 and 1"):
        next(padded_batches([[1], [2]], [[1]], batch_size=1))
    with pytest.raises(DataError, match="steps must be an integer >= 1"):
        next(language_model_batches([1, 2], 1, 0))


def test_padding_loses_no_derivative():
    vectors = Embedding(5, 3, rng=0)
    words = [vectors(np.array([0, 1])), vectors(np.array([2]))]
    some = Tensor(1.0, requires_grad=True)
    for call in (
        lambda: pad(words),
        lambda: pad([[1.0, some], [2.0]]),
        lambda: pad([[1.0, 2.0], [3.0]], value=some),
        lambda: next(padded_batches(words, batch_size=2)),
    ):
        with pytest.raises(GradientError, match="requires a gradient"):
            call()
    with pytest.raises(
        GradientError, match=r"^pad: sequence 0: .*embedding\(pad\(words\)\.values\)"
    ):
        pad(words)
    with no_grad():
        assert pad(words).values.shape == (2, 2, 3)
    assert pad([Tensor([1.0, 2.0]), Tensor([3.0])], value=Tensor(9.0)).values.T.tolist() == [
        [1, 2],
        [3, 9],
    ]


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "u8", "i8"])
@pytest.mark.parametrize("side", ["right", "left"])
def test_lengths_of_any_integers(dtype, side):
    lengths = np.array([100, 3, 0], dtype)
    mask = sequence_mask(lengths, 300, side)
    assert np.array_equal(mask, sequence_mask([100, 3, 0], 300, side))
    assert mask.sum(axis=0).tolist() == [100, 3, 0]


@pytest.mark.parametrize("value", [-1, 300])
def test_a_value_that_the_integers_do_not_have(value):
    with pytest.raises(DataError, match=rf"uint8 cannot be filled up with {value}, which .*astype"):
        pad([np.array([1, 2], np.uint8), np.array([3], np.uint8)], value=value)
