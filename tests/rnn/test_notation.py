"""The printed equations, read by a parser that knows nothing of rnn, compute what the layer does.

The parser below reads the text: the legend under "where" says which rows of which parameter each
letter is, the lines above say the mathematics. If a gate, a sign, a time or a letter were wrong in
the text, the numbers would differ.
"""

import itertools
import re

import numpy as np
import pytest

from rnn import GRU, LSTM, RNN, LinearRecurrentCell, ResidualRNNCell

NOTATIONS = ("pytorch", "nndl", "ng", "nankai")
LAYERS = {
    "rnn": lambda: RNN(2, 3, rng=0),
    "rnn-relu-no-bias": lambda: RNN(2, 3, nonlinearity="relu", bias=False, rng=0),
    "residual": lambda: RNN(2, 3, cell=ResidualRNNCell, rng=0),
    "residual-relu": lambda: RNN(
        2, 3, bias=False, nonlinearity="relu", cell=ResidualRNNCell, rng=0
    ),
    "linear": lambda: RNN(2, 3, cell=LinearRecurrentCell, rng=0),
    "linear-tanh": lambda: RNN(
        2, 3, bias=False, nonlinearity="tanh", cell=LinearRecurrentCell, rng=0
    ),
    "gru": lambda: GRU(2, 3, rng=0),
    "gru-no-bias": lambda: GRU(2, 3, bias=False, rng=0),
    "gru-before": lambda: GRU(2, 3, reset_after=False, rng=0),
    "gru-write": lambda: GRU(2, 3, update_gate="write", rng=0),
    "gru-before-write": lambda: GRU(2, 3, reset_after=False, update_gate="write", rng=0),
    "gru-no-reset": lambda: GRU(2, 3, reset_gate=False, rng=0),
    "lstm": lambda: LSTM(2, 3, rng=0),
    "lstm-1997": lambda: LSTM(2, 3, forget_gate=False, rng=0),
    "lstm-coupled": lambda: LSTM(2, 3, coupled=True, rng=0),
    "lstm-peephole": lambda: LSTM(2, 3, peephole="diagonal", rng=0),
    "lstm-peephole-previous": lambda: LSTM(2, 3, peephole="diagonal_previous", rng=0),
    "lstm-projected": lambda: LSTM(2, 3, proj_size=2, bias=False, rng=0),
    "lstm-relu": lambda: LSTM(2, 3, gate_activation="relu", activation="sigmoid", rng=0),
}
FUNCTIONS = {
    "tanh": np.tanh,
    "σ": lambda a: 1 / (1 + np.exp(-a)),
    "ReLU": lambda a: np.maximum(a, 0),
}
TOKEN = re.compile(r"\s*([^\W\d]\w*\u0303?\w*(?:<t[+-]?1?>|\{t[+-]1\})?|\d+|[-+⊙()\[\],:])")


class Reader:
    """Recursive descent: sums of ⊙-products of products of neighbours."""

    def __init__(self, text, values):
        self.tokens, self.values = TOKEN.findall(text), values
        assert "".join(self.tokens) == re.sub(r"\s", "", text)

    def peek(self):
        return self.tokens[0] if self.tokens else ""

    def take(self, expected=None):
        token = self.tokens.pop(0)
        assert expected in (None, token)
        return token

    def sum(self):
        value = self.product()
        while self.peek() in ("+", "-"):
            value = value + self.product() if self.take() == "+" else value - self.product()
        return value

    def product(self):
        value = self.neighbours()
        while self.peek() == "⊙":
            self.take()
            value = value * self.neighbours()
        return value

    def neighbours(self):
        factors = [self.factor()]
        while self.peek() not in ("", "+", "-", "⊙", ")", "]", ","):
            factors.append(self.factor())
        value = factors.pop()
        while factors:
            value = factors.pop() @ value
        return value

    def factor(self):
        token = self.take()
        if token == "(":
            value = self.sum()
            self.take(")")
            return value
        if token == "[":
            parts = [self.sum()]
            while self.peek() == ",":
                self.take()
                parts.append(self.sum())
            self.take("]")
            return np.concatenate(parts, axis=-1)
        if token.isdigit():
            return int(token)
        if token in FUNCTIONS:
            self.take("(")
            value = self.sum()
            self.take(")")
            return FUNCTIONS[token](value)
        value = self.values[token]
        if self.peek() == "[" and value.ndim and token in self.values.get("parameters", ()):
            self.take()
            start = int(self.take())
            self.take(":")
            value = value[start : int(self.take())]
            self.take("]")
        return value


