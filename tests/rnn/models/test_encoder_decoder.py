"""Encoder and decoder: the ways of the context, forcing, and writing sequences."""

import itertools

import numpy as np
import pytest

from microgrrepresent import Graph, Tensor, cross_entropy, grad, no_grad
from microgrrepresent import sum as total
from rnn import (
    GRU,
    LSTM,
    RNN,
    Adam,
    Decoder,
    Embedding,
    Encoded,
    Encoder,
    GRUCell,
    LSTMCell,
    RNNCell,
    log_probability,
)
from rnn.models import DecoderState

rng = np.random.default_rng(0)
TOKENS, H, C = 6, 8, 5


def encoder(kind=GRU, **k):
    return Encoder(kind(3, C, rng=0, **k), Embedding(TOKENS, 3, rng=1))


SOURCE = rng.integers(0, TOKENS, (7, 2))
TARGET = rng.integers(0, TOKENS, (4, 2))


# --- the encoder ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
def test_the_context_is_the_final_state(kind):
    e = encoder(kind, num_layers=2)
    encoded = e(SOURCE)
    output, state = e.layer(e.embedding(SOURCE))
    h = state[0] if kind is LSTM else state
    np.testing.assert_array_equal(encoded.context.numpy(), h.numpy()[-1])
    np.testing.assert_array_equal(encoded.outputs.numpy(), output.numpy())
    assert encoded.mask is None and encoded.context.name == "C"


def test_the_context_has_one_size_for_every_length_and_depends_on_every_word():
    e = encoder()
    x = Tensor(rng.standard_normal((9, 1, 3)))
    for T in (1, 4, 9):
        assert e.layer(x[:T])[0].shape[-1] == C
    bare = Encoder(e.layer)
    g = grad(total(bare(x).context), x)
    assert (np.abs(g).sum(axis=(1, 2)) > 0).all()


def test_a_padded_batch_is_encoded_like_its_sequences():
    e = encoder(bidirectional=True)
    encoded = e(SOURCE, lengths=[7, 3])
    for b, n in enumerate((7, 3)):
        alone = e(SOURCE[:n, b : b + 1])
        np.testing.assert_allclose(encoded.context.numpy()[b], alone.context.numpy()[0], rtol=1e-12)
    assert encoded.context.shape == (2, 2 * C)
    np.testing.assert_array_equal(encoded.mask.sum(axis=0), [7, 3])


# --- the ways of the context ---------------------------------------------------------------------


def decoder(context=C, **k):
    return Decoder(TOKENS, H, context, embedding_size=4, rng=0, **k)


def by_hand(d, C_, inputs, init, every):
    """A decoder with a GRU cell, step by step."""
    s = d.state_dict()
    h = np.zeros((len(C_), H))
    if init:
        h = np.tanh(C_ @ s["bridge.weight"].T + s["bridge.bias"])
    scores = []
    for y in inputs:
        x = s["embedding.weight"][y]
        if every:
            x = np.concatenate([x, C_], axis=-1)
        h = d.cell(x, h).numpy()
        scores.append(h @ s["head.weight"].T + s["head.bias"])
    return np.array(scores)


@pytest.mark.parametrize(("init", "every"), [(True, False), (False, True), (True, True)])
def test_the_context_as_first_state_as_every_input_or_both(init, every):
    d = decoder(context_init=init, context_every_step=every)
    context = rng.standard_normal((2, C))
    logits = d(context, TARGET)
    np.testing.assert_allclose(logits.numpy(), by_hand(d, context, TARGET, init, every), rtol=1e-11)
    node = Tensor(context, name="C")
    graph = Graph(d(node, TARGET))
    uses = list(graph.consumers(node))
    assert len(uses) == len(TARGET) * every + init


def test_a_context_of_the_state_s_length_is_the_first_state_itself():
    d = decoder(context=H)
    context = Tensor(rng.standard_normal((2, H)))
    assert d.bridge is None and d.start(context).cell is context


