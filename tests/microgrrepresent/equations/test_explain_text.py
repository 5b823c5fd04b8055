"""What explanations say: sums, letters, LaTeX, and the sentence for a mistake."""

import re

import numpy as np
import pytest

from microgrrepresent import (
    GradientError,
    Tensor,
    concatenate,
    cross_entropy,
    explain,
    linear,
    sigmoid,
    step,
    steps,
    tanh,
)
from microgrrepresent.equations import NOTATIONS, Notation, step_equations
from rnn import RNN, CTRNNCell, Embedding, Linear, LSTMCell, RNNCell, unroll

COURSES = ["pytorch", "nndl", "ng", "nankai", "task05", "d2l"]
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
    assert "∂L/∂V_i = Σ(t=1..4) Σ(batch) ∂L/∂a_{i,t} ⊙ c_{t-1}" in str(
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


@pytest.mark.parametrize("notation", COURSES)
def test_arrays_are_multiplied_element_by_element_and_a_scalar_without_a_sign(notation):
    s, h = Tensor(2.0, requires_grad=True, name="s"), Tensor(np.ones((2, 4)), name="h")
    for _ in steps(range(3)):
        h = tanh(h * s).named("h")
    text = str(explain((h * h).sum(), s, notation))
    adjoint, state = {
        "nndl": ("δ{}", "h{}"),
        "ng": ("dz{}", "a{}"),
        "task05": ("∂L/∂a{}", "s{}"),
        "d2l": ("∂L/∂A{}", "H{}"),
    }.get(notation, ("∂L/∂a{}", "h{}"))
    before, now, after = (
        ("<t-1>", "<t>", "<t+1>") if notation == "ng" else ("_{t-1}", "_t", "_{t+1}")
    )
    assert f" = s {adjoint.format(after)}" in text
    assert f" = Σ(t=1..3) Σ {adjoint.format(now)} ⊙ {state.format(before)}\n" in text


# --- letters --------------------------------------------------------------------------------------


@pytest.mark.parametrize("notation", COURSES)
def test_no_two_variables_of_a_continuous_time_cell_have_one_name(notation):
    cell = CTRNNCell(3, 4, rng=0)
    text = str(explained(cell, cell.weight_hh, notation))
    forward = text.split("Forward")[1].split("Local derivatives")[0]
    left = [line.split(" = ")[0].strip() for line in forward.splitlines() if " = " in line]
    letters = [re.sub("_[t{].*|<.*", "", name) for name in left]
    assert len(set(letters)) == len(letters) >= 5
    assert "σ" not in letters  # the function is called that
    assert f"φ{'<t>' if notation == 'ng' else '_t'} = σ(" in text


GREEK = ["σ", "λ", "W_σ", "σs_λ1"]
SIGNS = ["W_a%b#c_d", "$W$", "W\n", "a&b", "100%", "W^2", "a~b", "W{x}", "W b", "\\", "_", "W_"]


@pytest.mark.parametrize("notation", COURSES)
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


def test_no_blank_stands_before_a_closing_dollar_sign():
    cell = CTRNNCell(3, 4, rng=0)
    for notation in COURSES:
        text = explained(cell, cell.bias, notation).markdown()
        inline = re.findall(r"(?<!\$)\$([^$]+)\$(?!\$)", text)
        assert len(inline) > 8 and r"\theta" in inline
        assert all(formula == formula.strip() for formula in inline)


def test_a_bar_is_over_the_letter_and_not_over_what_stands_below_it():
    cell = CTRNNCell(3, 4, rng=0)
    latex = explained(cell, cell.bias).markdown()
    assert r"\frac{\partial L}{\partial \theta}" in latex or r"\bar{\theta}" in latex
    loss, W = named("λ")
    assert r"\bar{\mathrm{\lambda h}}_{3}" in explain(loss, W).markdown()


def test_a_variable_that_the_program_calls_u_has_no_number():
    w, h, u, b = (Tensor(0.5, requires_grad=True, name=n) for n in ("w", "h_0", "u_0", "b"))
    for _ in steps(range(3)):
        h = tanh(h * w + u).named("h")
        u = (u * b).named("u")
    unnamed = (h * h).exp()
    text = str(explain(unnamed * unnamed * h, w))
    assert "u_t = u_{t-1} b" in text and "h_{t-1} w + u_{t-1}" in text and "u^(1) = " in text


# --- layers and directions ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("notation", "W", "U"), [("nndl", "W", "U"), ("ng", "W_ax", "W_aa"), ("nankai", "U", "W")]
)
def test_the_weights_of_a_layer_have_its_number_and_the_letters_of_the_course(notation, W, U):
    h = "a" if notation == "ng" else "h"
    before = {"ng": "<t-1>"}.get(notation, "_{t-1}")
    after, now = before.replace("-", "+"), {"ng": "<t>"}.get(notation, "_t")

    def of(letter, layer):
        """A layer's letter: W^(1)_ax."""
        letter, _, below = letter.partition("_")
        return f"{letter}{layer}" + (f"_{below}" if below else "")

    two = RNN(3, 4, num_layers=2, rng=0)
    loss = (two(XS)[0] ** 2).sum()
    text = str(explain(loss, two.weight_hh_l1, notation))
    first, second = "^(1)", "^(2)"
    assert f"with respect to {of(U, second)}, in the program W_hh_l1\n" in text
    for below, layer in ((f"x{now}", first), (f"{h}{first}{now}", second)):
        state = f"{of(U, layer)} {h}{layer}{before}"
        assert f"{now} = {of(W, layer)} {below} + {state} + b{layer}\n" in text
    assert "_l0" not in text and text.count("_l1") == 1
    both = RNN(3, 4, bidirectional=True, rng=0)
    loss = (both(XS)[0] ** 2).sum()
    text = str(explain(loss, both.weight_hh_l0_reverse, notation))
    assert f"{now} = {of(W, '←')} x{now} + {of(U, '←')} {h}←{after} + b←\n" in text
    one = RNN(3, 4, rng=0)
    text = str(explain((one(XS)[0] ** 2).sum(), one.weight_hh_l0, notation))
    assert f"{now} = {W} x{now} + {U} {h}{before} + b\n" in text
    latex = explain(loss, both.weight_hh_l0_reverse, notation).markdown()
    assert r"\overleftarrow{" in latex and "in the program W_hh_l0_reverse" in latex