def evaluate(text, parameters, x, state):
    """Run one step of the printed equations; returns all values by the letter on their left."""
    lines, _, legend = text.partition("\nwhere\n")
    source = {**parameters, "parameters": set(parameters)}
    values = dict(state) | {"x_t": x, "x<t>": x}
    for line in legend.splitlines():
        letter, meaning = line.split("=")
        values[letter.strip()] = Reader(meaning, source).sum()
    for line in lines.splitlines():
        left, right = line.split("=")
        values[left.strip()] = Reader(right, values).sum()
    return values


@pytest.mark.parametrize(("name", "notation"), list(itertools.product(LAYERS, NOTATIONS)))
def test_printed_equations_compute_the_layer(name, notation):
    layer = LAYERS[name]()
    draw = np.random.default_rng(1)
    for p in layer.parameters():
        p.assign(draw.standard_normal(p.shape))
    x = draw.standard_normal(2)
    sizes = layer.cells[0].state_sizes()
    h, *c = (draw.standard_normal(n) for n in sizes.values())
    h_before = {"ng": ["a<t-1>"]}.get(notation, ["h_{t-1}"])
    state = dict.fromkeys(h_before, h)
    if c:
        state["c<t-1>" if notation == "ng" else "c_{t-1}"] = c[0]
    elif notation == "ng" and name.startswith("gru"):
        state["c<t-1>"] = h

    values = evaluate(layer.equations(notation), layer.state_dict(), x, state)

    _, final = layer(x[None], (h[None], c[0][None]) if c else h[None])
    finals = list(final) if c else [final]
    shown = "a<t>" if notation == "ng" else "h_t"
    np.testing.assert_allclose(values[shown], finals[0].numpy()[0], rtol=1e-12)
    if c:
        memory = "c<t>" if notation == "ng" else "c_t"
        np.testing.assert_allclose(values[memory], finals[1].numpy()[0], rtol=1e-12)


def test_courses_exchange_u_and_w():
    layer = RNN(2, 3)
    assert "U h_{t-1} + W x_t" in layer.equations("nndl")
    assert "W h_{t-1} + U x_t" in layer.equations("nankai")
    assert "W_a [a<t-1>, x<t>]" in layer.equations("ng")
    assert "W_ih x_t + b_ih + W_hh h_{t-1} + b_hh" in layer.equations("pytorch")


def test_update_gate_is_turned_round():
    keeps, writes = GRU(2, 3), GRU(2, 3, update_gate="write")
    for notation in ("pytorch", "nndl", "nankai"):
        assert "z_t = σ(" in keeps.equations(notation)
        assert "z_t = 1 - σ(" in writes.equations(notation)
    assert "Γu = 1 - σ(" in keeps.equations("ng")
    assert "Γu = σ(" in writes.equations("ng")


def test_backward_direction_looks_ahead():
    text = RNN(2, 3, num_layers=2, bidirectional=True).equations("nndl")
    assert text.count("h_{t+1}") == 2
    assert "layer 1, backward, where x is what layer 0 shows:" in text
    assert "weight_hh_l1_reverse" in text


def test_unknown_notation():
    with pytest.raises(ValueError, match="'pytorch', 'nndl', 'ng', 'nankai'; given 'greek'"):
        RNN(2, 3).equations("greek")


def test_what_is_applied_to_nothing_needs_no_brackets():
    lines = LSTM(2, 3, bias=False, activation="identity").equations("nndl").splitlines()
    assert "c̃_t = W_c x_t + U_c h_{t-1}" in lines
    assert "h_t = o_t ⊙ c_t" in lines
