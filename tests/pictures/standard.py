"""The standard pictures: what a course on recurrent networks puts on its slides, from graphs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from microgrrepresent import Tensor, backward, draw, linear, step, tanh
from microgrrepresent.drawing import Drawing
from rnn import (
    GRU,
    LSTM,
    RNN,
    GRUCell,
    LSTMCell,
    RNNCell,
    unroll,
)
from rnn.command_line.illustration import illustration
from rnn.command_line.models import MODELS, Choices

Make = Callable[..., Drawing]


def _model(name: str, loss: bool = True, **choices: Any) -> Make:
    """A model as the command line shows it."""
    model = MODELS[name]
    return _graph(lambda: model.record(Choices(**choices)).loss, model.view, loss=loss)


def _cell(
    name: str, steps: int = 3, gradients: bool = False, view: str = "gates", **more: Any
) -> Make:
    def make(**options: Any) -> Drawing:
        loss, _ = illustration(name, steps)
        found = backward(loss) if gradients else None
        return draw(loss, view, gradients=found, **more, **options)

    return make


def _graph(build: Callable[[], Any], view: str = "gates", **more: Any) -> Make:
    def make(**options: Any) -> Drawing:
        return draw(build(), view, **more, **options)

    return make


def _outputs(cell: Any, steps: int) -> list[Tensor]:
    return unroll(cell, np.random.default_rng(0).standard_normal((steps, 3))).outputs


def _layer(kind: Any, **options: Any) -> Tensor:
    out, _ = kind(3, 4, rng=0, **options)(np.random.default_rng(0).standard_normal((3, 3)))
    return out


def _one_to_many() -> list[Tensor]:
    x, W = Tensor(np.ones(3), name="x"), Tensor(np.ones((4, 3)), True, "W")
    U, h, said = Tensor(np.ones((4, 4)) / 9, True, "U"), None, []
    for t in (1, 2, 3):
        with step(t):
            h = tanh(linear(x, W) if h is None else linear(h, U)).named("h")
            said.append(h)
    return said


STANDARD: dict[str, Make] = {
    "RNN": _cell("rnn"),
    "RNN, BPTT": _cell("rnn", gradients=True),
    "LSTM": _cell("lstm"),
    "LSTM, BPTT": _cell("lstm", gradients=True),
    "LSTM, peephole": _cell("lstm-peephole"),
    "LSTM, coupled": _cell("lstm-coupled"),
    "LSTM, 1997": _cell("lstm-1997"),
    "GRU": _cell("gru"),
    "GRU, BPTT": _cell("gru", gradients=True),
    "GRU, reset before": _cell("gru-before"),
    "GRU, per gate": _graph(lambda: _outputs(GRUCell(3, 4, composition="per_gate", rng=0), 3)),
    "LSTM, per gate": _graph(lambda: _outputs(LSTMCell(3, 4, composition="per_gate", rng=0), 3)),
    "residual": _cell("residual"),
    "RNN, folded and unfolded": _cell("rnn", view="variables", time="both"),
    "GRU, folded and unfolded": _cell("gru", time="both"),
    "LSTM, two layers": _graph(lambda: _layer(LSTM, num_layers=2), "cells"),
    "GRU, two directions": _graph(lambda: _layer(GRU, bidirectional=True), "cells"),
    "RNN, two by two": _graph(lambda: _layer(RNN, num_layers=2, bidirectional=True), "cells"),
    "encoder-decoder": _model("seq2seq", loss=False, steps=3, cell="gru"),
    "encoder-decoder, free": _model("seq2seq", loss=False, steps=3, cell="gru", free=True),
    "attention": _model("attention", steps=3, cell="rnn"),
    "tree": _model("tree", steps=4),
    "graph network": _model("graph", steps=3),
    "NARX": _model("narx", steps=4),
    "time delays": _model("time-delay", steps=4),
    "one to many": _graph(_one_to_many),
    "many to one": _model("classifier", steps=3, cell="rnn"),
    "five types": _model("types"),
    "many to many": _cell("rnn", view="cells"),
    "long sequence": _graph(lambda: _outputs(RNNCell(3, 4, rng=0), 24), "cells"),
}
