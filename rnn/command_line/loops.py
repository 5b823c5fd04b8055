"""The loop of a cell, with readout and loss: printed, set as an exercise, and marked.

    python -m rnn code --cell lstm -o bptt.py
    python -m rnn exercise --cell gru -o exercise.py
    python -m rnn mark exercise.py

A student's file is run in a process of its own, with a time limit; what it returns is marked here.
"""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from microgrrepresent import Tensor, cross_entropy, explain, stack
from microgrrepresent.files import read_arrays, read_file, write_arrays, write_file
from microgrrepresent.node import Array
from microgrrepresent.programs import Marker, Program, StudentError, program
from microgrrepresent.programs.lines import Line, Loop
from microgrrepresent.programs.printing import as_printed, helper_source, written
from rnn.command_line import run_student
from rnn.command_line.illustration import ILLUSTRATED
from rnn.errors import DataError
from rnn.layers.dense import Linear
from rnn.layers.unrolling import unroll

STEPS, BATCH, INPUTS, HIDDEN, CLASSES = 6, 3, 2, 4, 5
"""All different: equal lengths hide mistakes."""


@dataclass(frozen=True)
class Task:
    """A loss to write the backward pass of: its parameters by name, and data."""

    f: Callable[..., Tensor]
    parameters: dict[str, Tensor]
    data: dict[str, Array]

    def program(self) -> Program:
        """Its right loop."""
        return program(self.f, self.parameters, **self.data)


def tagger(name: str, seed: int, states: bool) -> Task:
    """A cell with a readout and softmax cross-entropy at every step.

    Parameters
    ----------
    name : str
        One of `ILLUSTRATED`.
    seed : int
        Of the parameters and the data.
    states : bool
        Whether the initial state is an input, and not 0, which would hide mistakes.
    """
    rng = np.random.default_rng(seed)
    cell = ILLUSTRATED[name](INPUTS, HIDDEN, rng=rng)
    head = Linear(cell.output_size, CLASSES, rng=rng)
    head.weight.named("V")
    assert head.bias is not None
    head.bias.named("b_y")
    nodes = [*cell.parameters(), *head.parameters()]
    data = {
        "X": rng.standard_normal((STEPS, BATCH, INPUTS)),
        "y": rng.integers(0, CLASSES, (STEPS, BATCH)),
    }
    if states:
        sizes = cell.state_sizes().items()
        data |= {f"{n}_0": rng.standard_normal((BATCH, size)) for n, size in sizes}

    def f(X: Tensor, y: Tensor, **initial: Tensor) -> Tensor:
        state = cell.state_of(*initial.values()) if initial else None
        loss: Tensor = cross_entropy(head(stack(unroll(cell, X, state).outputs)), y)
        return loss

    return Task(f, {node.name or "": node for node in nodes}, data)


def code(options: argparse.Namespace) -> int:
    """``python -m rnn code``: print the loop, or write it to a file."""
    source = tagger(options.cell, 0, states=False).program().source(options.style)
    if options.out is None:
        print(source, end="")
    else:
        write_file(options.out, source.encode())
        print(f"Written: {options.out}")
    return 0


def exercise(options: argparse.Namespace) -> int:
    """``python -m rnn exercise``: write a file whose backward pass is left out."""
    task = tagger(options.cell, options.seed, states=True)
    text = exercise_text(task, options.cell, options.seed, str(options.out))
    write_file(options.out, text.encode())
    print(f"Written: {options.out}\nTo mark it: python -m rnn mark {options.out}")
    return 0


