"""The equations of models: what one step of each part computes, words to scores."""

import re

import pytest

from microgrrepresent import Graph
from rnn.command_line.commands import main
from rnn.command_line.illustration import ILLUSTRATED
from rnn.command_line.models import MODELS, Choices

ENCODER = "x_t = E[token_t]\nh_t = tanh(x_t W_ihᵀ + h_{t-1} W_hhᵀ + b_ih + b_hh)\n"
DECODER = {
    "seq2seq": ENCODER + "y_t = h_t Vᵀ + b_y\nh_0 = C\n",
    "attention": """\
e_t = sum(v_a ⊙ tanh(h_{t-1} W_aᵀ + S U_aᵀ))
α_t = softmax(e_t)
C_t = sum(α_t ⊙ S)
x_t = E[token_t]
h_t = tanh([x_t, C_t] W_ihᵀ + h_{t-1} W_hhᵀ + b_ih + b_hh)
y_t = h_t Vᵀ + b_y
""",
}
HANDED_ON = {"seq2seq": "C = h_T\n", "attention": "S = [h_1, ..., h_T]\n"}


def printed(capsys, *arguments):
    assert main(["equations", *arguments]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("name", HANDED_ON)
def test_an_encoder_hands_on_what_its_decoder_reads(capsys, name):
    text = printed(capsys, "--model", name, "--cell", "rnn")
    encoder, decoder = text.removeprefix("encoder:\n").split("\ndecoder:\n")
    assert encoder.partition("where\n")[0] == ENCODER + HANDED_ON[name]
    assert decoder.partition("where\n")[0] == DECODER[name]


@pytest.mark.parametrize("name", ["tagger", "classifier", "language-model"])
def test_words_come_in_and_scores_go_out(capsys, name):
    text = printed(capsys, "--model", name, "--cell", "rnn")
    assert text.partition("where\n")[0] == ENCODER + "y_t = h_t Vᵀ + b_y\n"
    assert "E = embedding.weight" in text and "V = head.weight" in text


@pytest.mark.parametrize("name", [*HANDED_ON, "tagger"])
@pytest.mark.parametrize("cell", ILLUSTRATED)
def test_every_parameter_of_the_model_stands_in_its_equations(capsys, name, cell):
    """As many in the legend as there are in the graph."""
    text = printed(capsys, "--model", name, "--cell", cell)
    legends = [part.partition("\nwhere\n")[2] for part in text.split("\ndecoder:\n")]
    found = sum(len(set(re.findall(r"[a-z]\w*[.](?!tau)\w+", legend))) for legend in legends)
    graph = Graph(MODELS[name].record(Choices(steps=2, cell=cell)).loss)
    assert found == len([node for node in graph if node.op is None and node.requires_grad])


def test_what_is_handed_on_has_the_letters_of_the_course_and_the_mark_of_its_layer(capsys):
    chosen = ["--model", "attention", "--layers", "2", "--notation", "ng"]
    assert "S = [a^(2)<1>, ..., a^(2)<T>]" in printed(capsys, *chosen)
    assert "S = [y^(2)<1>, ..., y^(2)<T>]" in printed(capsys, *chosen, "--bidirectional")
