"""Unrolling: time, directions, lengths, truncation, and functions that are no cells."""

import gc

import numpy as np
import pytest

from microgrrepresent import Graph, Tensor, backward, concatenate, grad, linear, tanh
from microgrrepresent import sum as total
from rnn import GRUCell, LSTMCell, RNNCell, Unrolled, dynamical_system, unroll

rng = np.random.default_rng(0)


# --- the loop ------------------------------------------------------------------------------------


def test_unroll_is_a_loop_over_the_cell():
    cell = LSTMCell(3, 4, rng=0)
    xs = rng.standard_normal((5, 2, 3))
    run = unroll(cell, xs)
    state = None
    for t, x in enumerate(xs, start=1):
        state = cell(x, state)
        np.testing.assert_array_equal(run.states[t].c.numpy(), state.c.numpy())
        np.testing.assert_array_equal(run.outputs[t - 1].numpy(), state.h.numpy())
    assert list(run.states) == [0, 1, 2, 3, 4, 5]
    assert run.state is run.states[5]
    assert isinstance(run, Unrolled) and run.stacked().shape == (5, 2, 4)


@pytest.mark.parametrize("given", [list, np.asarray, Tensor])
def test_forms_of_input(given):
    cell, xs = RNNCell(3, 4, rng=0), rng.standard_normal((5, 2, 3))
    expected = unroll(cell, xs).stacked().numpy()
    np.testing.assert_array_equal(unroll(cell, given(xs)).stacked().numpy(), expected)
    tensors = [Tensor(x) for x in xs]
    np.testing.assert_array_equal(unroll(cell, tensors).stacked().numpy(), expected)


def test_numbers_take_the_cell_s_data_type():
    run = unroll(RNNCell(1, 2, dtype=np.float32), [[1.0], [2.0]])
    assert run.state.dtype == np.float32


def test_reverse_runs_from_the_last_step_to_the_first():
    cell, xs = GRUCell(3, 4, rng=0), rng.standard_normal((5, 2, 3))
    run, flipped = unroll(cell, xs, reverse=True), unroll(cell, xs[::-1])
    for t in range(1, 6):
        np.testing.assert_array_equal(run.outputs[t - 1].numpy(), flipped.outputs[5 - t].numpy())
    assert list(run.states) == [6, 5, 4, 3, 2, 1]
    assert [run.states[t].step for t in run.states] == [6, 5, 4, 3, 2, 1]
    assert run.state is run.states[1]


def test_a_given_state_stands_before_the_first_step():
    cell = RNNCell(3, 4, rng=0)
    run = unroll(cell, np.ones((2, 3)), np.ones(4))
    first = run.states[0]
    assert (first.name, first.step, first.scope) == ("h", 0, "rnn")
    h0 = Tensor(np.ones(4), requires_grad=True, name="start")
    run = unroll(cell, np.ones((2, 3)), h0)
    assert run.states[0] is h0 and h0.name == "start"
    assert np.abs(grad(total(run.state), h0)).max() > 0


def test_a_long_sequence():
    cell = RNNCell(1, 1, rng=0)
    run = unroll(cell, np.ones((20_000, 1)))
    loss = total(run.stacked())
    loss.backward()
    assert np.isfinite(cell.weight_hh.grad).all()


# --- functions that are no cells -----------------------------------------------------------------


def test_a_plain_function():
    W, U = Tensor(rng.standard_normal((4, 3))), Tensor(rng.standard_normal((4, 4)))

    def cell(x, h):
        return tanh(linear(x, W) + linear(h, U)).named("h")

    xs = rng.standard_normal((5, 2, 3))
    run = unroll(cell, xs, np.zeros((2, 4)))
    ours = RNNCell(3, 4, bias=False)
    ours.load_state_dict({"weight_ih": W, "weight_hh": U})
    np.testing.assert_allclose(
        run.stacked().numpy(), unroll(ours, xs).stacked().numpy(), rtol=1e-13
    )
    assert [h.step for h in Graph(run.state).find(name="h")] == [1, 2, 3, 4, 5]


