"""Traps: each of these is got wrong by some well-known small engine."""

import numpy as np
import pytest

import microgrrepresent as mg
from microgrrepresent import (
    Graph,
    GraphError,
    ImmutableError,
    StaleGraphError,
    Tensor,
    backward,
    cross_entropy,
    grad,
    softmax,
    tanh,
    where,
)


def leaf(data, name=None):
    return Tensor(data, requires_grad=True, name=name)


def test_a_diamond():
    x = leaf(3.0)
    (2 * x * x).backward()
    assert x.grad == 12


def test_a_diamond_of_sums_and_products():
    a, b = leaf(3.0), leaf(4.0)
    y = (a + b) * (b + 1)
    (a * a * y).backward()
    assert a.grad == 2 * 3 * 35 + 9 * 5  # d(a² y)/da = 2 a y + a² (b + 1)
    assert b.grad == 9 * (5 + 7)


def test_two_outputs_of_one_input():
    a, b = leaf(3.0), leaf(4.0)
    squared, product = a * a, (a + b) * (b + 1)
    assert [float(g) for g in grad([squared, product], [a, b])] == [6 + 5, 5 + 7]


def test_an_intermediate_result_used_early_and_late():
    x = leaf(2.0)
    h = x * 3
    late = h * 1.0
    for _ in range(5):
        late = late + 1
    (h * late).backward()  # h has one child much older than the other
    assert x.grad == 2 * 9 * 2 + 5 * 3


def test_a_product_with_itself_keeps_two_edges():
    x = leaf(3.0)
    y = x * x
    assert y.parents == (x, x)
    assert Graph(y).consumers(x) == (y, y)
    assert grad(y, x) == 6
    assert float(backward(y).contribution(x, y)) == 6
    assert grad(x - x, x) == 0 and grad(x / x, x) == 0


def test_sixty_doublings_take_linear_time():
    """By paths instead of nodes, this would take 2 to the 60th steps."""
    x = leaf(1.0)
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    assert x.grad == 2.0**60
    assert float(grad(y, x, create_graph=True)) == 2.0**60
    assert Graph(y).depth() == 60


def test_twenty_thousand_inputs():
    """Handing all inputs to each rule would take time quadratic in them."""
    xs = [leaf([float(i)]) for i in range(20_000)]
    y = mg.stack(xs).sum()
    y.backward()
    assert all(x.grad == 1 for x in xs)


def test_a_second_backward_doubles_the_gradient():
    x, w = leaf([1.0, 2.0]), leaf([[0.5, 1.0], [2.0, 3.0]])
    loss = tanh(w @ x).sum()
    loss.backward()
    once = x.grad.copy(), w.grad.copy()
    loss.backward()
    assert x.grad.tolist() == (2 * once[0]).tolist()
    assert w.grad.tolist() == (2 * once[1]).tolist()
    loss.backward()
    np.testing.assert_allclose(w.grad, 3 * once[1])


def test_a_backward_from_the_middle_adds_only_its_part():
    x = leaf(2.0)
    h = x * x
    y = h * 3
    y.backward()
    h.backward()
    assert x.grad == 12 + 4


def test_one_output_of_a_split_is_dropped():
    x = leaf([1.0, 2.0, 3.0])
    _, middle, _ = mg.split(x, 3)
    (middle * 5).backward()
    assert x.grad.tolist() == [0, 5, 0]


def test_repeated_indices_add_up():
    x = leaf([1.0, 2.0, 3.0])
    x[[0, 0, 2, 0]].sum().backward()
    assert x.grad.tolist() == [3, 0, 1]


def test_a_second_step_of_an_rnn_with_inputs_of_another_size():
    inputs, hidden = 5, 3
    rng = np.random.default_rng(0)
    w, u, b = leaf(rng.normal(size=(hidden, inputs))), leaf(np.eye(hidden)), leaf(np.zeros(hidden))
    h = Tensor(np.zeros((2, hidden)))
    for x in rng.normal(size=(2, 2, inputs)):
        h = tanh(x @ w.T + h @ u.T + b)
    h.sum().backward()
    assert (w.grad.shape, u.grad.shape, b.grad.shape) == ((3, 5), (3, 3), (3,))


def test_a_bias_gets_the_sum_over_the_batch():
    b = leaf([1.0, 2.0])
    (Tensor(np.ones((4, 3, 2))) * b).sum().backward()
    assert b.grad.tolist() == [12, 12]
    b = leaf([[1.0], [2.0]])
    (Tensor(np.ones((4, 2, 3))) * b).sum().backward()
    assert b.grad.tolist() == [[12], [12]]
    b = leaf(1.0)
    (Tensor(np.ones((2, 3))) + b).sum().backward()
    assert b.grad == 6 and b.grad.shape == ()


def test_literals_keep_float32():
    x = leaf(np.array([1.0, 2.0], np.float32))
    y = (1 - x) * 2.0 / 3 + x**2 - 0.5 * x + (2**x) / (1 + x)
    assert y.dtype == np.float32
    y.sum().backward()
    assert x.grad.dtype == np.float32


