"""A state carried from batch to batch with its history is found, named, and said once."""

import numpy as np
import pytest

from microgrrepresent import no_grad
from rnn import LSTM, LSTMCell, RNNCell, unroll
from rnn.errors import CarriedStateError
from rnn.truncated import detach

XS = np.ones((5, 2, 3))


def learn(cell, loss):
    loss.backward()
    for parameter in cell.parameters():
        parameter.assign(parameter.numpy() - 0.1 * parameter.grad)


def test_after_an_update_the_next_batch_refuses_the_old_history():
    cell = LSTMCell(3, 4, rng=0)
    run = unroll(cell, XS)
    learn(cell, run.stacked().sum())
    with pytest.raises(CarriedStateError) as raised:
        unroll(cell, XS, run.state)
    assert str(raised.value).startswith(
        "the state c (2, 4), made in lstm at t=5, was carried to a new batch with its whole "
        "history: the parameters were updated since"
    ) or str(raised.value).startswith("the state h (2, 4), made in lstm at t=5, was carried")
    assert "state = rnn.detach(state)" in str(raised.value)
    learn(cell, unroll(cell, XS, detach(run.state)).stacked().sum())


def test_it_is_said_once():
    cell = RNNCell(3, 4, rng=0)
    run = unroll(cell, XS)
    learn(cell, run.stacked().sum())
    with pytest.raises(CarriedStateError):
        unroll(cell, XS, run.state)
    assert unroll(cell, XS, run.state).state.shape == (2, 4)


def test_a_graph_that_keeps_growing_is_found_without_any_update():
    cell, state = RNNCell(3, 4, rng=0), None
    with pytest.raises(CarriedStateError, match="spans 3 batches and grows with each"):
        for _ in range(10):
            state = unroll(cell, XS, state).state


def test_a_layer_is_guarded_too():
    layer, state = LSTM(3, 4, num_layers=2, rng=0), None
    output, state = layer(XS, state)
    learn(layer, output.sum())
    with pytest.raises(CarriedStateError, match=r"made in lstm/l0 at t=5"):
        layer(XS, state)
    output, state = layer(XS, detach(state))
    assert output.shape == (5, 2, 4)


@pytest.mark.parametrize("cut", [detach, lambda state: state.numpy()])
def test_a_state_that_is_cut_goes_on_for_ever(cut):
    cell = RNNCell(3, 4, rng=0)
    state = None
    for _ in range(10):
        run = unroll(cell, XS, state)
        learn(cell, run.stacked().sum())
        state = cut(run.state)


def test_nothing_is_said_where_nothing_is_recorded():
    cell, state = RNNCell(3, 4, rng=0), None
    with no_grad():
        for _ in range(10):
            state = unroll(cell, XS, state).state


def test_an_encoder_may_hand_its_state_to_a_decoder():
    encoder, decoder = LSTMCell(3, 4, rng=0), LSTMCell(3, 4, rng=1)
    for _ in range(5):
        run = unroll(decoder, XS, unroll(encoder, XS).state)
        loss = run.stacked().sum()
        loss.backward()
        for parameter in (*encoder.parameters(), *decoder.parameters()):
            parameter.assign(parameter.numpy() - 0.1 * parameter.grad)


def test_remembering_a_run_keeps_no_graph_alive():
    import gc
    import weakref

    cell = RNNCell(3, 4, rng=0)
    gc.disable()
    try:
        run = unroll(cell, XS)
        end = weakref.ref(run.state)
        del run
        assert end() is None
    finally:
        gc.enable()