@pytest.mark.parametrize("cell", [RNNCell, GRUCell, LSTMCell])
def test_any_cell(cell):
    d = decoder(cell=cell)
    assert d(rng.standard_normal((2, C)), TARGET).shape == (4, 2, TOKENS)


@pytest.mark.parametrize("score", ["dot", "general", "additive"])
def test_attention_looks_before_every_step_and_not_at_padding(score):
    size = H if score == "dot" else C
    e = Encoder(GRU(3, size, rng=0), Embedding(TOKENS, 3, rng=1))
    d = decoder(context=size, attention=score, context_init=False)
    encoded = e(SOURCE, lengths=[7, 3])
    state, seen = d.start(encoded), []
    for y in TARGET:
        before = state
        logits, state = d.step(y, state)
        context, weights = d.attention(d.cell.output(before.cell), encoded.outputs, encoded.mask)
        np.testing.assert_array_equal(state.weights.numpy(), weights.numpy())
        x = np.concatenate([d.embedding(y).numpy(), context.numpy()], axis=-1)
        expected = d.head(d.cell.output(d.cell(x, before.cell)))
        np.testing.assert_allclose(logits.numpy(), expected.numpy(), rtol=1e-12)
        seen.append(weights.numpy())
    assert not np.array(seen)[:, 3:, 1].any()
    alphas = Graph(d(encoded, TARGET)).find(name="α")
    assert [node.step for node in alphas] == [1, 2, 3, 4]
    assert {node.scope for node in alphas} == {"decoder"}


def test_every_parameter_is_used():
    e = encoder()
    d = decoder(context_every_step=True, attention="additive")
    loss = cross_entropy(d(e(SOURCE, lengths=[7, 3]), TARGET), TARGET)
    for g in grad(loss, [*e.parameters(), *d.parameters()]):
        assert np.abs(g).max() > 0


# --- forcing -------------------------------------------------------------------------------------


def test_teacher_forcing_reads_the_given_tokens_and_free_running_its_own():
    d = decoder()
    context = rng.standard_normal((2, C))
    free = d(context, TARGET, teacher_forcing=0.0).numpy()
    own = np.vstack([TARGET[:1], free.argmax(-1)[:-1]])
    np.testing.assert_allclose(free, d(context, own).numpy(), rtol=1e-12)
    other = TARGET.copy()
    other[1:] = (other[1:] + 1) % TOKENS
    np.testing.assert_array_equal(free, d(context, other, teacher_forcing=0.0).numpy())
    assert np.abs(d(context, TARGET).numpy() - d(context, other).numpy()).max() > 1e-3


def test_scheduled_sampling_is_in_between_and_seeded():
    d = decoder()
    context, long = rng.standard_normal((2, C)), rng.integers(0, TOKENS, (40, 2))
    mixed = d(context, long, 0.5, np.random.default_rng(0)).numpy()
    again = d(context, long, 0.5, np.random.default_rng(0)).numpy()
    np.testing.assert_array_equal(mixed, again)
    for other in (1.0, 0.0):
        assert np.abs(mixed - d(context, long, other).numpy()).max() > 1e-3


@pytest.mark.parametrize("probability", [0.1, 0.9])
def test_scheduled_sampling_reads_the_given_token_with_the_probability(probability):
    d, read, T = decoder(), [], 1000
    whole = d.step

    def step(token, state):
        read.append(int(token[0]))
        return whole(np.maximum(token, 0), state)

    d.step = step
    given = np.full((T, 1), -1)  # no token that the model itself could choose
    d(np.zeros((1, C)), given, probability, np.random.default_rng(0))
    assert abs(np.mean(np.array(read[1:]) == -1) - probability) < 4 * np.sqrt(0.09 / T)


# --- writing -------------------------------------------------------------------------------------


def test_greedy_takes_the_likeliest_token_each_time():
    d = decoder()
    context = rng.standard_normal((3, C))
    found = d.generate(context, first=0, length=6)
    free = d(context, np.zeros((6, 3), int), teacher_forcing=0.0).numpy().argmax(-1)
    assert [f.tokens for f in found] == free.T.tolist()


