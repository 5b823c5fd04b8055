"""The reverse sweep: backward, grad, Adjoints, jacobian; numeric and symbolic."""

import contextlib
import gc
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import microgrrepresent as mg
from microgrrepresent import (
    DTypeError,
    GradientError,
    Graph,
    ShapeError,
    StaleGraphError,
    Tensor,
    backward,
    exp,
    grad,
    gradcheck,
    jacobian,
    primitive,
    scope,
    sin,
    step,
    steps,
    stop_gradient,
    tanh,
    transpose,
)


def leaf(data, name=None):
    return Tensor(data, requires_grad=True, name=name)


# --- t.backward() --------------------------------------------------------------------------------


def test_backward_leaves_gradients_at_leaves_that_want_one():
    x, w, b = leaf([[1.0, 2.0]], "x"), leaf([[3.0], [4.0]], "w"), Tensor(1.0)
    (x @ w + b).sum().backward()
    assert x.grad.tolist() == [[3, 4]] and w.grad.tolist() == [[1], [2]]
    assert b.grad is None
    for g, t in ((x.grad, x), (w.grad, w)):
        assert type(g) is np.ndarray and g.flags.writeable and g.dtype == t.dtype


def test_backward_of_a_leaf():
    x = leaf(3.0)
    x.backward()
    assert x.grad == 1 and type(x.grad) is np.ndarray


def test_backward_adds_up_over_graphs():
    x = leaf([1.0, 2.0])
    (x * x).sum().backward()
    first = x.grad
    (3 * x).sum().backward()
    assert x.grad.tolist() == [5, 7]
    assert first.tolist() == [2, 4]  # what was handed out before does not change
    x.grad = None
    (3 * x).sum().backward()
    assert x.grad.tolist() == [3, 3] and type(x.grad) is np.ndarray


def test_gradients_of_scalars_stay_arrays():
    x = leaf(2.0)
    for total in (4.0, 8.0, 12.0):
        (x * x).backward()
        assert type(x.grad) is np.ndarray and x.grad.shape == () and x.grad == total


def test_gradients_are_not_shared():
    a, b = leaf([1.0]), leaf([1.0])
    (a + b).backward()
    a.grad[:] = 5
    assert b.grad.tolist() == [1]
    seed = np.array([2.0])
    (a + b).backward(seed)
    seed[:] = 9
    assert b.grad.tolist() == [3]
    g1, g2 = grad(a + b, [a, b])
    g1[:] = 7
    assert g2.tolist() == [1]


def test_a_seed_weighs_the_outputs():
    x = leaf([1.0, 2.0])
    (x * x).backward([1, 10])
    assert x.grad.tolist() == [2, 40]
    assert grad(x * x, x, [1, 10]).tolist() == [2, 40]
    assert backward(x * x, [1, 10])[x].tolist() == [2, 40]
    assert grad(x * x, x, Tensor([1.0, 10.0])).tolist() == [2, 40]


# --- grad ----------------------------------------------------------------------------------------


def test_grad_of_any_nodes():
    x = Tensor([1.0, 2.0])  # neither requires a gradient
    h = tanh(x)
    y = (h * h).sum()
    gh, gx, gy = grad(y, [h, x, y])
    np.testing.assert_allclose(gh, 2 * h.numpy())
    np.testing.assert_allclose(gx, 2 * h.numpy() * (1 - h.numpy() ** 2))
    assert gy == 1 and x.grad is None
    assert isinstance(grad(y, x), np.ndarray) and isinstance(grad(y, [x]), list)
    assert grad(y, []) == []
    assert grad(y, [x, x])[1].tolist() == gx.tolist()


def test_grad_of_several_outputs_is_that_of_their_sum():
    x = Tensor([1.0, 2.0])
    a, b = x * x, x[0] * 3
    assert grad([a, b], x, [[1, 1], 1]).tolist() == [5, 4]
    assert grad([a.sum(), b, b], x).tolist() == [8, 4]
    assert grad([a, a * 2], [a], [[1, 0], [0, 1]])[0].tolist() == [1, 2]
    with pytest.raises(ShapeError, match="2 outputs need 2 seeds, got 1"):
        grad([a, b], x, [1])


