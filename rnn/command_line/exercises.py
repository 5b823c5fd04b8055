"""An exercise: the loop of a cell with lines of its backward pass left out.

    python -m rnn exercise --cell gru --blanks 3 --seed 7 -o exercise.py

The file is whole: it runs without this package, on the numbers that it is marked with.
"""

from __future__ import annotations

import argparse
import ast
import sys
import textwrap
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from microgrrepresent import Tensor, explain
from microgrrepresent.files import write_file
from microgrrepresent.node import Node
from microgrrepresent.programs.lines import Item, Line, Loop, lines_of
from microgrrepresent.programs.printing import as_printed, helper_source, sections
from rnn.command_line.loops import BATCH, CLASSES, STEPS, Task, tagger
from rnn.errors import DataError

FUNCTION = "loss_and_gradients"
"""What is marked."""

HEAD = '''"""Write the backward pass{what}: put a value in the place of each ... .

To run it:   python {out}
To mark it:  python -m rnn mark {out}

dh is ∂L/∂h at step t, and dh_next is what step t hands on to step t - 1. All arrays have a row for
each sequence of the batch, so that h[t] @ W.T is W h of the formulas.

Only the loss and the gradients count; lines may be changed, added and taken out. Adjoints that are
returned with them, {{..., "dh": {{6: dh_6, 5: dh_5}}}}, tell at which step something goes wrong.
"""

import numpy as np

CELL, SEED = "{cell}", {seed}
'''

DATA = '''def data():
    """The numbers that it is marked with. All lengths differ: equal ones would hide mistakes."""
    shapes = {{
{shapes}
    }}
    rng = np.random.default_rng(SEED)
    arrays = {{n: rng.uniform(-1, 1, shape) for n, shape in shapes.items()}}
    return arrays | {{"y": rng.integers(0, {classes}, ({steps}, {batch})){constants}}}


if __name__ == "__main__":
    loss, gradients = loss_and_gradients(**data())
    print("loss", loss)
    for name, gradient in gradients.items():
        print(name, np.shape(gradient))
'''


@dataclass(frozen=True)
class Exercise:
    """The text of an exercise.

    Attributes
    ----------
    task : Task
    cell : str
    seed : int
        Of the numbers, and of which lines are left out.
    blanks : int or None
        How many lines of the loop are left out; None for all lines of the backward pass.
    """

    task: Task
    cell: str
    seed: int
    blanks: int | None

    def text(self, out: str) -> str:
        """The file, to be written under a name."""
        right = as_printed(self.task.program().code)
        left_out = self._chosen(right.backward)
        blank = replace(right, backward=_blank(right.backward, left_out))
        forward, (header, *backward) = sections(blank)
        gradients = ", ".join(
            f'"{name}": {ast.unparse(expression)}'
            for name, expression in zip(self.task.parameters, right.gradients, strict=True)
        )
        hints = [f"# {line}" for line in self._formulas().splitlines()]
        body = [
            *forward,
            "",
            header,
            *hints,
            *backward,
            "",
            f"return {right.loss}, {{{gradients}}}",
        ]
        arguments = ", ".join([*right.inputs, *right.leaves])
        what = "" if self.blanks is None else f", of which {len(left_out)} lines are missing"
        return "\n\n".join(
            [
                HEAD.format(what=what, out=out, cell=self.cell, seed=self.seed),
                *[helper_source(helper) for helper in right.helpers],
                f"def {FUNCTION}({arguments}):\n{textwrap.indent(chr(10).join(body), '    ')}\n",
                self._data(right.leaves),
            ]
        )

    def _data(self, leaves: Mapping[str, Node]) -> str:
        """A function that gives the numbers, and the end of the file."""
        constants = "".join(
            f', "{name}": np.array({node.value.tolist()})'
            for name, node in leaves.items()
            if name not in self.task.parameters
        )
        shapes = "\n".join(f'        "{n}": {shape},' for n, shape in self.task.shapes.items())
        lengths = {"classes": CLASSES, "steps": STEPS, "batch": BATCH}
        return DATA.format(shapes=shapes, constants=constants, **lengths)

    def _chosen(self, backward: Collection[Item]) -> set[int]:
        """The lines that are left out, by id: those of the loop, as many as are asked for."""
        every = [line for line in lines_of(list(backward)) if not _begins(line)]
        if self.blanks is None:
            return {id(line) for line in every}
        loops = [line for item in backward if isinstance(item, Loop) for line in item.lines]
        rng = np.random.default_rng(self.seed)
        chosen = rng.choice(len(loops), min(self.blanks, len(loops)), replace=False)
        return {id(loops[k]) for k in chosen}

    def _formulas(self) -> str:
        """The chain rule of this graph, as `explain` has it, each equation once."""
        data = self.task.data(self.seed)
        loss = self.task.f(**{key: Tensor(value, name=key) for key, value in data.items()})
        texts = [str(explain(loss, node)) for node in self.task.parameters.values()]
        parts = [t.partition("\nBackward\n")[2].partition("\nThe gradient\n") for t in texts]
        lines = [line for k in (0, 2) for part in parts for line in part[k].splitlines() if line]
        whole = dict.fromkeys(line[2:].rstrip() for line in lines)
        # One parameter may need an equation at some of the steps at which another needs it.
        return "\n".join(
            s for s in whole if " (t = " not in s or s.partition("    (t")[0] not in whole
        )


def _blank(items: Collection[Item], left_out: Collection[int]) -> tuple[Item, ...]:
    """Lines without the values that are left out."""

    def shown(line: Line) -> Line:
        blank = replace(line, value=ast.Constant(...), statement=None)
        return blank if id(line) in left_out else line

    return tuple(
        replace(item, lines=[shown(line) for line in item.lines])
        if isinstance(item, Loop)
        else shown(item)
        for item in items
    )


def _begins(line: Line) -> bool:
    """Whether a line gives the zeros that a sum begins with; these are never left out."""
    return isinstance(line.value, ast.Call) and ast.unparse(line.value.func) == "np.zeros_like"


def exercise(options: argparse.Namespace) -> int:
    """``python -m rnn exercise``: write a file whose backward pass is left out."""
    stem = Path(options.out).stem
    if stem in sys.stdlib_module_names | {"numpy", "microgrrepresent", "rnn"}:
        raise DataError(
            f"{options.out} would be imported in the place of the module {stem} by what is run "
            "beside it; choose another name, such as exercise.py"
        )
    task = tagger(options.cell, states=True)
    text = Exercise(task, options.cell, options.seed, options.blanks).text(str(options.out))
    write_file(options.out, text.encode())
    print(f"Written: {options.out}\nTo mark it: python -m rnn mark {options.out}")
    return 0
