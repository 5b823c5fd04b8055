"""The printed equations, read by a parser that knows nothing of rnn, compute what the layer does.

The parser below reads the text: the legend under "where" says which rows of which parameter each
letter is, the lines above say the mathematics. If a gate, a sign, a time or a letter were wrong in
the text, the numbers would differ.
"""

import itertools
import re

import numpy as np
import pytest

from microgrrepresent import Tensor, linear, sigmoid, tanh
from rnn import (
    GRU,
    LSTM,
    NARX,
    RNN,
    Cell,
    CTRNNCell,
    GraphRecurrentCell,
    LinearRecurrentCell,
    ResidualRNNCell,
    TimeDelayCell,
)

NOTATIONS = ("pytorch", "nndl", "ng", "nankai", "task05", "d2l")


class MinimalGatedCell(Cell):
    """A cell of a user's, as in CONTRIBUTING."""

    scope = "mgu"

    def __init__(self, input_size, hidden_size, *, dtype=np.float64, rng=None):
        super().__init__(input_size, hidden_size, dtype=dtype, rng=rng)
        self.U = self.parameter("U", hidden_size, input_size)
        self.V = self.parameter("V", hidden_size, input_size)
        self.W = self.parameter("W", hidden_size, hidden_size)
        self.b = self.parameter("b", hidden_size)

    def forward(self, x, h):
        z = sigmoid(linear(x, self.U) + linear(h, self.W) + self.b).named("z")
        return ((1 - z) * h + z * tanh(linear(x, self.V))).named("h")


class MatmulCell(MinimalGatedCell):
    """The same without names of its own, with the matrices on the left and on the right."""

    def forward(self, x, h):
        a = self.U @ x + h @ self.W + self.b
        return (h * sigmoid(a) - tanh(self.V @ x) / (1 + a * a)).named("h")


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
    "user's": lambda: RNN(2, 3, cell=MinimalGatedCell, rng=0),
    "user's, products": lambda: RNN(2, 3, cell=MatmulCell, rng=0),
}
FUNCTIONS = {
    "tanh": np.tanh,
    "σ": lambda a: 1 / (1 + np.exp(-a)),
    "ReLU": lambda a: np.maximum(a, 0),
}
NAME = (  # a letter, or dt/τ; direction, layer, what stands below, and Ng's time
    r"[^\W\d_][^\W_ᵀ²]*\u0303?(?:/τ)?[→←]?(?:\^\(\d\))?"
    r"(?:_\{[^}]*\}|(?:_[^\W_ᵀ²]+)*)(?:<t(?:[+-]\d)?>)?"
)
TOKEN = re.compile(rf"\s*({NAME}|\d+(?:\.\d+)?|[-+⊙/()\[\],;:²ᵀ])")


class Reader:
    """Recursive descent: sums of ⊙-products of products of neighbors.

    Vectors are written as columns or as rows, but are arrays of one axis in either case, so `@`
    means the same in both. A matrix beside another stands for the two joined along the last axis.
    """

    def __init__(self, text, values, in_program=False):
        self.tokens, self.values, self.in_program = TOKEN.findall(text), values, in_program
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
        value = self.neighbors()
        while self.peek() in ("⊙", "/"):
            divided = self.take() == "/"
            other = self.neighbors()
            value = value / other if divided else value * other
        return value

    def neighbors(self):
        factors = [self.factor()]
        while self.peek() not in ("", "+", "-", "⊙", "/", ")", "]", ",", ";"):
            factors.append(self.factor())
        value = factors.pop()
        while factors:
            other = factors.pop()
            value = other @ value if np.ndim(other) else other * value
        return value

    def factor(self):
        value = self.atom()
        while self.peek() in ("ᵀ", "²"):
            value = np.transpose(value) if self.take() == "ᵀ" else value**2
        if self.peek() == "[" and self.in_program:
            self.take()
            start = int(self.take())
            self.take(":")
            value = value[start : int(self.take())]
            self.take("]")
            return self.transposed(value)
        return value

    def transposed(self, value):
        if self.peek() == "ᵀ":
            self.take()
            return value.T
        return value

    def atom(self):
        token = self.take()
        if token == "(":
            value = self.sum()
            self.take(")")
            return value
        if token == "[":
            parts = [self.sum()]
            while self.peek() in (",", ";"):
                self.take()
                parts.append(self.sum())
            self.take("]")
            return np.concatenate(parts, axis=-1)
        if token.replace(".", "").isdigit():
            return float(token)
        if token in FUNCTIONS:
            self.take("(")
            value = self.sum()
            self.take(")")
            return FUNCTIONS[token](value)
        return self.values[token]