def test_stacks_of_layers_that_follow_each_other_keep_weights_and_states_together():
    first, second = RNN(3, 4, num_layers=2, rng=0), RNN(4, 4, num_layers=2, rng=1)
    loss = (second(first(XS)[0])[0] ** 2).sum()
    text = str(explain(loss, second.weight_hh_l1, "nndl"))
    assert "z^(2)_t = W^(2) h^(1)_t + U^(2) h^(2)_{t-1} + b^(2)" in text
    assert "z'^(2)_t = W'^(2) h'^(1)_t + U'^(2) h'^(2)_{t-1} + b'^(2)" in text


def test_a_head_is_called_v_beside_a_layer_as_beside_a_cell():
    layer, head = RNN(3, 4, num_layers=2, rng=0), Linear(4, 1, rng=1)
    loss = (head(layer(XS)[0]) ** 2).sum()
    text = str(explain(loss, layer.weight_hh_l0, "nndl"))
    assert "Σ (V H + b)²" in text
    assert "z^(2)_t = W^(2) h^(1)_t + U^(2) h^(2)_{t-1} + b^(2)" in text


@pytest.mark.parametrize("start", [1, 0])
def test_what_the_steps_cut_from_the_data_is_called_after_the_step(start):
    rng = np.random.default_rng(0)
    W = Tensor(rng.normal(size=(2, 2)), requires_grad=True, name="W")
    U = Tensor(rng.normal(size=(2, 3)), requires_grad=True, name="U")
    h = Tensor(np.zeros(2), name="h")
    for _, x in steps(Tensor(rng.normal(size=(4, 3)), name="x"), start):
        h = tanh(linear(x, U) + linear(h, W)).named("h")
    loss = (h * h).sum()
    text = str(explain(loss, W))
    assert "a_t = x_t Uᵀ + h_{t-1} Wᵀ" in text and "x_t (3,)" in text and "x[" not in text
    assert step_equations(h, "nndl").startswith("h_t = tanh(U x_t + W h_{t-1})")


def test_data_that_is_read_with_lags_keeps_its_index():
    X = Tensor(np.arange(1.0, 6.0), name="X")
    w, h = Tensor(0.5, requires_grad=True, name="w"), Tensor(0.0, name="h")
    for t in range(2, 6):
        with step(t):
            h = tanh(w * h + X[t - 1] + X[t - 2]).named("h")
    assert "X[t-1] + X[t-2]" in str(explain(h, w))


def test_a_part_of_what_was_joined_is_named_by_its_elements():
    both = RNN(3, 4, bidirectional=True, rng=0)
    loss = (both(XS)[0] ** 2).sum()
    for W, part in ((both.weight_hh_l0, "[0:4]"), (both.weight_hh_l0_reverse, "[4:8]")):
        assert f"∂L/∂y_t{part}" in str(explain(loss, W))
    x = Tensor([1.0, 2.0], requires_grad=True, name="x")
    joined = concatenate([Tensor([5.0]), x, Tensor([6.0, 7.0])], axis=0).named("c")
    text = str(explain((joined * joined).sum(), x))
    assert text.endswith("∂L/∂x = ∂L/∂c[1:3]\n") and "v[i:j] are the elements i to j-1" in text