def test_writing_stops_at_the_end():
    d = decoder()
    context = rng.standard_normal((3, C))
    for f in d.generate(context, 0, 30, stop=2, strategy="sample", rng=np.random.default_rng(0)):
        assert 2 not in f.tokens
        assert f.ended == (len(f.tokens) < 30)


def test_beam_finds_the_likeliest_of_all_sequences():
    d = Decoder(3, 4, 2, rng=3)
    for p in d.parameters():
        p.assign(2 * np.random.default_rng(1).standard_normal(p.shape))
    context = rng.standard_normal((1, 2))
    (best,) = d.generate(context, 0, 4, stop=2, strategy="beam", width=3**3)
    scored = {}
    for n in range(5):
        for tokens in itertools.product((0, 1), repeat=n):
            whole = [*tokens, 2] if n < 4 else list(tokens)
            with no_grad():
                p = log_probability(d.step, [0], np.array(whole)[:, None], d.start(context))
            scored[tokens] = float(p[0])
    assert tuple(best.tokens) == max(scored, key=scored.get)
    np.testing.assert_allclose(best.log_probability, max(scored.values()), rtol=1e-12)
    greedy = d.generate(context, 0, 4, stop=2)[0]
    assert best.log_probability >= greedy.log_probability - 1e-12


@pytest.mark.parametrize("strategy", ["greedy", "sample", "beam"])
def test_a_batch_with_attention_is_written_like_its_sequences(strategy):
    e, d = encoder(), decoder(attention="additive", context_every_step=True)
    encoded = e(SOURCE, lengths=[7, 3])
    more = {"rng": np.random.default_rng(0)} if strategy == "sample" else {}
    found = d.generate(encoded, 0, 5, strategy=strategy, **more)
    assert len(found) == 2
    if strategy != "sample":
        for b, n in enumerate((7, 3)):
            alone = d.generate(e(SOURCE[:n, b : b + 1]), 0, 5, strategy=strategy)
            assert alone[0].tokens == found[b].tokens


def test_nothing_is_recorded_while_writing():
    d = decoder()
    state = d.start(rng.standard_normal((1, C)))
    with no_grad():
        logits, _ = d.step([0], state)
    assert logits.is_leaf and not logits.requires_grad


# --- learning ------------------------------------------------------------------------------------


