"""A program of one recorded loss: its own lengths, its leaves as they are at each call."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import numpy as np
import pytest

from microgrrepresent import (
    GradientError,
    GraphError,
    Tensor,
    grad,
    program,
    sigmoid,
    steps,
    stop_gradient,
    tanh,
)
from tests.microgrrepresent.programs.test_programs import NETS, close, example, ordinary

NAMES = [
    "rnn",
    "gru",
    "lstm",
    "two directions",
    "attention, additive",
    "sum of losses",
    "lengths",
    "delay line",
    "a step ahead",
]


def net(name, as_leaves):
    """A net, its parameters, its inputs, and its loss of inputs in one leaf or in one a step."""
    f, wrt = NETS[name]()
    inputs = example(name)
    given = {k: Tensor(v, name=k) for k, v in inputs.items()} if as_leaves else inputs
    return f, wrt, inputs, f(**given)


@pytest.mark.parametrize("as_leaves", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_it_gives_what_the_ordinary_run_gives(name, as_leaves):
    f, wrt, inputs, loss = net(name, as_leaves)
    run = program(loss, wrt)
    close(run(), (loss.item(), grad(loss, wrt)))
    for w in wrt:
        w.assign(w.numpy() * 0.7)
    close(run(), ordinary(f, wrt, inputs))
    run.compare()


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm", "attention, additive"])
def test_its_file_runs_alone_with_numpy(name, tmp_path):
    _, wrt, _, loss = net(name, as_leaves=False)
    run = program(loss, wrt)
    np.savez(tmp_path / "given.npz", **{k: leaf.numpy() for k, leaf in run.code.leaves.items()})
    (tmp_path / "alone.py").write_text(
        f"{run.source()}\n\n"
        "loss, gradients = loss_and_gradients(**np.load('given.npz'))\n"
        "np.savez('found.npz', loss, *gradients)\n",
        "utf-8",
    )
    subprocess.run([sys.executable, "alone.py"], cwd=tmp_path, check=True, env={})
    with np.load(tmp_path / "found.npz") as file:
        found, *gradients = (file[key] for key in file.files)
    close((float(found), gradients), (loss.item(), grad(loss, wrt)))


@pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="needs numba")
def test_numba_runs_it_too():
    _, wrt, _, loss = net("rnn", as_leaves=False)
    close(program(loss, wrt, backend="numba")(), (loss.item(), grad(loss, wrt)))


def test_any_leaf_is_read_as_it_is_then():
    W = Tensor(0.5, requires_grad=True, name="W")
    X = Tensor(np.linspace(0.1, 1, 5), name="X")

    def f(X):
        h = Tensor(0.0, name="h_0")
        for _, x in steps(X):
            h = tanh(h * W + x).named("h")
        return h

    run = program(f(X), W)
    assert repr(run) == "<Program: no inputs -> loss, 1 gradients>"
    X.assign(np.linspace(-1, 1, 5))
    loss, gradient = run()
    close((loss, [gradient]), ordinary(f, [W], {"X": X.numpy()}))


def test_the_steps_read_one_argument_of_what_was_given_one_by_one():
    _, wrt, _, loss = net("rnn", as_leaves=False)
    code = program(loss, wrt).code
    assert code.leaves["X"].shape == (6, 3, 2) and not {"x", "x_1"} & set(code.leaves)


# --- what is refused ------------------------------------------------------------------------------


def chain(special=tanh, cut=()):
    """A loop of scalars, whose third step may do something else."""
    w = Tensor(0.5, requires_grad=True, name="w")
    h, states = Tensor(0.0, name="h_0"), []
    for t, x in steps(Tensor(np.linspace(0.1, 1, 5), name="X")):
        before = stop_gradient(h) if t in cut else h
        h = (special if t == 3 else tanh)(w * before + x).named("h")
        states.append(h)
    return w, states


def test_inputs_are_refused_with_a_way_out():
    w, (*_, loss) = chain()
    with pytest.raises(TypeError, match="has its inputs already, got X; give the function"):
        program(loss, w, X=np.ones(3))
    with pytest.raises(TypeError, match="it takes no inputs, got X"):
        program(loss, w)(X=np.ones(3))


def test_steps_that_differ_are_refused_with_the_step():
    w, (*_, loss) = chain(sigmoid)
    with pytest.raises(GraphError, match="step 3"):
        program(loss, w)


def test_a_result_is_no_leaf():
    _, states = chain()
    with pytest.raises(GraphError, match=r"h \(\) is the result of tanh at t=2"):
        program(states[-1], states[1])


def test_a_leaf_of_each_step_has_no_gradient_in_a_loop():
    w, h = Tensor(0.5, requires_grad=True, name="w"), Tensor(0.0, name="h_0")
    biases = []
    for t, _ in steps(range(4)):
        biases.append(Tensor(0.1 * t, requires_grad=True, name="b"))
        h = tanh(w * h + biases[-1]).named("h")
    with pytest.raises(GraphError, match=r"b \(\) is another leaf at each step"):
        program(h, [w, biases[2]])


def test_what_the_loss_does_not_depend_on_is_refused():
    _, (*_, loss) = chain()
    with pytest.raises(GradientError, match="does not depend on v"):
        program(loss, Tensor(1.0, requires_grad=True, name="v"))


def test_a_loss_has_one_element():
    w = Tensor(np.ones(3), requires_grad=True, name="w")
    h = Tensor(np.zeros(3), name="h_0")
    for _, x in steps(Tensor(np.ones((4, 3)), name="X")):
        h = tanh(w * h + x).named("h")
    with pytest.raises((GradientError, GraphError)) as error:
        program(h, w)
    assert "h" in str(error.value) and "(3,)" in str(error.value)
