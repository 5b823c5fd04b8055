"""Memory that was given back is there again, without a page fault for each of its pages."""

import platform
import subprocess
import sys

import pytest

BLOCKS = """
import resource
import numpy as np
from rnn.layers.heap import keep_heap

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def made_and_given_back():
    before = faults()
    blocks = [np.ones(2**14, np.float32) for _ in range(640)]  # 40 MB, as a graph
    made = faults() - before
    while blocks:
        blocks.pop()
    return made

made_and_given_back()
print(made_and_given_back())
keep_heap()
made_and_given_back()
print(made_and_given_back())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="about the C library of Linux")
def test_the_heap_is_kept():
    command = [sys.executable, "-c", BLOCKS]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    without, kept = map(int, done.stdout.split())
    assert without > 5000 and kept < 500
