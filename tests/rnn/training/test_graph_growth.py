"""A graph that grows from batch to batch is warned of once; a program that is right, never."""

import gc
import warnings
import weakref

import numpy as np
import pytest

import rnn
from microgrrepresent import StaleGraphError, Tensor, grad, no_grad, step, steps, tanh
from rnn import SGD, GrowthWarning, GrowthWatch, Linear, LSTMCell, RNNCell, detach, fit, unroll

XS = np.ones((5, 2, 3))
U = Tensor(np.full((3, 4), 0.1), requires_grad=True, name="U")
W = Tensor(np.eye(4) / 2, requires_grad=True, name="W")
CELL = RNNCell(3, 4, rng=0)
LSTM = rnn.LSTM(3, 4, num_layers=2, rng=0)


def by_hand(xs, h):
    h = Tensor(np.zeros((2, 4))) if h is None else h
    for _, x in steps(xs):
        h = tanh(x @ U + h @ W).named("h")
    return h


def without_steps(xs, h):
    h = Tensor(np.zeros((2, 4))) if h is None else h
    for x in xs:
        h = tanh(x @ U + h @ W).named("h")
    return h


def a_plain_function(xs, h):
    start = Tensor(np.zeros((2, 4))) if h is None else h
    return unroll(lambda x, s: tanh(x @ U + s @ W).named("h"), Tensor(xs), start).state


LOOPS = {
    "a cell": lambda xs, h: unroll(CELL, xs, h).state,
    "by hand": by_hand,
    "without steps": without_steps,
    "a plain function": a_plain_function,
    "with arithmetic": lambda xs, h: by_hand(xs, None if h is None else 0.9 * h + 0.01),
    "batches of one step": lambda xs, h: by_hand(xs[:1], h),
    "a cell called once": lambda xs, h: CELL(xs[0], h),
}


def warned(body):
    """What is warned of in the body."""
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        body()
    assert all(warning.category is GrowthWarning for warning in given)
    return [str(warning.message) for warning in given]


def quiet(body):
    assert warned(body) == []


@pytest.mark.parametrize("use", [lambda loss: loss.backward(), float], ids=["backward", "print"])
@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS)
def test_a_graph_that_grows_is_found_however_the_loop_is_written(loop, use):
    state, watch, at = None, GrowthWatch(), []

    def batches():
        nonlocal state
        for batch in range(1, 41):
            before = len(given)
            state = loop(XS, state)
            use(watch((state**2).sum()))
            at.extend([batch] * (len(given) - before))

    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        batches()
    assert at == [4]  # once, however long it grows
    assert given[0].filename == __file__  # the line of the loop is shown
    sentence = str(given[0].message)
    assert "spans 4 batches and grows with each: " in sentence
    assert "h (2, 4), made by " in sentence or "(2, 4), made by add" in sentence
    assert "state = state.detach()" in sentence


def test_growth_that_begins_late_is_found():
    def body():
        state, watch = None, GrowthWatch()
        for batch in range(40):
            state = by_hand(XS, state)
            watch(state.sum())
            if batch < 20:
                state = detach(state)

    (sentence,) = warned(body)
    assert "the graph behind the loss spans 4 batches" in sentence
    assert "h (2, 4), made by tanh at t=5, is read in the next batch" in sentence


def test_of_several_layers_and_parts_one_is_named():
    def body():
        state, watch = None, GrowthWatch()
        for _ in range(10):
            output, state = LSTM(XS, state)
            watch(output.sum()).backward()

    (sentence,) = warned(body)
    assert "made by stack in lstm, " in sentence and "rnn.detach(state)" in sentence


def test_a_running_total_of_losses_grows_too():
    def body():
        total, watch = Tensor(0.0), GrowthWatch()
        for _ in range(10):
            total = total + by_hand(XS, None).sum()
            watch(total)

    (sentence,) = warned(body)
    assert "made by add" in sentence and "float(loss)" in sentence


@pytest.mark.parametrize("most", [1, 2, 5])
def test_how_many_batches_may_hang_together_is_said(most):
    def hang_together(n):
        watch = GrowthWatch(most)
        for _ in range(9):
            state = None
            for _ in range(n):
                state = by_hand(XS, state)
                watch(state.sum()).backward()

    quiet(lambda: hang_together(most))
    assert len(warned(lambda: hang_together(99))) == 1
    with pytest.raises(ValueError, match=r"GrowthWatch: batches .* 0"):
        GrowthWatch(0)


def test_watches_know_nothing_of_each_other():
    def body():
        h, g, first, second = None, None, GrowthWatch(), GrowthWatch()
        for _ in range(9):
            h, g = by_hand(XS, h), unroll(CELL, XS, g).state
            first(h.sum()).backward()
            second(g.sum()).backward()

    assert len(warned(body)) == 2


def test_it_gives_the_loss_back_and_keeps_no_graph_alive():
    gc.disable()
    try:
        watch, state = GrowthWatch(), None
        for _ in range(5):
            state = by_hand(XS, state)
            loss = state.sum()
            assert watch(loss) is loss
            end = weakref.ref(loss)
            state = state.detach()
            del loss
            assert end() is None
    finally:
        gc.enable()


# --- programs that are right ---------------------------------------------------------------------