def test_it_learns_to_reverse():
    """Three symbols, read forward and written backward: the greedy decoder gets them all right."""
    draw = np.random.default_rng(0)
    e = Encoder(GRU(8, 16, rng=draw), Embedding(5, 8, rng=draw))
    d = Decoder(5, 16, 16, 8, rng=draw)  # tokens 1 to 4; 0 is the start
    optimizer = Adam([*e.parameters(), *d.parameters()], 0.02)
    every = np.array(list(itertools.product(range(1, 5), repeat=3))).T
    for _ in range(150):
        batch = every[:, draw.integers(0, every.shape[1], 32)]
        target = batch[::-1]
        inputs = np.vstack([np.zeros((1, 32), int), target[:-1]])
        loss = cross_entropy(d(e(batch), inputs), target)
        for p in [*e.parameters(), *d.parameters()]:
            p.grad = None
        loss.backward()
        optimizer.step()
    written = d.generate(e(every), 0, 3)
    right = np.mean([w.tokens == t for w, t in zip(written, every[::-1].T.tolist(), strict=True)])
    assert right > 0.95


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: decoder(context_init=False),
            "it would see nothing of the context; choose at least one",
        ),
        (
            lambda: decoder()(np.zeros((2, C + 1)), TARGET),
            r"expected a context of shape \(B, 5\), got \(2, 6\)",
        ),
        (
            lambda: decoder()(np.zeros((3, C)), TARGET),
            r"expected tokens of shape \(T, 3\), time first, as many sequences as contexts, got "
            r"\(4, 2\)",
        ),
        (
            lambda: decoder(attention="general")(np.zeros((2, C)), TARGET),
            "attention looks at the outputs of an encoder; give what an Encoder returns",
        ),
        (
            lambda: decoder()(np.zeros((2, C)), TARGET, teacher_forcing=0.5),
            "teacher_forcing=0.5 is left to chance, and needs a numpy Generator as rng",
        ),
        (
            lambda: decoder()(np.zeros((2, C)), TARGET, teacher_forcing="a"),
            "teacher_forcing is a probability, between 0 and 1, got 'a'",
        ),
        (
            lambda: decoder().generate(np.zeros((2, C)), 0, 5, 99),
            r"first and stop are tokens, numbered 0\.\.5, got 99",
        ),
        (
            lambda: decoder().generate(np.zeros((2, C)), [0, 1], 5, strategy="beam"),
            r"first and stop are tokens, numbered 0\.\.5, got \[0, 1\]",
        ),
        (
            lambda: decoder().generate(np.zeros((2, C)), 0, 5, strategy="best"),
            "strategy is 'greedy', 'sample' or 'beam', got 'best'",
        ),
    ],
)
def test_errors(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


@pytest.mark.parametrize("pack", [np.asarray, lambda C: Encoded(Tensor(C))])
def test_a_context_is_of_the_decoder_s_data_type(pack):
    model = decoder(context_init=False, context_every_step=True)
    with pytest.raises(TypeError, match="expected C of float64, got float32"):
        model(pack(np.zeros((2, C), np.float32)), TARGET)


def test_rows_of_what_was_encoded():
    context, outputs = rng.standard_normal((3, 2)), rng.standard_normal((4, 3, 2))
    mask = np.array([[True, True, True], [True, True, False], [True, False, False]])
    which = np.array([1, 1, 0])
    some = Encoded(Tensor(context), Tensor(outputs), mask).rows(which)
    np.testing.assert_array_equal(some.context.numpy(), context[which])
    np.testing.assert_array_equal(some.outputs.numpy(), outputs[:, which])
    np.testing.assert_array_equal(some.mask, mask[:, which])
    assert Encoded(Tensor(context)).rows(which)[1:] == (None, None)
    shares = Tensor(mask / mask.sum(axis=0))
    state = DecoderState(Tensor(context), Encoded(Tensor(context)), shares).rows(which)
    assert np.array_equal(state.weights.numpy(), shares.numpy()[:, which])
    assert np.array_equal(state.cell.numpy(), context[which])


def test_a_decoder_is_made_of_a_cell():
    for cell, sentence in ((GRU, "GRU made GRU"), (LSTMCell(3, 4), r"LSTMCell\(3, 4\) does not: ")):
        with pytest.raises(TypeError, match=sentence):
            Decoder(7, 4, 4, cell=cell)


def test_an_encoder_takes_time_first():
    with pytest.raises(ValueError, match="give a layer with batch_first=False"):
        Encoder(GRU(3, 4, batch_first=True))


def test_nothing_is_written_in_no_steps():
    decoder = Decoder(6, 8, context_size=3, rng=0)
    for strategy in ("greedy", "sample", "beam"):
        made = decoder.generate(
            np.zeros((2, 3)), 0, 0, strategy=strategy, rng=np.random.default_rng(0)
        )
        assert [(d.tokens, d.log_probability, d.ended) for d in made] == [([], 0.0, False)] * 2


def test_a_sampled_sequence_is_drawn_and_not_the_likeliest():
    decoder = Decoder(6, 8, context_size=3, rng=0)
    contexts = np.zeros((200, 3))
    how = {"strategy": "sample", "rng": np.random.default_rng(0)}
    drawn = {decoded.tokens[0] for decoded in decoder.generate(contexts, 0, 1, **how)}
    cold = decoder.generate(contexts, 0, 1, **how, temperature=1e-6)
    assert drawn == set(range(6))
    assert [d.tokens for d in cold] == [d.tokens for d in decoder.generate(contexts, 0, 1)]


def test_what_all_steps_of_a_decoder_share_is_made_once():
    decoder = Decoder(5, 4, 4, cell=LSTMCell, rng=0)
    scores = decoder(np.zeros((2, 4)), np.zeros((3, 2), int))
    (total,) = (n for n in Graph(scores) if n.name == "b" and n.parents)
    assert total.step is None and total.scope == "decoder/lstm"