def test_a_function_that_makes_its_own_first_state_and_shows_the_first_part():
    def counting(x, state):
        seen, count = (x * 0, Tensor(0.0)) if state is None else state
        return seen + x, count + 1

    run = unroll(counting, np.ones((3, 2)))
    assert run.stacked().numpy().tolist() == [[1, 1], [2, 2], [3, 3]]
    assert float(run.state[1]) == 3 and run.states[0] is None


def test_a_function_with_lengths():
    add = lambda x, s: x if s is None else s + x  # noqa: E731
    run = unroll(add, np.ones((3, 2, 1)), lengths=[1, 3])
    assert run.state.numpy().tolist() == [[1.0], [3.0]]
    assert run.stacked().numpy()[:, :, 0].tolist() == [[1, 1], [0, 2], [0, 3]]
    run = unroll(add, np.ones((3, 2, 1)), np.zeros((2, 1)), lengths=[1, 3], reverse=True)
    assert run.state.numpy().tolist() == [[1.0], [3.0]]
    with pytest.raises(ValueError, match=r"at t=3, .* cannot begin from None for some.*state="):
        unroll(add, np.ones((3, 2, 1)), lengths=[1, 3], reverse=True)


FORMS = {
    "Tensor": (lambda h: h, lambda s: s),
    "tuple": (lambda h: (h, h), lambda s: s[0]),
    "list": (lambda h: [h, h], lambda s: s[0]),
    "dict": (lambda h: {"h": h}, lambda s: s["h"]),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_state_is_a_tensor_or_a_tuple_list_or_dict_of_such(form):
    pack, h = FORMS[form]
    w = Tensor(np.ones((2, 1)), requires_grad=True)

    def sums(x, s):
        return pack(x * w if s is None else h(s) + x * w)

    whole, cut = (unroll(sums, np.ones((3, 2, 1)), truncate=n) for n in (None, 1))
    assert grad(total(h(whole.state)), w).tolist() == [[3], [3]]
    assert grad(total(h(cut.state)), w).tolist() == [[1], [1]]
    run = unroll(sums, np.ones((3, 2, 1)), lengths=[1, 3])
    assert h(run.state).numpy().tolist() == [[1], [3]]
    assert run.stacked().numpy()[:, :, 0].tolist() == [[1, 1], [0, 2], [0, 3]]


@pytest.mark.parametrize("how", [{"truncate": 1}, {"lengths": [1, 3]}])
def test_a_state_of_another_form_cannot_be_cut_or_stand_still(how):
    class State:
        ndim = 2

    with pytest.raises(TypeError, match=r"a state is a Tensor, or a tuple.*; a part of it is a S"):
        unroll(lambda x, s: (x, State()), np.ones((3, 2, 1)), **how)


# --- lengths -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cell", [RNNCell(3, 4, rng=0), GRUCell(3, 4, rng=0), LSTMCell(3, 4, rng=0)]
)
@pytest.mark.parametrize("reverse", [False, True])
def test_a_padded_batch_equals_its_sequences_one_by_one(cell, reverse):
    lengths = np.array([4, 7, 1, 5])
    xs = rng.standard_normal((7, 4, 3))
    state = cell.state_of(*[rng.standard_normal((4, n)) for n in cell.state_sizes().values()])
    run = unroll(cell, xs, state, lengths=lengths, reverse=reverse)
    for b, n in enumerate(lengths):
        first = cell.state_of(*[part[b] for part in cell.parts_of(state)])
        alone = unroll(cell, xs[:n, b], first, reverse=reverse)
        output = run.stacked().numpy()[:, b]
        np.testing.assert_allclose(output[:n], alone.stacked().numpy(), rtol=1e-12, atol=1e-15)
        assert not output[n:].any()
        for part, lone in zip(cell.parts_of(run.state), cell.parts_of(alone.state), strict=True):
            np.testing.assert_allclose(part.numpy()[b], lone.numpy(), rtol=1e-12, atol=1e-15)