def test_an_equation_for_one_step_stands_where_time_runs_its_way():
    both = RNN(3, 4, bidirectional=True, rng=0)
    text = str(explain((both(XS)[0] ** 2).sum(), both.weight_hh_l0_reverse))
    lines = [line.strip() for line in text.splitlines()]
    start = lines.index("∂L/∂h←_1 = ∂L/∂y_1[4:8]    (t = 1)")
    assert lines[start - 1] == "at each step t = 1..4:"


# --- the shapes that a notation has ---------------------------------------------------------------


def shapes(text):
    given = re.search("^given: (.*)$", text, re.M)[1]
    return dict(re.findall(r"([^ ,]+) (\([^)]*\))", given))


def test_columns_are_printed_as_columns():
    cell = RNNCell(3, 4, rng=0)
    loss = (unroll(cell, XS).outputs[-1] ** 2).sum()
    rows = shapes(str(explain(loss, cell.weight_hh)))
    assert rows["x_t"] == "(2, 3)" and rows["h_0"] == "(2, 4)" and rows["W_ih"] == "(4, 3)"
    columns = explain(loss, cell.weight_hh, "nndl", numbers=True, steps=[2])
    found = shapes(str(columns))
    assert found["x_t"] == "(3, 2)" and found["h_0"] == "(4, 2)" and found["W"] == "(4, 3)"
    assert "states are columns, one for each sequence of a batch" in " ".join(str(columns).split())
    assert r"$x_{t}$ (3 × 2)" in columns.markdown()
    printed = str(columns).split("h_t = tanh(z_t)")[1].split("ℒ = ")[0]
    numbers = np.array(re.findall(r"-?\d+\.\d+", printed), float).reshape(4, 2)
    h = unroll(cell, XS).outputs[1].value
    np.testing.assert_allclose(numbers, h.T, atol=1e-4)


@pytest.mark.parametrize("notation", ["pytorch", "nndl"])
def test_a_matrix_stands_before_a_single_column(notation):
    text = str(explain(*named("U"), notation))
    assert "a_{Uh,t} = U Uh_{t-1}\n" in text and "Uᵀ ∂" in text


def test_indices_stay_and_rows_of_a_table_become_columns():
    table = Embedding(5, 4, rng=0)
    x = table(np.array([[0, 1], [2, 3], [4, 0]]))
    text = str(explain((x * x).sum(), table.weight, "ng"))
    assert "u^(1) = E[x]ᵀ" in text and ", x (3, 2)" in text


# --- numbers, classes, blocks ---------------------------------------------------------------------


def test_a_number_that_stands_behind_another_has_a_dot_before_it():
    W = Tensor([[1.0, 2.0]], requires_grad=True, name="W")
    text = explain(0.1 * (W**2).sum(), W)
    assert str(text).endswith("∂L/∂W = 0.1 · 2 W\n")
    assert r"0.1 \cdot 2\, W" in text.markdown()
    assert str(explain(((W - 1.0) ** 2).mean(), W)).endswith("∂L/∂W = 1/2 · 2 (W - 1)\n")
    y = Tensor([1.0, 2.0], requires_grad=True, name="y")
    one = str(explain(cross_entropy(y, 1).mean(), y))
    assert one.endswith("∂L/∂y = softmax(y) - e_target\n")


def test_a_name_that_is_a_quotient_is_held_together_in_a_product():
    r, h = Tensor(0.1, requires_grad=True, name="dt/τ"), Tensor([1.0, 2.0], name="h")
    for _ in steps(range(3)):
        h = tanh(h * r).named("h")
    text = str(explain((h * h).sum(), r))
    assert "a_t = (dt/τ) h_{t-1}" in text and "∂L/∂h_t = (dt/τ) ∂L/∂a_{t+1}" in text


def test_the_class_of_a_cross_entropy_is_not_called_t():
    y = Tensor(np.zeros((2, 3)), requires_grad=True, name="y")
    explanation = explain(cross_entropy(y, [0, 2]), y)
    text = " ".join(str(explanation).split())
    assert "y = CE(x, k): ∂y/∂x = softmax(x) - e_k" in text
    assert "e_k is the one-hot vector of class k" in text and "- e_target" in text
    assert "$e_{k}$ is the one-hot vector of class $k$" in explanation.markdown()


def test_what_goes_into_a_gate_has_a_letter():
    cell = LSTMCell(3, 4, rng=0)
    text = str(explained(cell, cell.weight_hh))
    for i, gate in enumerate("ifgo"):
        assert f"a_{{{gate},t}} = a_t[{4 * i}:{4 * i + 4}]" in text
    assert "∂L/∂a_t = [∂L/∂a_{i,t}, ∂L/∂a_{f,t}, ∂L/∂a_{g,t}, ∂L/∂a_{o,t}]" in text


