"""``python -m tests.benchmarks.training_step``."""

from tests.benchmarks.training_step.tables import main

main()
