"""What a type checker knows of the operations: Tensor in, Tensor out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

EXPRESSIONS = {
    "tanh(t)": "Tensor",
    "linear(t, t)": "Tensor",
    "linear(a, t)": "Tensor",
    "where(a > 0, 0.0, t)": "Tensor",
    "1 - t": "Tensor",
    "t > 0": "Tensor",
    "t[1:]": "Tensor",
    "t.sum(axis=0)": "Tensor",
    "mg.sum(t, axis=0)": "Tensor",
    "softmax(t)": "Tensor",
    "softmax(a, axis=0)": "ndarray",
    "softmax([0.0, 1.0])": "ndarray",
    "reshape(t, 2, 3)": "Tensor",
    "dot(a, t)": "Tensor",
    "dot(a, a)": "ndarray",
    "concatenate([t, t])": "Tensor",
    "stack([t, t], axis=1)": "Tensor",
    "split(t, 2)": "Tensor",
    "cross_entropy(t, [0, 1], reduction='sum')": "Tensor",
    "grad(t, t)": "ndarray",
    "grad(t, [t], create_graph=True)": "Tensor",
}


def test_mypy_knows_what_an_operation_gives(tmp_path):
    pytest.importorskip("mypy")
    program = tmp_path / "program.py"
    lines = [f"reveal_type({expression})" for expression in EXPRESSIONS]
    head = [
        "import numpy as np",
        "import microgrrepresent as mg",
        "from microgrrepresent import Tensor, concatenate, cross_entropy, dot, grad, linear",
        "from microgrrepresent import reshape, softmax, split, stack, tanh, where",
        "t, a = Tensor(1.0), np.ones((2, 3))",
    ]
    program.write_text("\n".join([*head, *lines, "softmax(t, axle=1)", ""]))
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(program)]
    environment = {**os.environ, "MYPYPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    told = done.stdout.splitlines()
    revealed = {int(line.split(":")[1]): line for line in told if "Revealed type" in line}
    for i, (expression, kind) in enumerate(EXPRESSIONS.items(), len(head) + 1):
        assert kind in revealed[i], f"{expression}: {revealed[i]}"
    wrong, *more = [line for line in told if "program.py" in line and ": error:" in line]
    assert "axle" in wrong and len(more) <= 1  # mypy says it, and that no overload fits