def evaluate(text, parameters, given):
    """Run one step of the printed equations; returns all values by the letter on their left."""
    lines, _, legend = text.partition("\nwhere\n")
    values = {**parameters, **given}
    for line in legend.splitlines():
        letter, meaning = line.split(" = ")
        values[letter.strip()] = Reader(meaning, parameters, in_program=True).sum()
    for line in lines.splitlines():
        left, right = line.split(" = ")
        values[left.strip()] = Reader(right, values).sum()
    return values


def at(letter, notation, when):
    """A letter at a step, as the course writes it."""
    if notation == "ng":
        return f"{letter}<{when}>"
    return f"{letter}_{when}" if when == "t" else f"{letter}_{{{when}}}"


def letters_of(notation, name):
    """What the course calls x, h and c."""
    if notation == "d2l":
        return "X", "H", "C"
    if notation == "ng" and "gru" in name:
        return "x", "c", ""
    return "x", {"ng": "a", "task05": "s"}.get(notation, "h"), "c"


@pytest.mark.parametrize(("name", "notation"), list(itertools.product(LAYERS, NOTATIONS)))
def test_printed_equations_compute_the_layer(name, notation):
    layer = LAYERS[name]()
    draw = np.random.default_rng(1)
    for p in layer.parameters():
        p.assign(draw.standard_normal(p.shape))
    x = draw.standard_normal(2)
    sizes = layer.cells[0].state_sizes()
    h, *c = (draw.standard_normal(n) for n in sizes.values())
    X, H, C = letters_of(notation, name)
    given = {at(X, notation, "t"): x, at(H, notation, "t-1"): h}
    if c:
        given[at(C, notation, "t-1")] = c[0]

    values = evaluate(layer.equations(notation), layer.state_dict(), given)

    _, final = layer(x[None], (h[None], c[0][None]) if c else h[None])
    finals = list(final) if c else [final]
    np.testing.assert_allclose(values[at(H, notation, "t")], finals[0].numpy()[0], rtol=1e-12)
    if notation == "ng":  # what a layer shows is a, also where a GRU's state is c
        np.testing.assert_allclose(values["a<t>"], finals[0].numpy()[0], rtol=1e-12)
    if c:
        memory = values[at(C, notation, "t")]
        np.testing.assert_allclose(memory, finals[1].numpy()[0], rtol=1e-12)


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("model", ["ctrnn", "narx", "affine narx", "time delay"])
def test_printed_equations_compute_other_cells(model, notation):
    cell = {
        "ctrnn": CTRNNCell(2, 3, tau=[1.0, 2.0, 3.0], rng=0),
        "narx": NARX(2, 3, input_delays=1, output_delays=2, hidden_size=4, rng=0),
        "affine narx": NARX(2, 3, rng=0),
        "time delay": TimeDelayCell(2, 3, delays=2, rng=0),
    }[model]
    draw = np.random.default_rng(1)
    x = draw.standard_normal(2)
    parts = [draw.standard_normal(n) for n in cell.state_sizes().values()]
    X, Y = {"d2l": ("X", "O"), "task05": ("x", "o")}.get(notation, ("x", "y"))
    given = {at(X, notation, "t"): x}
    for letter, part in zip(cell.state_sizes(), parts, strict=True):
        stem, _, more = letter.partition("_")
        when = f"t-{int(more or 0) + 1}"
        given[at({"x": X, "y": Y}[stem], notation, when)] = part
    parameters = dict(cell.state_dict())
    if model == "ctrnn":
        parameters["tau"] = cell.tau.numpy()

    values = evaluate(cell.equations(notation), parameters, given)

    new = cell.output(cell(x, cell.state_of(*map(Tensor, parts))))
    np.testing.assert_allclose(values[at(Y, notation, "t")], new.numpy(), rtol=1e-12)


