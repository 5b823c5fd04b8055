"""A state carried from batch to batch with its history is found, named, and said once."""

import gc
import weakref

import numpy as np
import pytest

from microgrrepresent import (
    CarriedStateError,
    StaleGraphError,
    Tensor,
    backward,
    grad,
    jacobian,
    no_grad,
    step,
    steps,
    stop_gradient,
    tanh,
)
from rnn import LSTM, LSTMCell, RNNCell, detach, unroll

XS = np.ones((5, 2, 3))
U = Tensor(np.full((3, 4), 0.1), requires_grad=True, name="U")
W = Tensor(np.eye(4) / 2, requires_grad=True, name="W")


def by_hand(xs, h):
    h = Tensor(np.zeros((2, 4))) if h is None else h
    for _, x in steps(xs):
        h = tanh(x @ U + h @ W).named("h")
    return h


def a_plain_function(xs, h):
    start = Tensor(np.zeros((2, 4))) if h is None else h
    return unroll(lambda x, s: tanh(x @ U + s @ W).named("h"), Tensor(xs), start).state


CELL = RNNCell(3, 4, rng=0)
LOOPS = {
    "a cell": lambda xs, h: unroll(CELL, xs, h).state,
    "by hand": by_hand,
    "a plain function": a_plain_function,
    "with arithmetic": lambda xs, h: by_hand(xs, None if h is None else 0.9 * h + 0.01),
}


def learn(loss, *parameters):
    loss.backward()
    for parameter in parameters:
        parameter.assign(parameter.numpy() - 0.1 * parameter.grad)


PASSES = {
    "loss.backward()": lambda loss: loss.backward(),
    "backward(loss)": backward,
    "grad(loss, leaves)": lambda loss: grad(loss, [CELL.weight_hh, W], unconnected="zeros"),
}


@pytest.mark.parametrize("differentiate", PASSES.values(), ids=PASSES)
@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS)
def test_a_graph_that_keeps_growing_is_found_however_the_loop_is_written(loop, differentiate):
    state, raised = None, []
    for batch in range(8):
        state = loop(XS, state)
        try:
            differentiate((state**2).sum())
        except CarriedStateError as error:
            raised.append((batch, str(error)))
    ((batch, sentence),) = raised  # once, however long it grows
    assert batch == 2
    assert "the state h (2, 4), made" in sentence and "at t=5, was carried to a new" in sentence
    assert "where t=1 reads it" in sentence and "now spans 3 batches and grows" in sentence
    assert "rnn.detach(state)" in sentence


@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS)
def test_after_an_update_the_second_batch_says_why_it_is_out_of_date(loop):
    weights = [*CELL.parameters(), U, W]
    for weight in weights:
        weight.grad = None
    state = loop(XS, None)
    learn((state**2).sum(), *(w for w in weights if w.grad is not None))
    updated = CELL.weight_hh if loop is LOOPS["a cell"] else W
    updated.assign(updated.numpy() * 0.9)
    loss = (loop(XS, state) ** 2).sum()
    with pytest.raises(CarriedStateError, match="the parameters were updated since"):
        loss.backward()
    for differentiate in PASSES.values():  # it cannot be differentiated, and that is why
        with pytest.raises(CarriedStateError, match=r"run this batch again; or update only after"):
            differentiate(loss)


@pytest.mark.parametrize("differentiate", PASSES.values(), ids=PASSES)
def test_what_the_sentences_advise_works(differentiate):
    """Cut it and run the batch again; update only after the last; ask again."""
    state = by_hand(XS, None)
    differentiate(state.sum())
    W.assign(0.9 * W.numpy())
    with pytest.raises(CarriedStateError):
        differentiate(by_hand(XS, state).sum())
    state = detach(state)
    for _ in range(2):
        state = by_hand(XS, state)
        differentiate(state.sum())
    loss = by_hand(XS, state).sum()
    with pytest.raises(CarriedStateError, match="ask for it again"):
        differentiate(loss)
    differentiate(loss)
    W.assign(0.9 * W.numpy())


def test_questions_about_states_are_no_batches():
    states = unroll(CELL, XS).states
    for t in range(1, 6):
        h = states[t] * 2
        grad(h.sum(), states[0])
        jacobian(h[0], states[0])