def test_grad_walks_only_what_lies_between():
    x = Tensor(1.0)
    calls = []
    counted = primitive(
        "counted_by_test_sweep", np.exp, (lambda g, y, x: calls.append(1) or g * y,)
    )
    y = x
    for _ in range(5):
        y = counted(y * 0.1)
    middle = y
    grad(counted(middle * 0.1), middle)
    assert len(calls) == 1
    grad(counted(middle * 0.1), x)
    assert len(calls) == 7


def test_unconnected_inputs():
    x, z = Tensor([1.0, 2.0], name="x"), Tensor([[3.0]], dtype="float32", name="z")
    y = (x * 2).sum()
    with pytest.raises(GradientError, match=r"grad: the output does not depend on z \(1, 1\)"):
        grad(y, [x, z])
    gx, gz = grad(y, [x, z], unconnected="zeros")
    assert gx.tolist() == [2, 2] and gz.tolist() == [[0]] and gz.dtype == np.float32
    gz = grad(y, z, create_graph=True, unconnected="zeros")
    assert isinstance(gz, Tensor) and gz.numpy().tolist() == [[0]]
    with pytest.raises(GradientError, match="does not depend on x"):
        grad((stop_gradient(x) * 2).sum(), x)
    with pytest.raises(GradientError, match="does not depend on x"):
        grad((x.detach() * 2).sum(), x)


def test_integers_have_no_gradients():
    i = Tensor([1, 2], name="i")
    with pytest.raises(DTypeError, match=r"grad: i \(2,\) is of int64; a derivative needs numbers"):
        grad((i * 1.5).sum(), i)
    with pytest.raises(DTypeError, match="grad: the output is of int64"):
        grad(i.sum(), Tensor(1.0))
    x = leaf([1.5, 2.5])
    y = x.astype(int) * x  # only one of the two paths passes a derivative
    assert grad(y.sum(), x).tolist() == [1, 2]
    y.sum().backward()
    assert x.grad.tolist() == [1, 2]


def test_a_gradient_that_is_lost_in_integers_is_missing_and_not_rounded():
    x = leaf([1.5])
    with pytest.raises(GradientError, match="does not depend on any leaf that requires a gradient"):
        (x.astype(int) * 1.5).sum().backward()


# --- the symbolic sweep --------------------------------------------------------------------------


def test_create_graph_gives_a_graph():
    x = leaf(0.5, "x")
    with scope("f"), step(3):
        y = sin(x).named("y")
    dy = grad(y, x, create_graph=True)
    assert isinstance(dy, Tensor)
    assert [node.op.name for node in Graph(dy) if node.op] == ["cos", "mul"]
    assert dy.derivative_of is y and (dy.scope, dy.step) == ("f", 3)
    assert [n.name for n in Graph(dy).inputs] == ["1"]  # the seed
    assert Tensor(1.0).derivative_of is None


def test_derivatives_of_any_order():
    x = Tensor(0.3)
    y = sin(x)
    derivatives = [np.cos, lambda v: -np.sin(v), lambda v: -np.cos(v), np.sin] * 2
    for expected in derivatives:
        y = grad(y, x, create_graph=True)
        np.testing.assert_allclose(float(y), expected(0.3), rtol=1e-12)


def test_a_gradient_penalty_trains():
    w = leaf([0.5, -1.0])
    x = Tensor([[1.0, 2.0], [3.0, -1.0]])
    dx = grad(tanh(x @ w).sum(), x, create_graph=True)
    (dx * dx).sum().backward()

    def penalty(w):
        return ((1 - np.tanh(x.numpy() @ w) ** 2) ** 2).sum() * (w @ w)

    h = 1e-6
    for i, e in enumerate(np.eye(2) * h):
        slope = (penalty(w.numpy() + e) - penalty(w.numpy() - e)) / (2 * h)
        np.testing.assert_allclose(w.grad[i], slope, rtol=1e-6)


def test_a_seed_can_be_differentiated():
    x, v = Tensor([1.0, 2.0]), Tensor([1.0, 1.0])
    g = grad(x * x * x, x, v, create_graph=True)
    assert grad(g, v, [1, 0]).tolist() == [3, 0]  # a Jacobian-vector product by transposing twice