def test_a_round_of_messages_has_equations():
    cell = GraphRecurrentCell(2, 5, rng=0).on([(0, 1), (1, 2), (2, 0)], vertices=3)
    text = cell.equations()
    assert "m_t = A ([h_{t-1}[[1, 2, 0]], h_{t-1}[[0, 1, 2]]] Wᵀ + b)" in text
    assert "h_t = tanh([x_t, m_t] W_ihᵀ + h_{t-1} W_hhᵀ + b_ih + b_hh)" in text
    assert "W_hh = cell.g.weight_hh" in text


def test_every_course_has_the_equation_of_its_notes():
    layer = RNN(2, 3)
    lines = {notation: layer.equations(notation).splitlines() for notation in NOTATIONS}
    assert lines["nndl"][:2] == ["z_t = U h_{t-1} + W x_t + b", "h_t = tanh(z_t)"]
    assert lines["nankai"][0] == "h_t = tanh(W h_{t-1} + U x_t + b_h)"
    assert lines["task05"][0] == "s_t = tanh(U x_t + W s_{t-1} + b_s)"
    assert lines["ng"][0] == "a<t> = tanh(W_a [a<t-1>, x<t>] + b_a)"
    assert "  W_a = [weight_hh_l0, weight_ih_l0]" in lines["ng"]
    assert lines["d2l"][0] == "H_t = tanh(X_t W_xh + H_{t-1} W_hh + b_h)"
    assert "  W_xh = weight_ih_l0ᵀ" in lines["d2l"]
    assert lines["pytorch"][0] == "h_t = tanh(x_t W_ihᵀ + h_{t-1} W_hhᵀ + b_ih + b_hh)"


def test_gated_cells_as_in_the_notes():
    assert LSTM(2, 3).equations("ng").splitlines()[:6] == [
        "Γ_u<t> = σ(W_u [a<t-1>, x<t>] + b_u)",
        "Γ_f<t> = σ(W_f [a<t-1>, x<t>] + b_f)",
        "c̃<t> = tanh(W_c [a<t-1>, x<t>] + b_c)",
        "c<t> = Γ_f<t> ⊙ c<t-1> + Γ_u<t> ⊙ c̃<t>",
        "Γ_o<t> = σ(W_o [a<t-1>, x<t>] + b_o)",
        "a<t> = Γ_o<t> ⊙ tanh(c<t>)",
    ]
    assert GRU(2, 3, reset_after=False, update_gate="write").equations("ng").splitlines()[:5] == [
        "Γ_r<t> = σ(W_r [c<t-1>, x<t>] + b_r)",
        "Γ_u<t> = σ(W_u [c<t-1>, x<t>] + b_u)",
        "c̃<t> = tanh(W_c [Γ_r<t> ⊙ c<t-1>, x<t>] + b_c)",
        "c<t> = Γ_u<t> ⊙ c̃<t> + (1 - Γ_u<t>) ⊙ c<t-1>",
        "a<t> = c<t>",
    ]
    assert GRU(2, 3, reset_after=False).equations("d2l").splitlines()[:4] == [
        "R_t = σ(X_t W_xr + H_{t-1} W_hr + b_r)",
        "Z_t = σ(X_t W_xz + H_{t-1} W_hz + b_z)",
        "H̃_t = tanh(X_t W_xh + (R_t ⊙ H_{t-1}) W_hh + b_h)",
        "H_t = Z_t ⊙ H_{t-1} + (1 - Z_t) ⊙ H̃_t",
    ]
    peephole = LSTM(2, 3, peephole="diagonal").equations("nndl")
    assert "i_t = σ(W_i x_t + U_i h_{t-1} + V_i ⊙ c_{t-1} + b_i)" in peephole
    assert "o_t = σ(W_o x_t + U_o h_{t-1} + V_o ⊙ c_t + b_o)" in peephole
    assert "  V_o = weight_co_l0" in peephole
    assert "  U_z = weight_hh_l0[3:6]" in GRU(2, 3, reset_after=False).equations("nndl")


