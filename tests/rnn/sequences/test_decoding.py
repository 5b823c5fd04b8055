"""Decoding: probabilities of sequences add up to 1, samples follow them, searches find the best."""

import itertools

import numpy as np
import pytest

from microgrrepresent import softmax
from rnn import (
    DataError,
    Decoded,
    LanguageModel,
    NonFiniteError,
    beam,
    greedy,
    log_probability,
    sample,
)
from rnn.sequences.decoding import categorical, state_after

V = 3


@pytest.fixture(scope="module")
def model():
    """A language model whose weights are large enough for its past to matter."""
    made = LanguageModel(V, 6, rng=3)
    for w in made.parameters():
        w.assign(3 * w.numpy())
    return made


def all_strings(length):
    return np.array(list(itertools.product(range(V), repeat=length))).T  # (length, V**length)


def every_ending(model, length, stop):
    """Probability of every string that ends at `stop`, or is cut at `length`, by enumeration."""
    found = {}
    for full in all_strings(length).T:
        tokens = full.tolist()
        ended = stop in tokens
        body = tokens[: tokens.index(stop)] if ended else tokens
        read = [*body, stop] if ended else body
        if tuple(body) not in found or not ended:
            p = log_probability(model.step, np.array([0]), np.array(read)[:, None])[0]
            found[tuple(body), ended] = p
    return found


@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_probabilities_of_all_strings_add_up_to_one(model, length):
    strings = all_strings(length)
    first = np.zeros(strings.shape[1], dtype=int)
    p = np.exp(log_probability(model.step, first, strings))
    assert p.sum() == pytest.approx(1, abs=1e-12)
    assert p.std() > 0.1 / V**length  # and they are not all the same


def test_probabilities_of_all_endings_add_up_to_one(model):
    p = np.exp(list(every_ending(model, 4, stop=2).values()))
    assert p.sum() == pytest.approx(1, abs=1e-12)