def test_numeric_and_symbolic_sweeps_agree():
    rng = np.random.default_rng(0)
    w, x = leaf(rng.normal(size=(3, 3))), leaf(rng.normal(size=(2, 3)))
    h = x
    for _ in range(3):
        h = tanh(h @ w) * mg.sigmoid(h) + mg.softmax(h)
    loss = mg.cross_entropy(h, [0, 2]) + mg.norm(h)
    for a, b in zip(grad(loss, [w, x]), grad(loss, [w, x], create_graph=True), strict=True):
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-13)


# --- Adjoints ------------------------------------------------------------------------------------


def test_adjoints_of_all_nodes():
    a, b = leaf(2.0, "a"), leaf(3.0, "b")
    s = a + b
    p = s * b
    adjoints = backward(p)
    assert [float(adjoints[n]) for n in (p, s, a, b)] == [1, 3, 3, 8]
    assert list(adjoints) == [p, s, b, a] and len(adjoints) == 4
    assert a in adjoints and Tensor(1.0) not in adjoints
    assert float(adjoints.contribution(b, p)) == 5 and float(adjoints.contribution(b, s)) == 3
    assert a.grad is None
    with pytest.raises(ValueError, match="read-only"):
        adjoints[a][...] = 0
    with pytest.raises(ValueError, match="read-only"):
        adjoints.contribution(a, s)[...] = 0


def test_adjoints_say_what_they_do_not_have():
    a, b, c = leaf(2.0, "a"), Tensor(3.0, name="b"), leaf(1.0, "c")
    y = a * b
    adjoints = backward(y)
    for node, name in ((b, "b"), (c, "c")):
        with pytest.raises(GradientError, match=rf"{name} \(\) has no adjoint here"):
            adjoints[node]
    with pytest.raises(GradientError, match=r"nothing flowed to a \(\) from c \(\)"):
        adjoints.contribution(a, c)
    kept = backward(y, keep="nodes")
    assert float(kept[a]) == 3
    for ask in (lambda: kept.contribution(a, y), lambda: kept.by_step(a)):
        with pytest.raises(GradientError, match=r"use backward\(output, keep='all'\)"):
            ask()


def random_recurrence(rng, length):
    """A recurrence with shared parameters, some used before the loop and some after it."""
    w, b, u = leaf(rng.normal(size=(3, 3))), leaf(rng.normal(size=3)), leaf(rng.normal(size=3))
    wt, both = transpose(w), b + Tensor(np.ones((2, 3))) * u  # made once, before the loop
    h = leaf(rng.normal(size=(2, 3)))
    start, total = h, 0
    for t, x in steps([Tensor(rng.normal(size=3)) for _ in range(length)]):
        h = tanh(h @ wt + both * x)
        if t % 2:
            total = total + (h * u).sum()
    return [w, b, u, start], (total + (h @ w).sum() + exp(b).sum() * 0.1)


@given(seed=st.integers(0, 10**6), length=st.integers(1, 6))
def test_parts_make_the_whole(seed, length):
    """The contributions of the children, and the terms of the steps, add up to the adjoint."""
    parameters, loss = random_recurrence(np.random.default_rng(seed), length)
    adjoints = backward(loss)
    consumers = Graph(loss).consumers
    for node in adjoints:
        if node is not loss:
            children = {child for child in consumers(node) if child in adjoints}
            parts = sum(adjoints.contribution(node, child) for child in children)
            np.testing.assert_allclose(parts, adjoints[node], rtol=1e-10, atol=1e-12)
        by_step = adjoints.by_step(node)
        np.testing.assert_allclose(sum(by_step.values()), adjoints[node], rtol=1e-10, atol=1e-12)
    w, b, u, _ = parameters
    assert list(adjoints.by_step(w)) == [*range(1, length + 1), None]
    assert list(adjoints.by_step(b)) == [*range(1, length + 1), None]
    assert list(adjoints.by_step(u))[:length] == [*range(1, length + 1)]


def test_the_terms_by_step_are_those_of_separate_parameters():
    """dL/dW at step t is the gradient of a W that only step t uses."""
    rng = np.random.default_rng(1)
    xs = rng.normal(size=(4, 3))

    def loss_of(ws):
        h = Tensor(np.zeros(3))
        for (_, x), w in zip(steps(xs), ws, strict=True):
            h = tanh(w @ h + x)
        return (h * h).sum()

    value = rng.normal(size=(3, 3))
    w = leaf(value)
    by_step = backward(loss_of([w] * 4)).by_step(w)
    separate = [leaf(value) for _ in range(4)]
    for t, g in enumerate(grad(loss_of(separate), separate), 1):
        np.testing.assert_allclose(by_step[t], g, rtol=1e-12)