def test_padding_gets_no_gradient_and_gives_none():
    cell = GRUCell(3, 4, rng=0)
    xs = Tensor(rng.standard_normal((6, 2, 3)), requires_grad=True)
    run = unroll(cell, xs, lengths=[6, 2])
    gx, *gs = grad(total(run.stacked()) + total(run.state), [xs, *cell.parameters()])
    assert not gx[2:, 1].any() and gx[:2, 1].any()
    parts = [unroll(cell, xs[:n, b]) for b, n in enumerate((6, 2))]
    alone = sum(total(p.stacked()) + total(p.state) for p in parts)
    for g, expected in zip(gs, grad(alone, cell.parameters()), strict=True):
        np.testing.assert_allclose(g, expected, rtol=1e-11, atol=1e-13)


def test_padding_of_inputs_that_are_matrices():
    xs = np.ones((3, 2, 2, 2))
    xs[1:, 0] = np.nan
    run = unroll(lambda x, s: x + s if s is not None else x, xs, lengths=[1, 3])
    assert run.state.numpy()[:, 0, 0].tolist() == [1, 3]
    assert not run.outputs[2].numpy()[0].any()


@pytest.mark.parametrize("reverse", [False, True])
def test_padding_before_the_sequences(reverse):
    cell, rng = RNNCell(3, 4, rng=0), np.random.default_rng(0)
    xs, lengths = rng.standard_normal((5, 3, 3)), [2, 5, 0]
    xs[:3, 0] = xs[:, 2] = np.nan
    run = unroll(cell, xs, lengths=lengths, side="left", reverse=reverse)
    output = run.stacked().numpy()
    for b, n in enumerate(lengths[:2]):
        alone = unroll(cell, xs[5 - n :, b], reverse=reverse)
        np.testing.assert_allclose(output[5 - n :, b], alone.stacked().numpy(), rtol=1e-14)
        np.testing.assert_allclose(run.state.numpy()[b], alone.state.numpy(), rtol=1e-14)
        assert not output[: 5 - n, b].any()
    assert not output[:, 2].any() and not run.state.numpy()[2].any()
    with pytest.raises(ValueError, match=r"side must be 'right' or 'left', .* got 'pre'"):
        unroll(cell, xs, lengths=lengths, side="pre")


def test_a_function_cannot_begin_from_nothing_for_some_only():
    def add(x, s):
        return x if s is None else s + x

    for how in ({"lengths": [1, 3], "side": "left"}, {"lengths": [0, 3]}):
        with pytest.raises(ValueError, match=r"at t=1, .* cannot begin from None for some of them"):
            unroll(add, np.ones((3, 2, 1)), **how)
    run = unroll(add, np.ones((3, 2, 1)), lengths=[1, 3], side="left", reverse=True)
    assert run.state.numpy().ravel().tolist() == [1, 3]


def test_full_lengths_leave_no_trace():
    cell = RNNCell(3, 4, rng=0)
    graph = Graph(unroll(cell, np.ones((3, 2, 3)), lengths=[3, 3]).state)
    assert not graph.find(op="where")


def test_given_inputs_keep_their_names_with_lengths():
    xs = [Tensor(np.ones((2, 3)), name=f"word {t}") for t in (1, 2)]
    unroll(RNNCell(3, 4, rng=0), xs, lengths=[1, 2])
    assert [x.name for x in xs] == ["word 1", "word 2"]


def test_names_with_lengths():
    run = unroll(RNNCell(3, 4, rng=0), np.ones((3, 2, 3)), lengths=[3, 1])
    graph = Graph([run.stacked(), run.state])
    assert [node.step for node in graph.find(name="h")] == [0, 1, 2, 3]
    assert [node.step for node in graph.find(name="y")] == [1, 2, 3]