def test_a_stale_graph_without_a_carried_state_is_said_as_such():
    h = by_hand(XS, None)
    W.assign(0.9 * W.numpy())
    for differentiate in PASSES.values():
        with pytest.raises(StaleGraphError, match=r"W .* new value by assign"):
            differentiate(h.sum())


def test_of_several_cells_and_parts_one_is_named():
    layer, state = LSTM(3, 4, num_layers=2, rng=0), None
    said = 0
    for _ in range(6):
        output, state = layer(XS, state)
        try:
            output.sum().backward()
        except CarriedStateError as error:
            said += 1
            assert "made in lstm/l" in str(error) and "at t=5" in str(error)
    assert said == 1


def test_the_gradients_of_a_refused_pass_are_not_added():
    state = None
    for _ in range(2):
        state = by_hand(XS, state)
        state.sum().backward()
    before = W.grad.copy()
    with pytest.raises(CarriedStateError):
        by_hand(XS, state).sum().backward()
    assert np.array_equal(W.grad, before)


@pytest.mark.parametrize("cut", [detach, lambda state: state.numpy()])
def test_a_state_that_is_cut_goes_on_for_ever(cut):
    cell, state = RNNCell(3, 4, rng=0), None
    for _ in range(6):
        run = unroll(cell, XS, state)
        learn(run.stacked().sum(), *cell.parameters())
        state = cut(run.state)


def test_stop_gradient_keeps_the_history_and_that_is_said():
    cell = RNNCell(3, 4, rng=0)
    run = unroll(cell, XS)
    learn(run.stacked().sum(), *cell.parameters())
    with pytest.raises(CarriedStateError, match=r"state = state\.detach\(\)"):
        unroll(cell, XS, stop_gradient(run.state)).stacked().sum().backward()


def test_nothing_is_said_where_nothing_is_recorded():
    cell, state = RNNCell(3, 4, rng=0), None
    for _ in range(6):
        with no_grad():
            state = unroll(cell, XS, state).state
        unroll(cell, XS, state).state.sum().backward()


def test_an_encoder_may_hand_its_state_to_a_decoder():
    encoder, decoder = LSTMCell(3, 4, rng=0), LSTMCell(3, 4, rng=1)
    for _ in range(5):
        run = unroll(decoder, XS, unroll(encoder, XS).state)
        learn(run.stacked().sum(), *encoder.parameters(), *decoder.parameters())


def test_several_losses_of_one_run_are_no_batches():
    states = unroll(CELL, XS).states
    for t in range(1, 6):
        states[t].sum().backward()  # one after the other, of steps that were made before
    for _ in range(4):
        (states[5] ** 2).sum().backward()  # made later, but no later step
        states[5].sum().backward()


@pytest.mark.parametrize("differentiate", PASSES.values(), ids=PASSES)
def test_a_loop_may_differentiate_at_every_step(differentiate):
    """It goes on in the same sequence, from each step to the next."""
    h = Tensor(np.zeros((2, 4)))
    for _, x in steps(XS):
        h = tanh(x @ U + h @ W)
        differentiate((h * h).sum())


@pytest.mark.parametrize("reverse", [False, True])
def test_derivatives_of_derivatives_are_no_batches(reverse):
    """They read the states again that they are derivatives of."""
    cell = RNNCell(3, 4, rng=0)
    y = (unroll(cell, XS[:3], reverse=reverse).state ** 2).sum()
    for _ in range(5):
        (dy,) = grad(y, [cell.weight_hh], create_graph=True)
        y = (dy * dy).sum()


def test_one_loss_may_be_differentiated_often():
    loss = unroll(CELL, XS).state.sum()
    for _ in range(5):
        loss.backward()


def test_another_network_may_learn_while_a_loop_goes_on():
    h, other = Tensor(np.zeros((2, 4))), RNNCell(3, 4, rng=1)
    for t in range(1, 6):
        with step(t):
            h = tanh(h @ W + 0.1)
        learn(unroll(other, XS).state.sum(), *other.parameters())
    h.sum().backward()


def test_a_mark_keeps_no_graph_alive():
    gc.disable()
    try:
        state = by_hand(XS, None)
        state.sum().backward()
        end = weakref.ref(state)
        state = state.detach()
        by_hand(XS, state).sum().backward()
        assert end() is None
    finally:
        gc.enable()
