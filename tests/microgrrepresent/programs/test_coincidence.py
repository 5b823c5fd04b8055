"""What only happens to fit the recordings is refused, and not printed as a length."""

from __future__ import annotations

import numpy as np
import pytest

from microgrrepresent import GraphError, Tensor, compiled, grad, linear, program, stack, steps, tanh

rng = np.random.default_rng(0)
W = Tensor(rng.normal(size=(2, 2)) * 0.5, requires_grad=True, name="W")
U = Tensor(rng.normal(size=(2, 3)), requires_grad=True, name="U")


def sequence(T=6, B=4):
    return np.random.default_rng(T + B).normal(size=(T, B, 3))


def run(X):
    h, hs = Tensor(np.zeros((X.shape[1], 2)), name="h_0"), []
    for _, x in steps(X):
        h = tanh(linear(x, U) + linear(h, W)).named("h")
        hs.append(h)
    return hs


def loss(X):
    return (stack(run(X)) ** 2).sum()


def close(made, f, X):
    L = f(Tensor(X, name="X"))
    found, gradients = made(X=X)
    np.testing.assert_allclose([found], [L.value], rtol=1e-12)
    for a, b in zip(gradients, grad(L, [W, U]), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


REFUSED = r"does not follow from the lengths|must be an input|as an input"

LENGTHS = {
    "a length": lambda T, B: T,
    "one minus 1": lambda T, B: T + 1,
    "a product": lambda T, B: T * B,
    "of NumPy": lambda T, B: np.prod((T, B, 3)),
    "divided by": lambda T, B: 1 / np.float64(T),
    "a leaf": lambda T, B: Tensor(1 / T),
}
OTHERS = {
    "the shorter": lambda T, B: min(T, B),
    "the longer": lambda T, B: max(T, B),
    "half": lambda T, B: (T + 1) // 2,
    "a third": lambda T, B: max(1, T // 3),
    "three fifths": lambda T, B: int(0.6 * T),
    "now and then one more": lambda T, B: 1 + T // 5,
    "hardly ever one more": lambda T, B: 1 + T // 14,
    "a root": lambda T, B: np.sqrt(T),
    "a leaf of a root": lambda T, B: Tensor(np.sqrt(T)),
    "a logarithm": lambda T, B: np.log(T),
    "a branch": lambda T, B: 2.0 if T > 15 else 1.0,
}


@pytest.mark.parametrize("shape", [(6, 4), (6, 2), (3, 1), (2, 6)])
@pytest.mark.parametrize("of", LENGTHS.values(), ids=LENGTHS)
def test_a_number_that_follows_from_the_lengths_is_right_for_all(of, shape):
    def f(X):
        return loss(X) / of(*X.shape[:2])

    made = program(f, [W, U], X=sequence(*shape))
    for other in ((1, 2), (4, 4), (9, 3), (3, 9), (20, 7)):
        close(made, f, sequence(*other))


@pytest.mark.parametrize("shape", [(6, 4), (6, 2), (3, 1), (2, 6)])
@pytest.mark.parametrize("of", OTHERS.values(), ids=OTHERS)
def test_one_that_does_not_is_refused(of, shape):
    with pytest.raises(GraphError, match=REFUSED):
        program(lambda X: loss(X) / of(*X.shape[:2]), [W, U], X=sequence(*shape))


@pytest.mark.parametrize(
    "f",
    [
        lambda X: (stack(run(X))[: (len(X) + 1) // 2] ** 2).sum(),
        lambda X: (run(X)[len(X) // 2] ** 2).sum(),
        lambda X: (stack(run(X))[len(X) // 2] ** 2).sum(),
    ],
)
def test_a_step_that_does_not_follow_from_the_lengths_is_refused(f):
    with pytest.raises(GraphError, match=r"is [45] where T = 8 and B = 7, and [67] where T = 12"):
        program(f, [W, U], X=sequence())


VALUES = {
    "a mean": lambda X, draw: X.numpy().mean(),
    "a leaf of a mean": lambda X, draw: Tensor(X.numpy().mean()),
    "a count": lambda X, draw: np.sum(X.numpy() > 0),
    "one draw": lambda X, draw: Tensor(draw.normal(size=1)).sum(),
    "one draw for all": lambda X, draw: Tensor(np.full((X.shape[1], 2), draw.normal())).sum(),
}


@pytest.mark.parametrize("of", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize("shape", [(6, 4), (3, 1)])
def test_a_value_that_is_read_or_drawn_is_refused(of, shape):
    draw = np.random.default_rng(0)
    with pytest.raises(GraphError, match=REFUSED):
        program(lambda X: loss(X) * of(X, draw), [W, U], X=sequence(*shape))


def test_a_value_that_is_the_same_at_two_lengths_is_found_by_other_values():
    def f(X):
        return loss(X) * float(X.numpy()[0, 0, 0])

    with pytest.raises(GraphError, match=r"where T = 8 and B = 7, and .* T = 19 and B = 22"):
        program(f, [W, U], X=sequence())


def test_one_that_is_no_number_of_the_graph_is_found_as_well():
    def f(X):
        return loss(X) if X.numpy()[0, 0, 0] == first else loss(X) ** 2

    first = sequence()[0, 0, 0]
    with pytest.raises(GraphError, match=r"L is not what the graph has.*T = 19.*reads a value"):
        program(f, [W, U], X=sequence())


def test_the_line_of_code_is_named():
    def f(X):
        half = len(X) // 2
        return loss(X) / half

    with pytest.raises(GraphError, match=r"test_coincidence.py:\d+ in .*: `loss\(X\) / half`"):
        program(f, [W, U], X=sequence())


def test_what_is_drawn_at_random_is_refused_even_if_it_is_one_number():
    draw = np.random.default_rng(3)
    with pytest.raises(GraphError, match="another loss each time"):
        program(lambda x: (x * W * float(draw.integers(2))).sum(), [W], x=np.ones(()))


def test_a_leaf_of_one_value_at_each_length_is_written_with_the_length():
    def f(X):
        share = Tensor(np.full((X.shape[1], 2), 1 / X.shape[1]), name="share")
        return ((stack(run(X)) ** 2).sum(axis=0) * share).sum()

    made = program(f, [W, U], X=sequence())
    assert "share = np.full((B, 2), 1 / B, np.float64)" in made.source()
    close(made, f, sequence(3, 9))


def test_numbers_are_those_of_when_the_program_was_made_and_tensors_those_of_now():
    weights = {"number": 0.3, "tensor": Tensor(0.3, name="weight")}

    def f(X):
        return loss(X) * weights["number"] + loss(X) * weights["tensor"]

    made = compiled(f, [W, U], verify=2)
    close(made, f, sequence())
    weights["tensor"].assign(0.7)
    close(made, f, sequence(5, 3))
    weights["number"] = 0.5
    close(made.program, lambda X: loss(X) * (0.3 + 0.7), sequence(5, 3))
    made(X=sequence())
    with pytest.raises(GraphError, match="number that it reads has another value") as caught:
        made(X=sequence())
    assert "not to blame" not in str(caught.value)


def test_a_number_of_numpy_at_each_step_is_a_number():
    a = np.exp(-1 / np.float64(10))

    def f(X):
        h = Tensor(np.zeros((X.shape[1], 2)), name="h_0")
        for _, x in steps(X):
            h = (a * h + (1 - a) * tanh(linear(x, U) + linear(h, W))).named("h")
        return (h * h).sum()

    made = program(f, [W, U], X=sequence())
    assert f"h[t] = {float(a)!r} * h[t - 1] + " in made.source()
    close(made, f, sequence(9, 3))


def test_what_is_made_anew_at_each_step_is_refused_with_a_way_out():
    def f(X):
        h = Tensor(np.zeros((X.shape[1], 2)), name="h_0")
        for _, x in steps(X):
            h = tanh(linear(x, U) + linear(h, W) * np.full((X.shape[1], 1), 0.9)).named("h")
        return (h * h).sum()

    with pytest.raises(GraphError, match=r"is made anew at each step.*one Tensor of it before"):
        program(f, [W, U], X=sequence())


def test_an_array_that_the_function_has_at_hand_is_told_to_become_a_tensor():
    A = np.random.default_rng(0).normal(size=(2, 2))
    with pytest.raises(GraphError, match=r"A = Tensor\(A, name='A'\)"):
        program(lambda X: (stack(run(X)) @ A).sum(), [W, U], X=sequence())
    A = Tensor(A, name="A")
    close(
        program(lambda X: (stack(run(X)) @ A).sum(), [W, U], X=sequence()),
        lambda X: (stack(run(X)) @ A).sum(),
        sequence(9, 3),
    )


def test_an_example_whose_features_are_as_many_as_its_steps():
    def f(X, bias):
        return (stack(run(X)) * bias).sum()

    X, bias = sequence(2, 4), np.random.default_rng(0).normal(size=(4, 2))
    made = program(f, [W, U], X=X, bias=bias)
    assert "T, B = X.shape[:2]" in made.source()


def test_a_result_of_the_initial_state_may_be_read_at_each_step():
    def f(X):
        h = Tensor(np.zeros((X.shape[1], 2)), name="h_0")
        k = (h + 1).named("k")
        for _, x in steps(X):
            h = tanh(linear(x, U) + linear(h, W) + k).named("h")
        return (h * h).sum()

    close(program(f, [W, U], X=sequence()), f, sequence(9, 3))
