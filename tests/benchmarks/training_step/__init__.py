"""A whole training step against the limit, hand-written NumPy, and against the field.

    python -m tests.benchmarks training_step
    python -m tests.benchmarks.training_step --sizes toy-1 --cells lstm --json out.json

Every contestant runs in a process of its own. All are first made to solve the problem, and a
loss or a gradient that is not that of the others ends the benchmark. Then they take turns, in a new
random order each round; what is printed is the median time of each, as a multiple of the limit's.
"""

from tests.benchmarks.training_step.tables import table

__all__ = ["table"]
