"""What ``python -m rnn draw``, ``bptt``, ``explain`` and ``equations`` can show.

Each model of the lecture notes is a function that records its loss, in the table `MODELS`. Inputs
are random numbers or words; the words, in quotation marks, are the names of the nodes that stand
for them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from microgrrepresent import Graph, Tensor, cross_entropy, linear, scope, stack, step, steps, tanh
from rnn.cells.cell import Cell
from rnn.command_line.illustration import ILLUSTRATED, illustration, layer_of
from rnn.command_line.parts import Part, Reading, Writing
from rnn.layers.dense import Embedding, Linear
from rnn.layers.layers import RNN
from rnn.layers.unrolling import unroll
from rnn.models.decoder import Decoder
from rnn.models.encoder import Encoded
from rnn.models.graph_network import GraphRecurrentCell
from rnn.models.narx import NARX, TimeDelayCell
from rnn.models.recursive import RecursiveCell
from rnn.sequences.decoding import likeliest
from rnn.training.losses import mse_loss, sequence_loss

HIDDEN, VECTOR = 4, 3
"""Length of a state, and of an input or a word's vector."""


@dataclass(frozen=True)
class Choices:
    """What a user can say of a model; see `illustration` for what is not said here.

    Attributes
    ----------
    words, to : tuple of str
        What is read, and what a decoder writes; without them there are as many tokens as steps.
    free : bool
        Whether a decoder reads what it has written itself, not what it should have written.
    """

    steps: int = 4
    cell: str = "lstm"
    layers: int = 1
    bidirectional: bool = False
    per_gate: bool = False
    output: Literal["all", "last"] = "all"
    words: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    free: bool = False
    seed: int = 0

    def layer(self, rng: np.random.Generator) -> RNN:
        """The recurrent layer of these choices."""
        return layer_of(
            self.cell, VECTOR, HIDDEN, self.layers, self.bidirectional, self.per_gate, rng
        )


@dataclass(frozen=True)
class Recorded:
    """A loss, or several outputs that have none; and what has equations, by name."""

    loss: Tensor | list[Tensor]
    parts: dict[str, Part]


@dataclass(frozen=True)
class Model:
    """One row of the table: how to record it, which `Choices` count for it, and in which view."""

    about: str
    record: Callable[[Choices], Recorded]
    takes: tuple[str, ...] = ("steps",)
    view: str = "cells"


def _cell(choices: Choices) -> Recorded:
    L, layer = illustration(
        choices.cell, choices.steps, VECTOR, HIDDEN, seed=choices.seed, layers=choices.layers,
        bidirectional=choices.bidirectional, per_gate=choices.per_gate, output=choices.output,
    )  # fmt: skip
    return Recorded(L, {"": layer})


def _tokens(words: tuple[str, ...], n: int) -> list[tuple[str, int]]:
    """Names and numbers of the tokens that are read; the same word has the same number."""
    if not words:
        return [("token", i) for i in range(n)]
    known = list(dict.fromkeys(words))
    return [(f'"{word}"', known.index(word)) for word in words]


def _vectors(choices: Choices, rng: np.random.Generator) -> tuple[Embedding, list[Tensor]]:
    tokens = _tokens(choices.words, choices.steps)
    embedding = Embedding(len(tokens), VECTOR, rng=rng)
    return embedding, [
        embedding(Tensor([i], name=word)).named("x") for _, (word, i) in steps(tokens)
    ]


def _labels(choices: Choices, classes: int, rng: np.random.Generator) -> Recorded:
    """A layer over words, with the scores of a class at every step, or at the last."""
    (embedding, xs), layer = _vectors(choices, rng), choices.layer(rng)
    head = _head(layer.output_size, classes, rng)
    parts: dict[str, Part] = {"": Reading(embedding, layer, head)}
    shown, said = layer.by_step(xs), []
    for t, h in enumerate(shown, start=1):
        if choices.output == "all" or t == len(shown):
            with step(t):
                said.append(head(h).named("y"))
    if choices.output == "last":
        with step(len(shown)):
            L: Tensor = cross_entropy(said[-1], Tensor([0], name="target")).named("L")
            return Recorded(L, parts)
    targets = np.arange(1, len(said) + 1)[:, None] % classes
    return Recorded(sequence_loss(cross_entropy, said, targets), parts)


def _head(inputs: int, outputs: int, rng: np.random.Generator) -> Linear:
    head = Linear(inputs, outputs, rng=rng)
    _name(head)
    return head


def _name(head: Linear) -> None:
    """Give what makes scores of a state the letters of the notes."""
    head.weight.named("V")
    if head.bias is not None:
        head.bias.named("b_y")


def _tagger(choices: Choices) -> Recorded:
    return _labels(choices, 2, np.random.default_rng(choices.seed))


def _language_model(choices: Choices) -> Recorded:
    size = len(_tokens(choices.words, choices.steps))
    return _labels(choices, size, np.random.default_rng(choices.seed))


def _classifier(choices: Choices) -> Recorded:
    last = Choices(**{**vars(choices), "output": "last"})
    return _labels(last, 2, np.random.default_rng(choices.seed))