# --- adjoints that share memory ------------------------------------------------------------------


def test_adjoints_that_are_one_array_are_not_added_to_in_place():
    """`a + b` hands one and the same adjoint to a and to b; what b gets later must not reach a."""
    uses = {
        "slice": lambda t: t[:2],
        "repeats": lambda t: t[[0, 0]],
        "take": lambda t: mg.take(t, [1, 1]),
        "sum": lambda t: t,
        "split": lambda t: mg.split(t, [2])[0],
    }
    for name, use in uses.items():
        for _ in range(2):
            a, b = leaf([1.0, 2.0, 3.0], "a"), leaf([4.0, 5.0, 6.0], "b")
            early = use(b).sum() * 10 + use(b).sum()
            loss = (a + b).sum() + (b - a)[1] + early
            numbers = grad(loss, [a, b])
            symbols = grad(loss, [a, b], create_graph=True)
            kept = backward(loss)
            loss.backward()
            for i, x in enumerate((a, b)):
                assert numbers[i].tolist() == symbols[i].numpy().tolist(), name
                assert numbers[i].tolist() == kept[x].tolist() == x.grad.tolist(), name
            assert a.grad.tolist() == [1, 0, 1], name


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0), (0, 2, 1)])
def test_a_scalar_that_is_also_indexed(order):
    x = leaf(2.0)
    uses = [lambda: x * 3, lambda: x * 4, lambda: x[None].sum() + x[()] * 2]
    parts = [uses[i]() for i in order]
    (parts[0] + parts[1] + parts[2]).backward()
    assert x.grad == 3 + 4 + 1 + 2


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2), (2, 0, 3, 1)])
def test_parts_of_different_shapes_and_types_meet(order, dtype):
    """Parts of an adjoint come broadcast, promoted, sliced and plain, in any order."""
    rng = np.random.default_rng(0)
    data, wide, double = rng.normal(size=3), rng.normal(size=(2, 3)), rng.normal(size=3)
    x = leaf(data.astype(dtype))
    uses = [
        lambda: (x * wide).sum() + (x * wide).sum(),
        lambda: (x[:2] * 3).sum() + mg.take(x, [2, 2]).sum() + x[[0, 0]].sum(),
        lambda: (x * double).sum(),
        lambda: (x * 2).sum() + (x.reshape(3, 1) * wide.T).sum(),
    ]
    parts = [None] * 4
    for i in order:
        parts[i] = uses[i]()
    loss = parts[0] + parts[1] + parts[2] + parts[3]
    expected = 3 * wide.sum(0) + [3 + 2, 3, 2] + double + 2
    for g in (grad(loss, x), backward(loss)[x], grad(loss, x, create_graph=True).numpy()):
        np.testing.assert_allclose(g, expected, rtol=1e-5)
        assert g.dtype == dtype and g.shape == (3,)


def test_adjoints_that_were_handed_out_do_not_change():
    x = leaf([1.0, 2.0])
    y = x * 1
    z = y[0] + y[1] + (y + y).sum() + y.sum()
    gs = grad(z, [z, y, x])
    kept = backward(z)
    assert [g.tolist() for g in gs] == [1, [4, 4], [4, 4]]
    assert kept[y].tolist() == kept[x].tolist() == [4, 4]
    seed = np.ones(2)
    for _ in range(2):
        assert grad([y, y[0], y], x, [seed, 1.0, seed]).tolist() == [3, 2]
    assert seed.tolist() == [1, 1]


# --- a recorded value cannot change --------------------------------------------------------------


def test_the_array_behind_a_graph_cannot_be_changed():
    data = np.array([1.0, 2.0])
    x = leaf(data)
    y = (x * x).sum()
    data[:] = 100
    for array in (x.data, x.numpy(), np.asarray(x.detach())):
        with pytest.raises(ValueError, match="read-only"):
            array += 1
    y.backward()
    assert x.grad.tolist() == [2, 4]


def test_arrays_handed_to_operations_can_change_afterwards():
    x = leaf([1.0, 2.0, 3.0])
    index, mask, factor = np.array([0, 1]), np.array([True, False, True]), np.array([1.0, 2, 3])
    targets, rows = np.array([2]), np.array([0, 0])
    y = (
        x[index].sum()
        + x[mask].sum()
        + (x * factor).sum()
        + where(mask, x, 0).sum()
        + mg.take(x, rows).sum()
        + mg.cross_entropy(mg.reshape(x, (1, 3)), targets)
    )
    expected = grad(y, x).tolist()
    index[:], mask[:], factor[:], targets[:], rows[:] = 2, False, 0, 0, 2
    assert grad(y, x).tolist() == expected
    y.backward()
    assert x.grad.tolist() == expected


def test_views_are_read_only_too():
    x = leaf(np.zeros((2, 3)))
    for view in (x[0], x.T, x.reshape(6), mg.broadcast_to(x, (4, 2, 3)), mg.stop_gradient(x)):
        with pytest.raises(ValueError, match="read-only"):
            view.numpy()[...] = 1


