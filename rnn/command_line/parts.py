"""What ``python -m rnn equations`` writes of a model: all that one step of each part computes.

A part is run for a step or two on zeros, gate by gate, as `Cell.equations` runs a cell; what it
reads of another part is a letter, and `handed_on` says what that letter stands for.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from microgrrepresent import Tensor, scope, step
from microgrrepresent.equations import step_equations
from microgrrepresent.equations.notations import NotationName, notation_named
from microgrrepresent.equations.scripts import Plain
from rnn.layers.dense import Embedding, Linear
from rnn.layers.recurrent import Recurrent
from rnn.models.decoder import Decoder
from rnn.models.encoder import Encoded
from rnn.module import Module


class Part(Protocol):
    """What has equations: a cell, a layer, or one of the parts below."""

    def equations(self, notation: NotationName) -> str:
        """The equations of a step, and what their letters stand for."""


@dataclass(frozen=True)
class Reading:
    """A layer over the vectors of words, with scores of classes above it or without.

    Attributes
    ----------
    handed_on : str
        What others read of it, with ``{first}`` and ``{last}`` for what the layer shows at steps 1
        and T.
    """

    embedding: Embedding
    layer: Recurrent[Any]
    head: Linear | None = None
    handed_on: str = ""

    def equations(self, notation: NotationName) -> str:
        """The equations of a step, and what is handed on."""
        with step(1):
            x = self.embedding(Tensor(0, name="token")).named("x")
        made = self.layer.recorded_step(x)
        if self.head is not None:
            with step(1):
                made.append(self.head(made[-1]).named("y"))
        names = _names(embedding=self.embedding, layer=self.layer, head=self.head)
        text = str(step_equations(made, notation, names))
        if not self.handed_on:
            return text
        name = "y" if self.layer.bidirectional else "h"
        mark = str(self.layer.num_layers) if self.layer.num_layers > 1 else ""
        first, last = (_at(t, name, notation, mark) for t in ("1", "T"))
        return _with_line(text, self.handed_on.format(first=first, last=last))


@dataclass(frozen=True)
class Writing:
    """A decoder, which reads C or looks at S."""

    decoder: Decoder

    def equations(self, notation: NotationName) -> str:
        """The equations of a step, from the token before to the scores of the next one."""
        decoder = copy(self.decoder)
        decoder.cell = copy(decoder.cell)
        decoder.cell.per_gate = True
        context = Tensor(np.zeros((1, decoder.context_size)), name="C")
        memory = Tensor(np.zeros((2, 1, decoder.context_size)), name="S")
        state = decoder.start(Encoded(context, memory if decoder.attention else None))
        for _ in range(2):  # a state is read under the name that its cell gives to a new one
            parts = []
            for part in decoder.cell.parts_of(state.cell):
                with scope(part.scope), step(0):
                    parts.append(Tensor(part.value, name=part.name))
            state = state._replace(cell=decoder.cell.state_of(*parts))
            with step(1):
                y, state = decoder.step(Tensor([0], name="token"), state)
        made = [part for part in decoder.cell.parts_of(state.cell) if part.step == 1]
        text = str(step_equations([*made, y], notation, _names(decoder)))
        if not decoder.context_init or decoder.bridge is not None:
            return text
        return _with_line(text, f"{_at('0', 'h', notation)} = C")


def _names(*modules: Module, **named: Module | None) -> dict[Any, str]:
    """What the program calls each parameter."""
    found = {node: name for module in modules for name, node in module.named_tensors()}
    for first, module in named.items():
        for name, node in module.named_tensors() if module is not None else ():
            found[node] = f"{first}.{name}"
    return found


def _at(t: str, name: str, notation: NotationName, mark: str = "") -> str:
    """A variable at a time that is no step of the equations: h_T."""
    course = notation_named(notation, "equations")
    return Plain().symbol(course.letters.get(name, name), mark, t, course.time == "angle")


def _with_line(text: str, line: str) -> str:
    """Equations with one more, above what their letters stand for."""
    equations, where, legend = text.partition("\nwhere\n")
    return f"{equations}\n{line}{where}{legend}"