def _translation(choices: Choices, **looks: Any) -> Recorded:
    rng = np.random.default_rng(choices.seed)
    with scope("encoder"):
        (embedding, xs), layer = _vectors(choices, rng), choices.layer(rng)
        shown = layer.by_step(xs)
    written = _tokens(choices.to, choices.steps)
    size = len(written) + 1  # and the start symbol
    decoder = Decoder(
        size, HIDDEN, layer.output_size, VECTOR, cell=ILLUSTRATED[choices.cell], rng=rng, **looks
    )
    _name(decoder.head)
    with scope("encoder"):
        memory = stack(shown).named("S") if looks else None
        context = stack(shown[-1:])[0].named("C")
    state = decoder.start(Encoded(context, memory))
    said: list[Tensor] = []
    read = [('"<s>"', size - 1), *written[:-1]] if choices.to else written
    for t, (word, i) in enumerate(read, start=1):
        if choices.free:
            with scope("decoder"), step(t - 1):
                token = (likeliest(said[-1]) if said else Tensor([i])).named("ŷ")
        else:
            with scope("decoder"), step(t):
                token = Tensor([i], name=word)
        with step(t):
            y, state = decoder.step(token, state)
            said.append(y)
    with scope("decoder"):
        L = sequence_loss(cross_entropy, said, [[i] for _, i in written])
    if choices.to:
        targets = {node.step: node for node in Graph(L) if node.name == "target"}
        for t, (word, _) in enumerate(written, start=1):
            targets[t].name = word
    handed_on = "S = [{first}, ..., {last}]" if looks else "C = {last}"
    encoder = Reading(embedding, layer, handed_on=handed_on)
    return Recorded(L, {"encoder": encoder, "decoder": Writing(decoder)})


def _attention(choices: Choices) -> Recorded:
    return _translation(choices, attention="additive", context_init=False)


def _tree(choices: Choices) -> Recorded:
    rng = np.random.default_rng(choices.seed)
    names = choices.words or ("x",) * choices.steps
    tree: list[Any] = [Tensor(rng.standard_normal(HIDDEN), name=name) for name in names]
    while len(tree) > 1:  # neighbors in pairs; who is left over waits for the next round
        tree = [tuple(tree[i : i + 2]) if i + 1 < len(tree) else tree[i]
                for i in range(0, len(tree), 2)]  # fmt: skip
    h = RecursiveCell(HIDDEN, rng=rng)(tree[0])
    target = Tensor(rng.standard_normal(HIDDEN), name="target")
    return Recorded(mse_loss(h, target, reduction="sum").named("L"), {})


def _series(cell: Cell[Any], shape: tuple[int, ...], choices: Choices) -> Recorded:
    """A cell that shows what it says, y_t, at every step."""
    rng = np.random.default_rng(choices.seed)
    run = unroll(cell, rng.standard_normal((choices.steps, *shape)))
    targets = rng.standard_normal((choices.steps, *run.outputs[0].shape))
    return Recorded(sequence_loss(mse_loss, run.outputs, targets, reduction="sum"), {"": cell})


def _graph(choices: Choices) -> Recorded:
    cell = GraphRecurrentCell(2, HIDDEN, rng=choices.seed)
    return _series(cell.on([(0, 1), (1, 2), (2, 0)], vertices=3), (3, 2), choices)


def _narx(choices: Choices) -> Recorded:
    cell = NARX(1, 1, input_delays=2, output_delays=2, hidden_size=HIDDEN, rng=choices.seed)
    return _series(cell, (1,), choices)


def _time_delays(choices: Choices) -> Recorded:
    return _series(TimeDelayCell(2, VECTOR, delays=2, rng=choices.seed), (2,), choices)


TYPES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "one to one": ((1,), (1,)),
    "one to many": ((1,), (1, 2, 3)),
    "many to one": ((1, 2, 3), (3,)),
    "many to many": ((1, 2, 3), (1, 2, 3)),
    "many, then many": ((1, 2), (3, 4)),
}
"""At which steps a network of each type reads, and at which it writes."""


def _types(choices: Choices) -> Recorded:
    rng = np.random.default_rng(choices.seed)
    said = []
    for name, (reads, writes) in TYPES.items():
        with scope(name):
            W, U, V = (
                Tensor(rng.uniform(-0.5, 0.5, shape), requires_grad=True, name=letter)
                for letter, shape in (("W", (4, 3)), ("U", (4, 4)), ("V", (2, 4)))
            )
            with step(0):
                h = Tensor(np.zeros(4), name="h")
            is_loop = max(writes) > 1
            for t in range(1, max(writes) + 1):
                with step(t):
                    x = Tensor(rng.standard_normal(3), name="x") if t in reads else None
                    with scope("rnn"):
                        seen = [linear(h, U)] if is_loop else []
                        if x is not None:
                            seen.append(linear(x, W))
                        h = tanh(sum(seen[1:], seen[0])).named("h")
                    if t in writes:
                        said.append(linear(h, V).named("y"))
    return Recorded(said, {})


_LAYER = ("steps", "cell", "layers", "per_gate")

MODELS: dict[str, Model] = {
    "cell": Model(
        "a cell with a loss at every step", _cell, (*_LAYER, "bidirectional", "output"), "gates"
    ),
    "tagger": Model(
        "a tag for each word", _tagger, (*_LAYER, "bidirectional", "output", "words")
    ),
    "classifier": Model("one class for all words", _classifier, (*_LAYER, "words")),
    "language-model": Model("the next word, at every step", _language_model, (*_LAYER, "words")),
    "seq2seq": Model("an encoder and a decoder", _translation, (*_LAYER, "words", "to", "free")),
    "attention": Model(
        "a decoder that looks at all states of an encoder", _attention,
        (*_LAYER, "bidirectional", "words", "to", "free"),
    ),
    "tree": Model("a recursive network over --steps leaves", _tree, ("steps", "words")),
    "graph": Model("messages between three vertices, --steps rounds", _graph),
    "narx": Model("a nonlinear autoregressive model", _narx),
    "time-delay": Model("a time-delay network", _time_delays),
    "types": Model("one or many inputs, one or many outputs: five types", _types, ()),
}  # fmt: skip
