"""A printed program, run line by line, so that one line can be exchanged without the others.

The forward pass is run once. Each line of the backward pass is compiled once, and the program with
a mistake in one of them is the same lines but for that one: hundreds run in a fraction of a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import CodeType
from typing import Any

import numpy as np

from microgrrepresent.node import Array
from microgrrepresent.programs.code import Code
from microgrrepresent.programs.expressions import text
from microgrrepresent.programs.lines import Item, Line, Loop
from microgrrepresent.programs.printing import helper_source, sections

Turn = Callable[[int, dict[str, Any]], None]
"""Called with the step and all variables after each turn of a loop."""


class _Steps(dict[int, Any]):
    """Values by step. One step before the first is the last, as in a list or an array."""

    def __missing__(self, t: int) -> Any:
        first = min(self)
        if t != first - 1:
            raise KeyError(t)
        return self[max(self)]


@dataclass
class CompiledLines:
    """Lines and the steps of loops, each compiled once."""

    _lines: dict[int, tuple[Line, CodeType]] = field(default_factory=dict)
    _steps: dict[str, CodeType] = field(default_factory=dict)

    def line(self, line: Line) -> CodeType:
        """What to execute for a line."""
        known = self._lines.get(id(line))
        if known is None:  # the line is kept, so that no other takes its id
            known = self._lines[id(line)] = line, compile(str(line), "<program>", "exec")
        return known[1]

    def steps(self, loop: Loop) -> CodeType:
        """What to evaluate for the steps of a loop."""
        header = loop.header
        if header not in self._steps:
            source = header[header.index("range") : -1]
            self._steps[header] = compile(source, "<program>", "eval")
        return self._steps[header]


@dataclass(frozen=True)
class Replay:
    """The backward pass of a program on some arrays, run as it is or with other lines.

    Attributes
    ----------
    code : Code
        As it is printed.
    arrays : dict from str to array
        What it takes.
    lines : CompiledLines
        May be shared between replays of one program.
    """

    code: Code
    arrays: Mapping[str, Array]
    lines: CompiledLines

    @cached_property
    def forward(self) -> dict[str, Any]:
        """All variables after the forward pass.

        They cannot be written to: a mistake that did would change what the next one reads.
        """
        names: dict[str, Any] = {"np": np}
        for helper in self.code.helpers:
            exec(compile(helper_source(helper), "<program>", "exec"), names)
        names.update({key: np.array(value) for key, value in self.arrays.items()})
        source = "\n".join(sections(self.code)[0])
        with np.errstate(all="ignore"):
            exec(compile(source, "<program>", "exec"), names)
        for key, value in names.items():
            if isinstance(value, dict) and not key.startswith("__"):
                value = names[key] = _Steps(value)
            for array in value.values() if isinstance(value, dict) else [value]:
                if isinstance(array, np.ndarray):
                    array.setflags(write=False)
        return names

    @property
    def loss(self) -> Any:
        """The loss."""
        return self.forward[self.code.loss]

    def gradients(self, backward: Iterable[Item], after: Turn | None = None) -> tuple[Array, ...]:
        """Run a backward pass, and return its gradients, which may be wrong, or raise."""
        names = self.run(backward, after)
        with np.errstate(all="ignore"):
            return tuple(eval(code, names) for code in self._returned)

    def run(self, backward: Iterable[Item], after: Turn | None = None) -> dict[str, Any]:
        """Run a backward pass, and return all variables after it."""
        names = dict(self.forward)
        names.update({n: {} for n in self._stored})
        with np.errstate(all="ignore"):
            for item in backward:
                if isinstance(item, Line):
                    exec(self.lines.line(item), names)
                    continue
                lines = [self.lines.line(line) for line in item.lines]
                for t in eval(self.lines.steps(item), names):
                    names["t"] = t
                    for line in lines:
                        exec(line, names)
                    if after is not None:
                        after(t, names)
        return names

    @cached_property
    def _stored(self) -> list[str]:
        """The adjoints that are kept for each step."""
        return [n for n in self.code.timed if n not in self.forward]

    @cached_property
    def _returned(self) -> list[CodeType]:
        return [compile(text(g), "<program>", "eval") for g in self.code.gradients]