def test_steps_are_named_beside_an_equation_only_where_they_are_not_those_of_the_title():
    cell = RNNCell(3, 4, rng=0)
    text = str(explained(cell, cell.weight_hh))
    assert "at each step t = 4..1:" in text and "(t = 4..1)" not in text
    assert "(t = 4)" in text and "(t = 3..1)" in text


# --- mistakes -------------------------------------------------------------------------------------


def test_a_loss_that_is_an_array_is_no_loss():
    cell = RNNCell(3, 4, rng=0)
    h = unroll(cell, XS).outputs[-1]
    with pytest.raises(GradientError, match=r"explain: the loss is one number, .*, got h .*2, 4"):
        explain(h, cell.weight_hh)


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        ({"loss": 3.0}, r"the loss is a Tensor, such as \(h \* h\).sum\(\), got float"),
        ({"W": np.zeros(3)}, "W is a Tensor that the loss depends on, .*, got ndarray"),
        ({"W": RNNCell(3, 4, rng=0)}, "W is a Tensor .* such as cell.weight_hh, got RNNCell"),
        ({"steps": 3}, "steps is a list of steps, among t = 1..4, got 3"),
        ({"steps": "a"}, "steps is a list of steps, among t = 1..4, got 'a'"),
    ],
)
def test_what_is_no_part_of_a_graph_is_named(mistake, said):
    cell = RNNCell(3, 4, rng=0)
    loss = (unroll(cell, XS).outputs[-1] ** 2).sum()
    with pytest.raises(TypeError, match=f"explain: {said}"):
        explain(**{"loss": loss, "W": cell.weight_hh} | mistake)


def test_several_terms_of_each_step_are_one_total():
    W = Tensor([[0.5]], requires_grad=True, name="W")
    h, total = Tensor([[1.0]], name="h"), Tensor(0.0)
    for _ in steps(range(4)):
        h = tanh(h @ W).named("h")
        total = total + (h * h).sum() + h.sum()
    assert "  L = Σ(t=1..4) Σ h_t² + Σ(t=1..4) Σ h_t\n" in str(explain(total, W))


def test_minus_minus_is_plus():
    w, h, L = Tensor(0.5, True, "w"), Tensor(0.1, name="h_0"), 0
    for _, x in steps(np.ones(4)):
        h = (x - (2.0 - tanh(h * w))).named("h")
        L = L + h * h
    text = str(explain(L, w))
    assert "h_t = x_t - (2 - tanh(a_t))\n" in text
    assert "∂L/∂a_t = ∂L/∂h_t (1 - tanh(a_t)²)\n" in text


def gated(rows):
    """Two parts of a product, the later one first; nobody reads more rows."""
    W, h, L = Tensor(np.eye(rows, 2), True, "W"), Tensor(np.zeros(2), name="h_0"), 0
    for _, x in steps(np.ones((4, 2))):
        a = linear(x + h, W).named("a")
        keep, write = a[2:4].named("f"), a[0:2].named("g")
        h = (sigmoid(keep) * h + tanh(write)).named("h")
        L = L + (h * h).sum()
    return str(explain(L, W))


def test_parts_stand_side_by_side_in_their_order_if_they_are_all_there():
    assert "∂L/∂a_t = [∂L/∂g_t, ∂L/∂f_t]\n" in gated(4)
    assert "∂L/∂a_t = place(∂L/∂f_t, 2:4) + place(∂L/∂g_t, 0:2)\n" in gated(6)


@pytest.mark.parametrize(
    ("notation", "gradient"),
    [("nndl", "[δ xᵀ; ∂ℒ/∂b xᵀ]"), ("pytorch", "[(∂L/∂a)ᵀ x; (∂L/∂b)ᵀ x]")],
)
def test_parts_of_a_matrix_stand_below_each_other(notation, gradient):
    W, x = Tensor(np.ones((4, 3)), True, "W"), Tensor(np.ones((5, 3)), name="x")
    a, b = linear(x, W[0:2]).named("a"), linear(x, W[2:4]).named("b")
    assert f"/∂W = {gradient}\n" in str(explain((a * b).sum(), W, notation))


def test_half_characters_do_not_keep_a_notebook_from_being_saved():
    W = Tensor(np.ones((2, 3)), True, "W\ud800")
    layer = RNN(3, 2)
    layer.weight_hh_l0.name = "U\ud800"
    for shown in (explain(linear(XS[0], W).sum(), W), layer.equations()):
        assert shown._repr_markdown_().encode()


def test_a_notation_that_a_user_added_is_named_among_the_others(monkeypatch):
    monkeypatch.setitem(NOTATIONS, "elman", Notation("Elman"))
    W = Tensor([1.0], requires_grad=True, name="W")
    with pytest.raises(ValueError, match=r"'pytorch', .*, 'd2l', 'elman', got 'typo'"):
        explain((W * W).sum(), W, "typo")
