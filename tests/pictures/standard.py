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
    NARX,
    RNN,
    Attention,
    Decoder,
    Embedding,
    Encoder,
    GraphRecurrentCell,
    GRUCell,
    Linear,
    LSTMCell,
    RecursiveCell,
    RNNCell,
    TimeDelayCell,
    unroll,
)
from rnn.command_line.illustration import illustration

Make = Callable[..., Drawing]


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


def _encoder_decoder() -> Tensor:
    encoder = Encoder(GRU(3, 5, rng=0), Embedding(10, 3, rng=0))
    decoder = Decoder(6, 8, context_size=5, rng=0)
    context = encoder([[1, 2, 3]]).context
    return decoder(context, np.array([[0, 1, 2]]))


def _attention() -> list[Tensor]:
    rng = np.random.default_rng(0)
    run = unroll(RNNCell(3, 4, rng=0), rng.standard_normal((4, 3)))
    attend, cell = Attention(4, 4, rng=1), RNNCell(4, 4, rng=2)
    memory, s, said = run.stacked()[:, None], Tensor(np.zeros((1, 4)), name="s"), []
    for t in (1, 2, 3):
        with step(t):
            context, _ = attend(s, memory)
            s = cell(context, s).named("s")
            said.append(s)
    return said


def _tree() -> Tensor:
    a, b, c, d = np.eye(4)
    return RecursiveCell(4, rng=0)(((a, b), (c, d)))


def _graph_network() -> Tensor:
    triangle = GraphRecurrentCell(2, 5, rng=0).on([(0, 1), (1, 2), (2, 0)], vertices=3)
    return unroll(triangle, np.zeros((3, 3, 2))).state


def _narx() -> list[Tensor]:
    model = NARX(1, 1, input_delays=2, output_delays=2, hidden_size=5, rng=0)
    return unroll(model, np.random.default_rng(0).standard_normal((4, 1))).outputs


def _delays() -> list[Tensor]:
    run = unroll(TimeDelayCell(2, 3, delays=3, rng=0), np.ones((4, 2)))
    return run.outputs


def _one_to_many() -> list[Tensor]:
    x, W = Tensor(np.ones(3), name="x"), Tensor(np.ones((4, 3)), True, "W")
    U, h, said = Tensor(np.ones((4, 4)) / 9, True, "U"), None, []
    for t in (1, 2, 3):
        with step(t):
            h = tanh(linear(x, W) if h is None else linear(h, U)).named("h")
            said.append(h)
    return said


def _many_to_one() -> Tensor:
    head = Linear(4, 2, rng=1)
    return head(_outputs(RNNCell(3, 4, rng=0), 3)[-1]).named("y")


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
    "encoder-decoder": _graph(_encoder_decoder, "cells"),
    "attention": _graph(_attention, "cells"),
    "tree": _graph(_tree, "cells"),
    "graph network": _graph(_graph_network),
    "NARX": _graph(_narx, "cells"),
    "time delays": _graph(_delays),
    "one to many": _graph(_one_to_many),
    "many to one": _graph(_many_to_one),
    "many to many": _cell("rnn", view="cells"),
    "long sequence": _graph(lambda: _outputs(RNNCell(3, 4, rng=0), 24), "cells"),
}