def test_item_assignment_says_what_to_do_instead():
    t = Tensor([1.0, 2.0])
    with pytest.raises(ImmutableError, match=r"make a new one with where\(mask, new, t\)"):
        t[0] = 1
    with pytest.raises(ImmutableError, match=r"or give a leaf a whole new value with t.assign"):
        t[0] += 1


def test_the_truth_of_two_elements():
    with pytest.raises(ValueError, match="truth of a Tensor with 2 elements is ambiguous"):
        if Tensor([1.0, 2.0]) > 0:
            pass


# --- numbers -------------------------------------------------------------------------------------


def test_sigmoid_of_1():
    assert float(mg.sigmoid(Tensor(1.0))) == 0.7310585786300049


def test_a_target_of_another_shape_is_refused_and_not_broadcast():
    logits = Tensor(np.zeros((8, 1)))
    with pytest.raises(ValueError, match=r"logits \(8, 1\) need targets of the same shape, got"):
        mg.binary_cross_entropy(logits, np.zeros(8))


def test_an_axis_that_is_not_there_is_refused_and_not_wrapped():
    x = Tensor(np.zeros((2, 2)))
    for f in (mg.softmax, mg.log_softmax, mg.logsumexp, mg.sum, mg.mean, mg.max, mg.min, mg.flip,
              mg.expand_dims, mg.squeeze):  # fmt: skip
        for axis in (3, -4):
            with pytest.raises(ValueError, match=f"axis {axis}|axis={axis}"):
                f(x, axis=axis)
    for axis in (3, -4):
        for g in (
            lambda axis: mg.concatenate([x, x], axis),
            lambda axis: mg.stack([x, x], axis),
            lambda axis: mg.split(x, 2, axis),
            lambda axis: mg.swapaxes(x, 0, axis),
            lambda axis: mg.transpose(x, (0, axis)),
        ):
            with pytest.raises(ValueError, match=f"axis {axis}"):
                g(axis)


def test_the_mixed_second_derivative_of_a_power_is_the_same_in_both_orders():
    a, b = Tensor(2.0), Tensor(0.0)  # d²(a^b)/da db = a^(b-1) (1 + b log a)
    y = a**b
    assert float(grad(grad(y, a, create_graph=True), b)) == 0.5
    assert float(grad(grad(y, b, create_graph=True), a)) == 0.5


def test_the_bounds_of_a_slice_cannot_be_changed_afterwards():
    low, high = np.array(0), np.array(2)
    w = Tensor([1.0, 2.0, 3.0])
    y = w[low:high]
    low += 1
    high += 1
    assert grad(y.sum(), w).tolist() == [1.0, 1.0, 0.0]


def test_a_stale_graph_is_not_saved():
    x = Tensor([1.0, 2.0], name="x")
    graph = Graph(x * x)
    x.assign([5.0, 5.0])
    with pytest.raises(StaleGraphError, match="x"):
        graph.to_json()


def test_what_flowed_can_still_be_asked_for_after_an_assign():
    x = Tensor([1.0, 2.0], requires_grad=True)
    adjoints = backward((x * x).sum())
    x.assign([5.0, 5.0])
    assert adjoints.by_step(x)[None].tolist() == [2.0, 4.0]


def test_integer_logits_and_an_empty_batch():
    assert softmax(Tensor([1, 1])).numpy().tolist() == [0.5, 0.5]
    assert float(cross_entropy(Tensor(np.zeros((0, 3))), np.zeros(0, int))) == 0.0


def test_find_refuses_what_is_no_operation():
    with pytest.raises(GraphError, match="norm"):
        Graph(Tensor(1.0) * 2).find(op="norm")


def test_a_mask_and_the_classes_to_ignore_are_part_of_the_graph():
    """Replayed for another mask, the loss is that of the other mask."""
    rng = np.random.default_rng(0)
    logits = Tensor(rng.normal(size=(4, 3)), requires_grad=True, name="z")
    classes, mask = Tensor([0, 1, 2, 1], name="y"), Tensor([True, True, True, False], name="m")
    loss = cross_entropy(logits, classes, mask=mask, ignore_index=2)
    np.testing.assert_allclose(loss.numpy(), cross_entropy(logits.value[:2], [0, 1]))
    others = {classes: [1, 2, 0, 0], mask: [False, True, True, True]}
    np.testing.assert_allclose(
        Graph(loss).replay(others)[loss], cross_entropy(logits.value[2:], [0, 0])
    )
    assert Graph(loss).replay({mask: [False] * 4})[loss] == 0
    picked = logits[mask].sum()
    np.testing.assert_allclose(
        Graph(picked).replay({mask: [False, True, False, False]})[picked], logits.value[1].sum()
    )
    np.testing.assert_allclose(grad(picked, logits), mask.value[:, None] * np.ones(3))
    assert cross_entropy(logits.astype("f4"), classes, mask=mask).dtype == np.float32