def test_a_product_with_itself_has_two_edges():
    x = leaf(3.0)
    y = x * x
    assert float(backward(y).contribution(x, y)) == 6


# --- jacobian ------------------------------------------------------------------------------------


def test_jacobian():
    x = Tensor([1.0, 2.0, 3.0])
    m = Tensor([[1.0, 0.0, 2.0], [0.0, -1.0, 1.0]])
    np.testing.assert_array_equal(jacobian(m @ x, x), m.numpy())
    np.testing.assert_array_equal(jacobian(x * x, x), np.diag([2, 4, 6]))
    assert jacobian(m @ x, m).shape == (2, 2, 3)
    assert jacobian(x.sum(), x).tolist() == [1, 1, 1]
    assert jacobian(Tensor([1.0], dtype="float32") * x.astype("float32"), x).dtype == np.float64


# --- graphs that are stale, or rules that are broken ---------------------------------------------


def assigned_after():
    """A graph two operations deep, and its leaf, which got a new value since."""
    u, w = leaf(2.0, "u"), leaf(5.0, "w")
    with scope("net"), step(4):
        f = u * 3
    y = w * f + 1
    u.assign(3.0)
    return u, w, f, y


@pytest.mark.parametrize(
    "sweep",
    [
        lambda u, w, f, y: y.backward(),
        lambda u, w, f, y: backward(y),
        lambda u, w, f, y: grad(y, u),
        lambda u, w, f, y: grad(y, w),
        lambda u, w, f, y: grad(y, [w, f]),
        lambda u, w, f, y: grad(y, w, create_graph=True),
        lambda u, w, f, y: jacobian(y, w),
        lambda u, w, f, y: Graph(y),
    ],
    ids=["backward", "Adjoints", "grad", "grad other", "grad two", "symbolic", "jacobian", "Graph"],
)
def test_a_stale_graph_is_refused(sweep):
    with pytest.raises(StaleGraphError, match=r"u \(\) was given a new value.*mul in net at t=4"):
        sweep(*assigned_after())


def test_an_input_that_was_assigned_to_makes_the_graph_stale_too():
    x, w = Tensor(1.0, name="x"), leaf(2.0)
    y = w * (x * 3)
    x.assign(5.0)
    for sweep in (y.backward, lambda: backward(y), lambda: grad(y, w)):
        with pytest.raises(StaleGraphError, match=r"x \(\) was given a new value"):
            sweep()


def test_a_state_carried_over_an_assignment_is_stale_even_for_grad():
    """Truncated BPTT without detach: the old state was computed with the old parameters."""
    w = leaf(0.5, "w")
    h = tanh(w * 1.0)
    w.assign(0.6)
    loss = tanh(w * h)
    for sweep in (lambda: grad(loss, w), loss.backward):
        with pytest.raises(StaleGraphError):
            sweep()
    loss = tanh(w * h.detach())
    assert grad(loss, w) == pytest.approx(float((1 - loss * loss) * h))


def test_a_source_that_was_assigned_to_is_stale_beside_one_that_was_made_later():
    w, x = leaf(2.0, "w"), leaf(0.5, "x")
    before = w * 3
    h = tanh(x)
    y = before * h
    w.assign(5.0)
    with pytest.raises(StaleGraphError, match=r"w \(\) was given a new value"):
        grad(y, [w, h])


def test_what_was_made_after_an_assignment_is_fresh():
    w = leaf(2.0)
    w.assign(3.0)
    assert grad(w * w, w) == 6
    x = Tensor(1.0)
    x.assign(5.0)
    (w * x).backward()
    assert w.grad == 5


def test_broken_rules_are_named():
    x = Tensor([1.0, 2.0], name="x")
    rules = {
        "number": lambda g, y, x: 1.0,
        "shape": lambda g, y, x: np.ones(5),
        "attribute": lambda g, y, x: x.nothing,
        "nothing": lambda g, y, x: None,
    }
    for name, rule in rules.items():
        op = primitive(f"broken_{name}_by_test_sweep", lambda x: x * 2, (rule,))
        with (
            pytest.raises(
                GradientError,
                match=rf"broken_{name}_by_test_sweep at t=1: the rule for input 0, x \(2,\),",
            ),
            step(1),
        ):
            grad(op(x).sum(), x)


