"""The Hopfield network: energy never rises, patterns come back, capacity has an end."""

import numpy as np
import pytest

from microgrrepresent import GradientError, Graph, Tensor
from rnn import HopfieldNetwork, dynamical_system


def patterns(count, size, seed=0):
    return np.random.default_rng(seed).choice([-1.0, 1.0], (count, size))


def test_the_hebb_rule():
    x = patterns(3, 8)
    network = HopfieldNetwork(8)
    network.store(x)
    expected = sum(np.outer(p, p) for p in x) / 8
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(network.weight.numpy(), expected)
    assert network.parameters() == [] and list(network.state_dict()) == ["weight"]


def test_energy():
    x = patterns(2, 6)
    network = HopfieldNetwork(6)
    network.store(x)
    W, s = network.weight.numpy(), patterns(4, 6, seed=1)
    np.testing.assert_allclose(
        network.energy(s).numpy(), [-0.5 * row @ W @ row for row in s], rtol=1e-13
    )


@pytest.mark.parametrize("seed", range(10))
def test_energy_never_rises_and_recall_ends(seed):
    network = HopfieldNetwork(60)
    network.store(patterns(12, 60, seed))  # beyond capacity, so that the way is long
    found = network.recall(patterns(1, 60, seed + 100)[0], rng=seed)
    assert (np.diff(found.energies) <= 1e-12).all()
    assert found.converged
    again = network.recall(found.state, rng=seed)
    np.testing.assert_array_equal(again.state, found.state)
    assert len(again.energies) == 2


@pytest.mark.parametrize("mode", ["asynchronous", "synchronous"])
def test_a_noisy_pattern_comes_back(mode):
    rng = np.random.default_rng(0)
    x = patterns(5, 200)
    network = HopfieldNetwork(200)
    network.store(x)
    for p in x:
        noisy = np.where(rng.random(200) < 0.15, -p, p)
        np.testing.assert_array_equal(network.recall(noisy, mode, rng=rng).state, p)


def test_capacity():
    """Mean overlap with the pattern begun from: near 1 below 0.138 N, and lost at 0.2 N."""
    rng, N = np.random.default_rng(0), 500

    def overlap(share):
        x = patterns(int(share * N), N, seed=1)
        network = HopfieldNetwork(N)
        network.store(x)
        return np.mean([network.recall(p, rng=rng).state @ p / N for p in x[:12]])

    assert overlap(0.10) > 0.99
    assert overlap(0.20) < 0.85


def test_synchronous_recall_may_go_in_a_circle():
    network = HopfieldNetwork(2)
    network.store([[1, 1]])
    found = network.recall([1, -1], mode="synchronous", max_sweeps=7)
    assert not found.converged and len(found.energies) == 8


def test_a_unit_without_field_stays():
    network = HopfieldNetwork(3)  # nothing stored: all fields are 0
    for mode in ("asynchronous", "synchronous"):
        assert network.recall([1, -1, 1], mode, rng=0).state.tolist() == [1, -1, 1]


def test_synchronous_steps_are_a_graph():
    network = HopfieldNetwork(8)
    network.store(patterns(1, 8))
    from microgrrepresent import Tensor

    start = np.where(np.arange(8) < 2, -1, 1) * patterns(1, 8)[0]
    s = dynamical_system(network.step, Tensor(start, name="s"), network.weight, 3)
    np.testing.assert_array_equal(s[-1].numpy(), patterns(1, 8)[0])
    assert [node.step for node in Graph(s[-1]).find(name="s") if node.op] == [2, 3]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda n: n.store([[1, 0, 1]]), r"a unit is \+1 or -1, got others"),
        (lambda n: n.store([[1, 1]]), r"expected states of 3 units, got shape \(1, 2\)"),
        (lambda n: n.store([[1, 1, 1], [1]]), "patterns of 3 units each, got lists that differ"),
        (
            lambda n: n.recall([1, 1, 1], max_sweeps=-1),
            "max_sweeps must be an integer >= 0, got -1",
        ),
        (lambda n: n.recall([1, 1]), r"expected states of 3 units, got shape \(1, 2\)"),
        (lambda n: n.recall([1, 1, 1], "both"), "mode is 'asynchronous' or 'synchronous'"),
    ],
)
def test_errors(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call(HopfieldNetwork(3))


def test_there_must_be_something_to_store():
    with pytest.raises(ValueError, match=r"no pattern to store, got shape \(0, 4\)"):
        HopfieldNetwork(4).store(np.zeros((0, 4)))


def test_a_unit_that_hears_nothing_stays_as_it_is():
    network = HopfieldNetwork(4)
    network.store([[1, 1, 1, 1], [1, 1, -1, -1]])  # the two halves know nothing of each other
    network.weight.assign(network.weight.numpy() * [[0], [0], [1], [1]])
    s = np.array([1.0, -1.0, 1.0, 1.0])
    np.testing.assert_array_equal(network.step(Tensor(s)), s)
    for mode in ("asynchronous", "synchronous"):
        np.testing.assert_array_equal(network.recall(s, mode, rng=0).state, s)


def test_patterns_do_not_lose_their_derivative():
    pattern = Tensor([1.0, -1.0, 1.0], requires_grad=True)
    network = HopfieldNetwork(3)
    for call in (network.store, network.recall):
        with pytest.raises(GradientError, match=r"requires a gradient, which would be lost"):
            call(pattern)
    network.store(pattern.detach())