@pytest.mark.parametrize(
    ("lengths", "sentence"),
    [
        (
            [3, 4],
            "lengths: a sequence has between 0 and T = 3 valid steps, got 3..4; "
            "pad x to the longest",
        ),
        (
            [-1, 2],
            "lengths: a sequence has between 0 and T = 3 valid steps, got -1..2; "
            "pad x to the longest",
        ),
        (
            [3],
            "lengths: expected 2 integers, one for each sequence of the batch, "
            "got shape (1,) of int64",
        ),
        (
            [1.0, 2.0],
            "lengths: expected 2 integers, one for each sequence of the batch, "
            "got shape (2,) of float64",
        ),
    ],
)
def test_lengths_that_do_not_fit(lengths, sentence):
    with pytest.raises(ValueError) as error:
        unroll(RNNCell(3, 4), np.ones((3, 2, 3)), lengths=lengths)
    assert str(error.value) == sentence


def test_lengths_of_a_single_sequence():
    with pytest.raises(ValueError, match=r"lengths are for a batch .*: xs\[:length\]"):
        unroll(RNNCell(3, 4), np.ones((3, 3)), lengths=[2])


# --- truncation ----------------------------------------------------------------------------------


def test_truncation_cuts_the_gradient_and_nothing_else():
    cell = RNNCell(2, 3, rng=0)
    xs = Tensor(rng.standard_normal((7, 2)), requires_grad=True)
    whole, cut = unroll(cell, xs), unroll(cell, xs, truncate=3)
    np.testing.assert_array_equal(whole.stacked().numpy(), cut.stacked().numpy())
    g = grad(total(cut.state), xs)
    assert not g[:6].any() and g[6].any()  # steps 1-3, 4-6 | 7
    assert grad(total(whole.state), xs)[:6].any()
    cuts = Graph(cut.state).find(op="stop_gradient")
    assert [node.step for node in cuts] == [4, 7]


def test_truncation_after_the_end_is_none():
    cell = LSTMCell(2, 3, rng=0)
    xs = rng.standard_normal((5, 2))
    loss = lambda **k: total(unroll(cell, xs, **k).stacked())  # noqa: E731
    for g, h in zip(
        grad(loss(truncate=5), cell.parameters()), grad(loss(), cell.parameters()), strict=True
    ):
        np.testing.assert_array_equal(g, h)


# --- the gradient, step by step ------------------------------------------------------------------


@pytest.mark.parametrize("composition", ["fused", "per_gate"])
def test_what_is_made_once_is_taken_apart_by_step(composition):
    """The bias sum, and per gate the blocks of the weights, are made before the loop."""
    cell = LSTMCell(2, 3, composition=composition, rng=0)
    xs = rng.standard_normal((4, 2))
    run = unroll(cell, xs)
    adjoints = backward(total(run.stacked()))
    state, runs = None, []
    cells = [LSTMCell(2, 3, rng=0) for _ in xs]  # the same weights, not shared
    for c, x in zip(cells, xs, strict=True):
        state = c(x, state)
        runs.append(state.h)
    untied = sum(total(h) for h in runs)
    for name, p in cell.named_parameters():
        terms = adjoints.by_step(p)
        assert list(terms) == [1, 2, 3, 4]
        np.testing.assert_allclose(sum(terms.values()), adjoints[p], rtol=1e-12, atol=1e-15)
        for t, c in enumerate(cells, start=1):
            own = dict(c.named_parameters())[name]
            np.testing.assert_allclose(terms[t], grad(untied, own), rtol=1e-11, atol=1e-14)


# --- the classical dynamical system --------------------------------------------------------------


def test_dynamical_system():
    theta = Tensor(0.9, requires_grad=True, name="θ")
    s = dynamical_system(lambda s, theta: theta * s, Tensor(2.0), theta, 3)
    graph = Graph(s[-1])
    assert len(graph.find(op="mul")) == 2  # τ - 1 applications
    assert len(graph.consumers(theta)) == 2
    assert [(node.name, node.step) for node in s] == [("s", 1), ("s", 2), ("s", 3)]
    for tau in (1, 2, 10):
        s = dynamical_system(lambda s, theta: theta * s, Tensor(2.0), theta, tau)
        if tau > 1:
            np.testing.assert_allclose(
                grad(s[-1], theta), (tau - 1) * 0.9 ** (tau - 2) * 2.0, rtol=1e-13
            )
        assert len(s) == tau
    with pytest.raises(ValueError, match=r"s\(1\) is the first state"):
        dynamical_system(lambda s, theta: s, Tensor(2.0), theta, 0)