def exercise_text(task: Task, cell: str, seed: int, out: str) -> str:
    """The forward loop, the backward pass with ``...`` in the place of its terms, and formulas."""
    step = task.program()
    right = as_printed(step.code)
    blank = replace(right, backward=tuple(_blank(item) for item in right.backward), helpers=())
    body = written(blank).partition("\n\n\n")[2]
    before, _, _ = body.rpartition("    return ")
    gradients = ", ".join(
        f'"{name}": {ast.unparse(expression)}'
        for name, expression in zip(task.parameters, right.gradients, strict=True)
    )
    forward, mark, backward = before.partition("    # back through time\n")
    hints = textwrap.indent(_formulas(task), "    # ", lambda line: True)
    return "\n\n".join(
        [
            f'"""Write the backward pass: put what is right in the place of each ... .\n\n'
            f"To mark it: python -m rnn mark {out}\n"
            "Only the loss and the gradients count; lines may be changed, added and taken out.\n"
            '"""',
            f'import numpy as np\n\nCELL, SEED = "{cell}", {seed}\n',
            *[helper_source(helper) for helper in right.helpers],
            f"{forward}{mark}{hints}\n{backward}    return {right.loss}, {{{gradients}}}\n",
        ]
    )


def _blank(item: Line | Loop) -> Line | Loop:
    if isinstance(item, Loop):
        return replace(item, lines=[line for one in item.lines if (line := _blank_line(one))])
    return _blank_line(item)


def _blank_line(line: Line) -> Line:
    """A line without its value; zeros to begin with are given."""
    zeros = isinstance(line.value, ast.Call) and ast.unparse(line.value.func) == "np.zeros_like"
    return line if zeros else replace(line, value=ast.Constant(...), statement=None)


def _formulas(task: Task) -> str:
    """The chain rule of this graph, as `explain` has it, each equation once."""
    loss = task.f(**{key: Tensor(value, name=key) for key, value in task.data.items()})
    texts = [str(explain(loss, node)) for node in task.parameters.values()]
    parts = [text.partition("\nBackward\n")[2].partition("\nThe gradient\n") for text in texts]
    lines = [line for k in (0, 2) for part in parts for line in part[k].splitlines() if line]
    whole = dict.fromkeys(line[2:].rstrip() for line in lines)
    # One parameter may need an equation at some of the steps at which another needs it.
    return "\n".join(s for s in whole if " (t = " not in s or s.partition("    (t")[0] not in whole)


def mark(options: argparse.Namespace) -> int:
    """``python -m rnn mark``: print the report on a file; 0 if all is right, else 1."""
    cell, seed = _set(options.file)
    task = tagger(cell, seed, states=True)

    def student(**arrays: Any) -> tuple[Any, dict[str, Array]]:
        return _run(Path(options.file), arrays, options.limit)

    report = Marker(task.program(), task.data)(student)
    print(report)
    return 0 if report.right else 1


def _set(path: str) -> tuple[str, int]:
    """The cell and the seed that an exercise's file names; the file is not run for that."""
    try:
        tree = ast.parse(read_file(path))
    except (SyntaxError, ValueError) as error:
        raise DataError(f"{path} is no Python file: {error}") from None
    for statement in tree.body:
        match statement:
            case ast.Assign(
                [ast.Tuple([ast.Name("CELL"), ast.Name("SEED")])],
                ast.Tuple([ast.Constant(str(cell)), ast.Constant(int(seed))]),
            ) if cell in ILLUSTRATED:
                return cell, seed
    raise DataError(
        f'{path} is no exercise: it must have a line CELL, SEED = "lstm", 0; '
        "python -m rnn exercise writes one"
    )


def _run(path: Path, arrays: dict[str, Array], limit: float) -> tuple[Any, dict[str, Array]]:
    """Run a file's function in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder, "given.npz"), Path(folder, "found.npz")
        write_arrays(given, arrays)
        command = [
            sys.executable,
            run_student.__file__,
            str(path.resolve()),
            str(given),
            str(found),
        ]
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=limit, check=False
            )
        except subprocess.TimeoutExpired:
            raise StudentError(f"it was not done after {limit:g} seconds") from None
        if done.returncode or not found.exists():
            last = done.stderr.strip().splitlines()[-1:] or ["it ended without a result"]
            raise StudentError(last[0])
        gradients = read_arrays(found)
    return gradients.pop("loss of the student"), gradients