def learn(loss, *parameters):
    loss.backward()
    for parameter in parameters:
        parameter.assign(parameter.numpy() - 0.1 * parameter.grad)


@pytest.mark.parametrize("cut", [detach, lambda state: state.numpy()], ids=["detach", "numpy"])
def test_a_state_that_is_cut_goes_on_for_ever(cut):
    def body():
        cell, state, watch = RNNCell(3, 4, rng=0), None, GrowthWatch()
        for _ in range(40):
            run = unroll(cell, XS, state)
            learn(watch(run.stacked().sum()), *cell.parameters())
            state = cut(run.state)

    quiet(body)


def test_nothing_grows_where_nothing_is_recorded():
    def body():
        state, watch = None, GrowthWatch()
        for _ in range(40):
            with no_grad():
                state = unroll(CELL, XS, state).state
            watch(unroll(CELL, XS, state).state.sum())

    quiet(body)


def test_an_encoder_may_hand_its_state_to_a_decoder():
    def body():
        encoder, decoder, watch = LSTMCell(3, 4, rng=0), LSTMCell(3, 4, rng=1), GrowthWatch()
        for _ in range(20):
            run = unroll(decoder, XS, unroll(encoder, XS).state)
            learn(watch(run.stacked().sum()), *encoder.parameters(), *decoder.parameters())

    quiet(body)


def test_several_losses_of_one_run_are_no_batches():
    def body():
        states, watch = unroll(CELL, np.ones((20, 2, 3))).states, GrowthWatch()
        for t in range(1, 21):
            watch(states[t].sum()).backward()  # one after the other, of steps that were made before
        for _ in range(20):
            watch((states[5] ** 2).sum()).backward()  # made later, but no later step

    quiet(body)


def test_a_loop_may_be_watched_at_every_step():
    """It goes on in the same sequence, from each step to the next."""

    def body():
        h, watch = Tensor(np.zeros((2, 4))), GrowthWatch()
        for _, x in steps(np.ones((20, 2, 3))):
            h = 0.5 * tanh(x @ U + h @ W)
            watch((h * h).sum()).backward()
            watch(h.sum()).backward()

    quiet(body)


def test_a_sequence_may_be_watched_while_its_losses_are_added_up():
    def body():
        h, total, watch = Tensor(np.zeros((2, 4))), Tensor(0.0), GrowthWatch()
        for t, x in enumerate(np.ones((20, 2, 3))):
            with step(t):
                h = tanh(x @ U + h @ W)
            total = watch(total + (h * h).sum())

    quiet(body)


def test_features_that_are_made_once_are_no_growth():
    def body():
        features, watch = [by_hand(XS, None) for _ in range(3)], GrowthWatch()
        late = None
        for i in range(40):
            loss = (features[i % 3] @ W).sum()
            if late is not None:
                loss = loss + late.sum()
            watch(loss)
            late = late or loss  # made in one batch, read in all others

    quiet(body)


@pytest.mark.parametrize("reverse", [False, True])
def test_derivatives_of_derivatives_are_no_batches(reverse):
    """They read the states again that they are derivatives of."""

    def body():
        cell, watch = RNNCell(3, 4, rng=0), GrowthWatch(1)
        y = (unroll(cell, XS[:3], reverse=reverse).state ** 2).sum()
        for _ in range(4):
            (dy,) = grad(y, [cell.weight_hh], create_graph=True)
            y = watch((dy * dy).sum())

    quiet(body)


# --- in fit --------------------------------------------------------------------------------------


class Echo(rnn.Module):
    """A frozen recurrent network with a readout that is trained."""

    def __init__(self):
        self.cell, self.readout = RNNCell(3, 4, rng=0), Linear(4, 1, rng=1)
        for parameter in self.cell.parameters():
            parameter.requires_grad = False
        self.state = None

    def loss(self, cut):
        def loss(xs):
            run = unroll(self.cell, xs, self.state)
            self.state = detach(run.state) if cut else run.state
            return (self.readout(run.state) ** 2).mean()

        return loss


def train(model, loss, **options):
    optimizer, rng = SGD(model.readout.parameters(), 0.1), np.random.default_rng(0)
    return fit(model, [XS], loss, optimizer, rng, report=None, **options)


def test_fit_warns_of_a_frozen_state_that_is_not_cut():
    model = Echo()
    (sentence,) = warned(lambda: train(model, model.loss(cut=False), epochs=20))
    assert "(2, 4), made by tanh" in sentence
    model = Echo()
    quiet(lambda: train(model, model.loss(cut=True), epochs=20))


def test_fit_warns_of_no_state_that_it_carries_itself():
    model = Echo()

    def loss(xs, state):
        run = unroll(model.cell, xs, state)
        return (model.readout(run.state) ** 2).mean(), run.state

    def body():
        optimizer, rng = SGD(model.readout.parameters(), 0.1), np.random.default_rng(0)
        fit(model, [XS] * 9, loss, optimizer, rng, epochs=2, carry=True, report=None)

    quiet(body)


def test_a_state_that_learns_and_is_not_cut_is_stale_and_the_sentence_says_detach():
    cell, state = RNNCell(3, 4, rng=0), None
    with pytest.raises(StaleGraphError, match=r"cut in between: state = state\.detach\(\)"):
        for _ in range(2):
            state = unroll(cell, XS, state).state
            learn(state.sum(), *cell.parameters())
