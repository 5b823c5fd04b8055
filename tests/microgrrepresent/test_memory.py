"""A graph that is dropped leaves its memory to the next one."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
import numpy as np
import microgrrepresent as m

W = m.Tensor(np.eye(64), requires_grad=True)

def graph():
    h = m.Tensor(np.ones((16, 64)))
    for _ in range(200):
        h = m.tanh(h @ W)
    return h.sum()

for _ in range(3):
    graph()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    graph()
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 10)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="about the GNU C library")
def test_pages_are_not_fetched_again_for_every_graph():
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    pages = 200 * 2 * 16 * 64 * 8 / 4096  # of the arrays of one graph: 800
    assert float(run.stdout) < 0.2 * pages