def test_shared_parameters_get_the_sum_over_independent_copies():
    theta = Tensor(rng.standard_normal((2, 2)), requires_grad=True)
    f = lambda s, theta: tanh(s @ theta)  # noqa: E731
    s1 = Tensor(rng.standard_normal(2))
    shared = grad(total(dynamical_system(f, s1, theta, 5)[-1]), theta)
    copies = [Tensor(theta.data, requires_grad=True) for _ in range(4)]
    s = s1
    for copy in copies:
        s = f(s, copy)
    np.testing.assert_allclose(shared, sum(grad(total(s), copies)), rtol=1e-13)


def test_depth_grows_linearly_with_time():
    cell = RNNCell(1, 1, rng=0)
    depth = [Graph(unroll(cell, np.ones((T, 1))).state).depth() for T in (2, 3, 4, 12)]
    step = depth[1] - depth[0]
    assert step > 0
    assert depth[2] - depth[1] == step and depth[3] - depth[2] == 8 * step


def test_errors():
    cell = RNNCell(3, 4)
    with pytest.raises(ValueError, match="the sequence is empty"):
        unroll(cell, np.zeros((0, 3)))
    with pytest.raises(ValueError, match="the sequence is empty"):
        unroll(cell, Tensor(np.zeros((0, 3))))
    with pytest.raises(ValueError, match="an axis of time, the first, got a scalar"):
        unroll(cell, 3.0)
    for no_cell in (3, RNNCell):
        with pytest.raises(TypeError, match=r"the cell is a function .*, got"):
            unroll(no_cell, np.zeros((2, 3)))
    for truncate in (0, 1.5):
        with pytest.raises(ValueError, match="truncate must be an integer >= 1, got"):
            unroll(cell, np.zeros((2, 3)), truncate=truncate)
    with pytest.raises(ValueError, match="an axis of time, the first, got a scalar"):
        unroll(cell, Tensor(1.0))
    with pytest.raises(ValueError, match=r"its state is h itself, got a tuple of 2"):
        unroll(cell, np.zeros((2, 3)), (np.zeros(4), np.zeros(4)))


def test_concatenated_form_equals_split_form():
    """Ng: Wa[a, x] = Waa a + Wax x."""
    cell = RNNCell(3, 4, rng=0)
    s = cell.state_dict()
    Wa = Tensor(np.hstack([s["weight_hh"], s["weight_ih"]]))
    ba = Tensor(s["bias_ih"] + s["bias_hh"])
    joint = lambda x, a: tanh(linear(concatenate([a, x], axis=-1), Wa) + ba)  # noqa: E731
    xs = rng.standard_normal((5, 2, 3))
    np.testing.assert_allclose(
        unroll(joint, xs, np.zeros((2, 4))).stacked().numpy(),
        unroll(cell, xs).stacked().numpy(),
        rtol=1e-12,
    )
    assert Wa.shape == (4, 7)


def test_the_garbage_collector_rests_while_a_graph_grows_and_is_then_as_it_was():
    seen = []

    def cell(x, state):
        seen.append(gc.isenabled())
        if len(seen) == 3:
            raise KeyError("a cell that fails")
        return x + state

    assert gc.isenabled()
    with pytest.raises(KeyError):
        unroll(cell, np.zeros((5, 2)), np.zeros(2))
    assert gc.isenabled() and seen == [False] * 3
    gc.disable()
    try:
        unroll(cell, np.zeros((5, 2)), np.zeros(2))
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_inputs_are_copied_and_their_rows_are_leaves():
    xs = np.ones((3, 2, 4))
    run = unroll(lambda x, s: x + s, xs, np.zeros((2, 4)))
    xs[:] = 5
    assert float(run.state.numpy().max()) == 3
    x = run.outputs[0].parents[0]
    assert x.is_leaf and x.name == "x" and x.step == 1 and not x.numpy().flags.writeable
