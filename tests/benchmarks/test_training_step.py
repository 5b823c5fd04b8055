"""The race of whole training steps: all contestants solve one problem. No times are asserted."""

import numpy as np
import pytest

from tests.benchmarks.training_step import numpy_by_hand, ours, tables
from tests.benchmarks.training_step.problem import CELLS, NAMES, Size, problem
from tests.benchmarks.training_step.race import Unequal, _check

SMALL = Size(5, 3, 2, 4, 3)


def _same(found, expected, tolerance=1e-5):
    (loss, gradients), (expected_loss, expected_gradients) = found, expected
    assert float(loss) == pytest.approx(float(expected_loss), rel=tolerance)
    for name in NAMES:
        error = np.asarray(gradients[name]) - np.asarray(expected_gradients[name])
        assert np.linalg.norm(error) < tolerance * np.linalg.norm(expected_gradients[name]), name


@pytest.mark.parametrize("cell", CELLS)
def test_the_loops_by_hand_solve_the_problem_again_and_again(cell):
    given = problem(cell, SMALL)
    expected = ours.composed(given)()
    _same(ours.layer(given)(), expected)
    _same(ours.printed(given)(), expected)
    by_hand = numpy_by_hand.contestant(given)
    _same(by_hand(), expected)
    _same(by_hand(), expected)  # buffers are reused
    given.parameters["weight_hh"] *= 0.5  # and parameters are read at each call
    _same(by_hand(), ours.composed(given)())


@pytest.mark.slow
@pytest.mark.parity
@pytest.mark.parametrize("cell", CELLS)
def test_the_peers_solve_the_problem(cell):
    from tests.benchmarks.training_step import numba_by_hand, peers

    given = problem(cell, SMALL)
    expected = ours.composed(given)()
    for contestant in (
        peers.torch_composed,
        peers.torch_fused,
        peers.hips_autograd,
        peers.jax_scan,
        numba_by_hand.contestant,
        ours.compiled,
    ):
        loss, gradients = contestant(given)()
        gradients = {name: np.asarray(value) for name, value in gradients.items()}
        _same((loss, gradients), expected)


class Solver:
    def __init__(self, name, factor):
        self.name, self.factor = name, factor

    def ask(self, order):
        np.savez(order.split()[1], loss=1.0, **{name: np.ones(2) * self.factor for name in NAMES})


def test_a_contestant_that_is_wrong_is_not_timed():
    _check([Solver("A", 1.0), Solver("B", 1.0 + 1e-7)])
    with pytest.raises(Unequal, match="weight_ih of B is not that of A"):
        _check([Solver("A", 1.0), Solver("B", 1.01)])


def test_a_race_between_processes(tmp_path, capsys):
    path = tmp_path / "records.json"
    arguments = ["--sizes", "toy-1", "--cells", "rnn", "--rounds", "2", "--json", str(path)]
    tables.main([*arguments, "--contestants", "ours composed"])
    printed = capsys.readouterr().out
    assert "NumPy by hand" in printed and "ours composed" in printed and "toy-1" in printed
    assert path.read_text().count('"contestant"') == 2
