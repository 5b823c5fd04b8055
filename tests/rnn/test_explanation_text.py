"""What explanations say: sums, letters, LaTeX, and the sentence for a mistake."""

import re

import numpy as np
import pytest

from microgrrepresent import Tensor, steps, tanh
from rnn import CTRNNCell, LSTMCell, RNNCell, explain, unroll

NOTATIONS = ["pytorch", "nndl", "ng", "nankai"]
XS = np.random.default_rng(1).normal(size=(4, 2, 3))


def explained(cell, W, notation="pytorch", **how):
    return explain((unroll(cell, XS, **how).outputs[-1] ** 2).sum(), W, notation)


def named(name):
    """The loss of a loop whose weight and state have names with the given one in them."""
    W, h = Tensor([[0.1, 0.2], [0.3, 0.4]], requires_grad=True, name=name), Tensor([0.1, 0.2])
    for _ in steps(range(3)):
        h = tanh(W @ h).named(f"{name}h")
    return (h * h).sum(), W


def formulas(markdown):
    found = re.findall(r"\$\$(.+?)\$\$|(?<!\\)\$((?:[^$\\]|\\.)+)\$", markdown)
    return [display or inline for display, inline in found]


# --- sums -----------------------------------------------------------------------------------------


def test_a_sum_that_leaves_an_array_says_what_it_goes_over():
    cell = LSTMCell(3, 4, peephole="diagonal", rng=0)
    assert "∂L/∂V_i = Σ(t=1..4) Σ(batch) ∂L/∂a_i[t] ⊙ c[t-1]" in str(
        explained(cell, cell.weight_ci)
    )
    latex = explained(cell, cell.weight_ci).markdown()
    assert r"\sum_{t=1}^{4} \sum_{\mathrm{batch}} \bar{a}_{i,t} \odot c_{t-1}" in latex
    h = Tensor(np.ones((2, 3, 4)), name="h")
    for shape, over in (
        ((4,), "Σ(axes 0, 1)"),
        ((3, 1), "Σ(axes 0, 2)"),
        ((3, 4), "Σ(batch)"),
        ((2, 1, 4), "Σ(axis 1)"),
        ((), "Σ"),
        ((1, 1, 1), "Σ"),
    ):
        w = Tensor(np.ones(shape), requires_grad=True, name="w")
        text = str(explain((w * h).named("y").sum(), w))
        assert text.endswith(f"∂L/∂w = {over} ∂L/∂y ⊙ h\n")


@pytest.mark.parametrize("notation", NOTATIONS)
def test_arrays_are_multiplied_element_by_element_and_a_scalar_without_a_sign(notation):
    s, h = Tensor(2.0, requires_grad=True, name="s"), Tensor(np.ones((2, 4)), name="h")
    for _ in steps(range(3)):
        h = tanh(h * s).named("h")
    text = str(explain((h * h).sum(), s, notation))
    a = {"pytorch": "∂L/∂a[{}]", "nndl": "δ[{}]", "ng": "dz[{}]", "nankai": "∂L/∂a[{}]"}[notation]
    state = "a" if notation == "ng" else "h"
    assert f" = s {a.format('t+1')}" in text
    assert f" = Σ(t=1..3) Σ {a.format('t')} ⊙ {state}[t-1]" in text


# --- letters --------------------------------------------------------------------------------------


@pytest.mark.parametrize("notation", NOTATIONS)
def test_no_two_variables_of_a_continuous_time_cell_have_one_name(notation):
    cell = CTRNNCell(3, 4, rng=0)
    text = str(explained(cell, cell.weight_hh, notation))
    forward = text.split("Forward")[1].split("Local derivatives")[0]
    left = [line.split(" = ")[0].strip() for line in forward.splitlines() if " = " in line]
    letters = [name.split("[")[0] for name in left]
    assert len(set(letters)) == len(letters) >= 5
    assert "σ" not in letters  # the function is called that
    assert "r[t] = σ(" in text


GREEK = ["σ", "λ", "W_σ", "σs_λ1"]
SIGNS = ["W_a%b#c_d", "$W$", "W\n", "a&b", "100%", "W^2", "a~b", "W{x}", "W b", "\\", "_", "W_"]


@pytest.mark.parametrize("notation", NOTATIONS)
def test_greek_letters_and_signs_in_names_are_written_in_latex(notation):
    mathtext = pytest.importorskip("matplotlib.mathtext", reason="renders with matplotlib")
    parser = mathtext.MathTextParser("path")
    cell = CTRNNCell(3, 4, rng=0)
    texts = [
        explained(cell, W, notation, truncate=truncate).markdown()
        for W in cell.parameters()
        for truncate in (None, 2)
    ]
    texts += [explain(*named(name), notation).markdown() for name in GREEK + SIGNS]
    found = {formula for text in texts for formula in formulas(text)}
    assert len(found) > 150
    for formula in found:
        assert formula.isascii()
        assert not re.search(r"(?<!\\)[%#&]", formula)
        parser.parse(f"${formula}$")


def test_a_bar_is_over_the_letter_and_not_over_what_stands_below_it():
    cell = CTRNNCell(3, 4, rng=0)
    latex = explained(cell, cell.bias).markdown()
    assert r"\frac{\partial L}{\partial \theta}" in latex or r"\bar{\theta}" in latex
    loss, W = named("λ")
    assert r"\bar{\mathrm{\lambda h}}_{3}" in explain(loss, W).markdown()


# --- mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        ({"loss": 3.0}, r"the loss is a Tensor, such as \(h \* h\).sum\(\); given float"),
        ({"W": np.zeros(3)}, "W is a Tensor that the loss depends on, .*; given ndarray"),
        ({"W": RNNCell(3, 4, rng=0)}, "W is a Tensor .* such as cell.weight_hh; given RNNCell"),
        ({"steps": 3}, "steps is a list of steps, among t = 1..4; given 3"),
        ({"steps": "a"}, "steps is a list of steps, among t = 1..4; given 'a'"),
    ],
)
def test_what_is_no_part_of_a_graph_is_named(mistake, said):
    cell = RNNCell(3, 4, rng=0)
    loss = (unroll(cell, XS).outputs[-1] ** 2).sum()
    with pytest.raises(TypeError, match=f"explain: {said}"):
        explain(**{"loss": loss, "W": cell.weight_hh} | mistake)