def test_log_probability_is_the_chain_rule(model):
    tokens = [1, 0, 2]
    expected, x, state = 0.0, np.array([0]), None
    for token in tokens:
        logits, state = model.step(x, state)
        expected += np.log(softmax(logits).numpy()[0, token])
        x = np.array([token])
    ours = log_probability(model.step, np.array([0]), np.array(tokens)[:, None])
    assert ours[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("temperature", [1.0, 0.5, 2.0])
def test_frequencies_of_samples_follow_the_softmax(temperature):
    logits, n = np.array([2.0, 0.0, -1.0, 1.0]), 100_000
    rng = np.random.default_rng(0)
    drawn = categorical(np.broadcast_to(logits, (n, 4)), rng, temperature)
    p = np.exp(logits / temperature) / np.exp(logits / temperature).sum()
    counts = np.bincount(drawn, minlength=4)
    assert (abs(counts - n * p) < 3 * np.sqrt(n * p * (1 - p))).all()


def test_frequencies_of_sampled_sequences_follow_their_probabilities(model):
    n, length = 20_000, 3
    rng = np.random.default_rng(1)
    drawn = sample(model.step, np.zeros(n, dtype=int), length, rng)
    strings = all_strings(length)
    p = np.exp(log_probability(model.step, np.zeros(V**length, dtype=int), strings))
    counts = np.array(
        [sum(1 for _ in g) for _, g in itertools.groupby(sorted(d.tokens for d in drawn))]
    )
    assert len(counts) == V**length  # every string came up
    assert (abs(counts - n * p) < 4 * np.sqrt(n * p * (1 - p))).all()
    for d in drawn[:20]:
        expected = log_probability(model.step, np.array([0]), np.array(d.tokens)[:, None])[0]
        assert d.log_probability == pytest.approx(expected, rel=1e-10)
        assert not d.ended


def test_sampling_stops_at_eos(model):
    # I6
    rng = np.random.default_rng(2)
    drawn = sample(model.step, np.zeros(2000, dtype=int), 6, rng, stop=2)
    expected = every_ending(model, 6, stop=2)
    assert {(len(d.tokens) < 6) == d.ended for d in drawn} == {True}
    assert all(2 not in d.tokens for d in drawn)
    for d in drawn[:50]:
        assert d.log_probability == pytest.approx(expected[tuple(d.tokens), d.ended], rel=1e-10)
    share = np.mean([d.ended and not d.tokens for d in drawn])
    p = np.exp(expected[(), True])
    assert abs(share - p) < 4 * np.sqrt(p * (1 - p) / 2000)


def test_the_same_generator_gives_the_same_samples(model):
    def draw(seed):
        return sample(model.step, np.zeros(5, dtype=int), 20, np.random.default_rng(seed))

    assert draw(0) == draw(0)
    assert draw(0) != draw(1)


def test_temperature_zero_is_greedy(model):
    [found] = greedy(model.step, np.array([0]), 7)
    x, state = np.array([0]), None
    for token in found.tokens:
        logits, state = model.step(x, state)
        assert token == logits.numpy().argmax()
        x = np.array([token])
    assert sample(model.step, np.array([0]), 7, temperature=0) == [found]


@pytest.mark.parametrize("stop", [None, 1, 2])
def test_a_wide_beam_finds_the_most_likely_sequence(model, stop):
    length = 4
    if stop is None:
        strings = all_strings(length)
        first = np.zeros(strings.shape[1], dtype=int)
        p = log_probability(model.step, first, strings)
        best, top = strings[:, p.argmax()].tolist(), p.max()
    else:
        (body, _), top = max(every_ending(model, length, stop).items(), key=lambda item: item[1])
        best = list(body)
    found = beam(model.step, np.array([0]), length, width=V**length, stop=stop)
    assert found[0].tokens == best
    assert found[0].log_probability == pytest.approx(top, rel=1e-10)
    assert [d.log_probability for d in found] == sorted(
        (d.log_probability for d in found), reverse=True
    )


def test_beginnings_run_side_by_side_with_the_states_that_are_their_own(model):
    calls = []

    def step(x, state):
        calls.append(len(x))
        return model.step(x, state)

    found = beam(step, np.array([0]), 6, width=4)
    assert calls == [1, 3, 4, 4, 4, 4]
    for d in found:  # what each was given is what it has when it is read alone
        alone = log_probability(model.step, np.array([0]), np.array(d.tokens)[:, None])[0]
        assert d.log_probability == pytest.approx(alone, rel=1e-10)


def test_a_beam_of_width_one_is_greedy(model):
    assert beam(model.step, np.array([0]), 5, width=1)[0].tokens == (
        greedy(model.step, np.array([0]), 5)[0].tokens
    )


def test_greedy_can_miss_what_a_beam_finds():
    # 0 is likelier at first, but only 1 is followed by something certain
    table = np.array([[0.5, 0.5], [1.0, 0.0], [0.6, 0.4]])

    def step(x, state):
        first = np.array([2]) if state is None else np.where(state == 2, x, state)
        with np.errstate(divide="ignore"):
            return np.log(table[first]), first

    assert greedy(step, np.array([9]), 2)[0].tokens[0] == 0
    found = beam(step, np.array([9]), 2, width=2)[0]
    assert found.tokens == [1, 0]
    assert found.log_probability == pytest.approx(np.log(0.4))


def test_a_length_penalty_lets_long_sequences_win():
    # ending costs log 2 each time, going on too: short ones are likelier, long ones no worse a step
    def step(x, state):
        return np.log(np.tile([0.45, 0.55], (len(x), 1))), state

    short = beam(step, np.array([0]), 3, width=8, stop=0)
    assert short[0].tokens == []
    for width in (2, 8):
        fair = beam(step, np.array([0]), 3, width=width, stop=0, length_penalty=1)
        assert fair[0].tokens == [1, 1, 1]


def test_a_beam_goes_on_while_something_likelier_is_alive():
    # ending is possible at once, but costs more than what comes in three sure steps
    def step(x, state):
        t = np.array([0]) if state is None else state
        with np.errstate(divide="ignore"):
            return np.log(np.where(t[:, None] < 3, [0.1, 0.9], [1.0, 0.0])), t + 1

    found = beam(step, np.array([0]), 9, width=1, stop=0)
    assert found[0].tokens == [1, 1, 1]
    assert beam(step, np.array([0]), 9, width=2, stop=0)[0].tokens == [1, 1, 1]
    assert len(beam(step, np.array([0]), 9, width=2, stop=0)) == 2


def plain_beam(chances, width, stop, penalty):
    """A beam search that looks at every step and never ends early.

    `chances` has for each step the log-probability of each token after each other one.
    """

    def rank(found):
        tokens, p, ended = found
        return p / max(len(tokens) + ended, 1) ** penalty

    alive, done = [((), 0.0, False)], []
    for now in chances:
        longer = [
            ((*tokens, token), p + now[tokens[-1] if tokens else 0][token], False)
            for tokens, p, _ in alive
            for token in range(len(now))
        ]
        longer = sorted(longer, key=lambda found: -found[1])[:width]
        done += [(tokens[:-1], p, True) for tokens, p, _ in longer if tokens[-1] == stop]
        done = sorted(done, key=rank, reverse=True)[:width]
        alive = [found for found in longer if found[0][-1] != stop]
    return sorted(done + alive, key=rank, reverse=True)[:width]


@pytest.mark.parametrize("penalty", [0.0, 0.7, 1.5])
@pytest.mark.parametrize("width", [1, 2, 3, 6])
def test_a_beam_is_a_plain_one_that_never_ends_early(width, penalty):
    for seed in range(60):
        rng = np.random.default_rng(seed)
        chances = np.log(rng.dirichlet(np.full(4, rng.choice([0.3, 1.0, 5.0])), (7, 4)))

        def step(tokens, t, chances=chances):
            return chances[t, tokens], t + 1

        first, t = np.array([0]), np.array([0])
        found = beam(step, first, 7, width, state=t, stop=3, length_penalty=penalty)
        expected = plain_beam(chances, width, 3, penalty)
        assert [(tuple(f.tokens), f.ended) for f in found] == [
            (tokens, ended) for tokens, _, ended in expected
        ]
        np.testing.assert_allclose(
            [f.log_probability for f in found], [p for _, p, _ in expected], rtol=1e-12
        )


def test_reading_a_prompt_leaves_its_state(model):
    text = np.array([[1], [2], [0], [1]])
    state = state_after(model.step, text)
    _, expected = model(text)
    np.testing.assert_allclose(state.h.numpy(), expected.h.numpy(), rtol=1e-14)
    assert state.h.is_leaf  # nothing was recorded
    with_state = log_probability(model.step, np.array([2]), np.array([[0]]), state)
    whole = log_probability(model.step, np.array([1]), np.array([[2], [0], [1], [2], [0]]))
    before = log_probability(model.step, np.array([1]), np.array([[2], [0], [1], [2]]))
    assert with_state[0] == pytest.approx(whole[0] - before[0], rel=1e-10)


def test_a_vector_of_zeros_can_come_first(model):
    # Ng: x<1> = 0, a<0> = 0
    def step(x, state):
        vectors = model.embedding.weight.numpy()[x] if x.dtype.kind == "i" else x
        state = model.cell(vectors, state)
        return model.head(state.h), state

    drawn = sample(step, np.zeros((4, 6)), 5, np.random.default_rng(0))
    assert [len(d.tokens) for d in drawn] == [5] * 4


def test_messages():
    with pytest.raises(ValueError, match="give a numpy Generator as rng, or temperature=0"):
        categorical([1.0, 2.0])
    with pytest.raises(ValueError, match="temperature is a number from 0 up, got -1"):
        categorical([1.0], np.random.default_rng(0), -1)
    with pytest.raises(ValueError, match="width must be an integer >= 1, got 0"):
        beam(lambda x, s: (x, s), np.array([0]), 3, 0)
    with pytest.raises(ValueError, match="length must be an integer >= 0, got -1"):
        beam(lambda x, s: (x, s), np.array([0]), -1, 2)
    with pytest.raises(TypeError, match="a part of the state is 3, of which there are no rows"):
        beam(lambda x, s: (np.zeros((len(x), 2)), (x, 3)), np.array([0]), 2, 1)
    with pytest.raises(ValueError, match="length must be an integer >= 0, got -1"):
        sample(lambda x, s: (x, s), np.array([0]), -1)
    with pytest.raises(ValueError, match="length must be an integer >= 0, got -3"):
        beam(lambda x, s: (x, s), np.array([0]), -3, 1)
    with pytest.raises(ValueError, match=r"first has a token for each .* such as \[0\], got 0"):
        sample(lambda x, s: (x, s), 0, 1)
    with pytest.raises(ValueError, match=r"one token for one sequence, .* got shape \(2,\)"):
        beam(lambda x, s: (x, s), [0, 1], 3, 2)
    with pytest.raises(ValueError, match="or temperature=0, got 3"):
        categorical([1.0, 2.0], 3)


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        ([[-1]], r"scores tokens 0\.\.3, got -1\.\.-1"),
        ([[0], [4]], r"scores tokens 0\.\.3, got 4\.\.4"),
        ([1, 2, 3], r"integers \(T, B\), for scores \(1, 4\) .* int64 of shape \(\)"),
        ([[0.0]], "got float64 of shape"),
    ],
)
def test_the_probability_of_what_is_no_token(tokens, said):
    def step(x, state):
        return np.zeros((len(x), 4)), state

    assert log_probability(step, [0], [[0], [3]]) == pytest.approx(-2 * np.log(4))
    with pytest.raises(DataError, match=said):
        log_probability(step, [0], tokens)


def test_scores_of_nan_are_no_token():
    def step(x, state):
        return np.full((len(x), 4), np.nan), state

    rng = np.random.default_rng(0)
    for decode in (
        lambda: sample(step, [0], 3, rng),
        lambda: greedy(step, [0], 3),
        lambda: beam(step, [0], 3, 2),
        lambda: log_probability(step, [0], [[1]]),
    ):
        with pytest.raises(NonFiniteError, match="the model's scores are NaN"):
            decode()


def test_of_length_nought_every_sequence_is_empty():
    nothing = Decoded([], 0.0, ended=False)
    assert sample(lambda x, s: (x, s), np.array([0, 0]), 0) == [nothing] * 2
    assert beam(lambda x, s: (x, s), np.array([0]), 0, 3) == [nothing]