# --- memory and length ---------------------------------------------------------------------------


def test_graphs_are_freed_without_the_garbage_collector():
    gc.collect()
    before = sum(issubclass(type(o), Tensor) for o in gc.get_objects())
    gc.disable()
    try:
        for i in range(1000):
            w, x = leaf([[1.0, 2.0], [3.0, 4.0]]), Tensor([1.0, 1.0])
            for _, _ in steps("ab"):
                x = tanh(w @ x) / x.sum()
            loss = (x * x).sum()
            loss.backward()
            backward(loss).by_step(w)
            if i % 10 == 0:
                g = grad(loss, w, create_graph=True)
                grad(g.sum(), w)
                Graph(g).consumers(w)
            with contextlib.suppress(ShapeError):
                w @ Tensor([1.0, 2.0, 3.0])
        del w, x, loss, g
        after = sum(issubclass(type(o), Tensor) for o in gc.get_objects())
    finally:
        gc.enable()
    assert after == before


def test_a_chain_of_ten_thousand_steps():
    w = leaf(1.0)
    h = Tensor(0.5)
    for _ in range(10_000):
        h = h * w
    h.backward()
    assert w.grad == pytest.approx(0.5 * 10_000)
    g = grad(h, w, create_graph=True)
    del h
    assert float(g) == pytest.approx(0.5 * 10_000)
    del g


@pytest.mark.slow
def test_a_chain_of_a_hundred_thousand_steps_takes_under_300_mb():
    code = """
        import pathlib, resource, re
        import numpy as np
        from microgrrepresent import Tensor, steps, tanh

        def peak():  # in MB; Linux counts what forked a process into its ru_maxrss
            status = pathlib.Path("/proc/self/status")
            if status.exists():
                return int(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1]) / 1024
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2  # macOS: bytes

        rng = np.random.default_rng(0)
        w = Tensor(rng.normal(size=(8, 8)) / 3, requires_grad=True)
        b = Tensor(rng.normal(size=8), requires_grad=True)
        h = Tensor(np.zeros((4, 8)))
        for t, _ in steps(range(100_000)):
            h = tanh(h @ w + b)
        loss = h.sum()
        loss.backward()
        del h, loss
        assert np.isfinite(w.grad).all()
        print(peak())
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert float(result.stdout) < 300


def test_gradcheck_of_a_whole_recurrence():
    rng = np.random.default_rng(0)

    def f(w, u, b, h):
        for _, x in steps(rng_x):
            h = tanh(h @ w + x @ u + b)
        return h

    rng_x = rng.normal(size=(3, 2, 4))
    shapes = [(3, 3), (4, 3), (3,), (2, 3)]
    assert gradcheck(f, [rng.normal(size=s) for s in shapes]).error < 1e-13


def test_broadcasting_is_undone_at_the_step_that_it_happened_at():
    b, h = Tensor(np.zeros(3), requires_grad=True, name="b"), np.ones((2, 3))
    for _, x in steps(np.ones((4, 2, 3))):
        h = tanh(x * h + b)
    graph = Graph(grad(h.sum(), b, create_graph=True))
    assert {n.step for n in graph if n.op and n.op.name == "sum" and n.shape == (3,)} == {
        1,
        2,
        3,
        4,
    }


def test_what_is_made_before_the_loop_and_penalized_has_terms_in_and_outside_of_steps():
    W, h = Tensor(np.ones((2, 2)), requires_grad=True, name="W"), Tensor(np.ones(2))
    V = W.T
    for _, x in steps(np.ones((3, 2))):
        h = tanh(h @ V + x)
    terms = backward(h.sum() + (V * V).sum()).by_step(W)
    assert list(terms) == [1, 2, 3, None]
    np.testing.assert_array_equal(terms[None], 2 * np.ones((2, 2)))


def test_a_jacobian_has_the_axes_of_the_output_and_then_those_of_the_input():
    x, A = leaf(np.arange(6.0).reshape(2, 3)), np.arange(12.0).reshape(3, 4)
    J = jacobian(x @ A, x)  # by x_kl, y_ij changes with A_lj where i = k
    assert np.array_equal(J, np.einsum("ik,lj->ijkl", np.eye(2), A))