def test_update_gate_is_turned_round():
    keeps, writes = GRU(2, 3), GRU(2, 3, update_gate="write")
    for notation in ("pytorch", "nndl", "nankai", "task05"):
        assert "z_t = σ(" in keeps.equations(notation)
        assert "z_t = 1 - σ(" in writes.equations(notation)
    assert "Γ_u<t> = 1 - σ(" in keeps.equations("ng")
    assert "Γ_u<t> = σ(" in writes.equations("ng")
    own = RNN(2, 3, cell=MinimalGatedCell).equations("nndl")  # whose z is no GRU's
    assert "z_t = σ(" in own and "h_t = (1 - z_t) ⊙ h_{t-1} + z_t ⊙ tanh(V x_t)" in own


def test_layers_and_directions_have_letters_of_their_own():
    lines = RNN(2, 3, num_layers=2, bidirectional=True).equations("task05").splitlines()
    assert "s→^(1)_t = tanh(U→^(1) x_t + W→^(1) s→^(1)_{t-1} + b→^(1)_s)" in lines
    assert "o^(1)_t = [s→^(1)_t; s←^(1)_t]" in lines
    assert "s←^(2)_t = tanh(U←^(2) o^(1)_t + W←^(2) s←^(2)_{t+1} + b←^(2)_s)" in lines
    assert "  W←^(2) = weight_hh_l1_reverse" in lines
    lines = RNN(2, 3, num_layers=2).equations("ng").splitlines()
    assert "a^(2)<t> = tanh(W^(2)_a [a^(2)<t-1>, a^(1)<t>] + b^(2)_a)" in lines
    lines = RNN(2, 3, bidirectional=True).equations("nankai").splitlines()
    assert "h←_t = tanh(W← h←_{t+1} + U← x_t + b←_h)" in lines
    lines = RNN(2, 3, reverse=True).equations("nankai").splitlines()
    assert lines[0] == "h_t = tanh(W h_{t+1} + U x_t + b_h)"


@pytest.mark.parametrize("notation", NOTATIONS)
def test_a_notebook_shows_formulas_that_compile(notation):
    mathtext = pytest.importorskip("matplotlib.mathtext", reason="renders with matplotlib")
    parser = mathtext.MathTextParser("path")
    layers = [
        RNN(2, 3, num_layers=2, bidirectional=True),
        GRU(2, 3),
        LSTM(2, 3, peephole="diagonal"),
    ]
    for layer in [*layers, RNN(2, 3, cell=MatmulCell)]:
        text = layer.equations(notation)
        markdown = text._repr_markdown_()
        found = re.findall(r"\$\$(.+?)\$\$|\$([^$]+)\$", markdown)
        assert len(found) == sum(" = " in line for line in text.splitlines())
        for display, inline in found:
            assert (display or inline).isascii()
            parser.parse(f"${display or inline}$")


def test_asking_for_equations_changes_nothing():
    layer = LSTM(2, 3, rng=0)
    before = layer(np.ones((2, 2)))[0].numpy()
    layer.equations()
    np.testing.assert_array_equal(layer(np.ones((2, 2)))[0].numpy(), before)
    assert not layer.cells[0].per_gate


def test_unknown_notation():
    with pytest.raises(ValueError, match=r"equations: notation must be .*'d2l', got 'greek'"):
        RNN(2, 3).equations("greek")


def test_what_is_applied_to_nothing_needs_no_brackets():
    lines = LSTM(2, 3, bias=False, activation="identity").equations("nndl").splitlines()
    assert "c̃_t = W_c x_t + U_c h_{t-1}" in lines
    assert "h_t = o_t ⊙ c_t" in lines
