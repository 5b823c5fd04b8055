"""What draw, bptt, explain and equations can show: each model is run by each of them."""

import numpy as np
import pytest

from microgrrepresent import Graph, Tensor, backward, draw, fold
from microgrrepresent.drawing.marks.labels import plain
from microgrrepresent.equations import NOTATIONS
from rnn.command_line.commands import main
from rnn.command_line.illustration import ILLUSTRATED, illustration
from rnn.command_line.models import MODELS, TYPES, Choices
from tests.rnn.command_line.typed import refused

ENGLISH, CHINESE = "I went to the game yesterday", "我 昨天 去 看 比赛"
GIVEN = {
    "steps": ["--steps", "3"],
    "cell": ["--cell", "gru-before"],
    "layers": ["--layers", "2"],
    "bidirectional": ["--bidirectional"],
    "per_gate": ["--per-gate"],
    "output": ["--output", "last"],
    "words": ["--words", ENGLISH],
    "to": ["--to", CHINESE],
    "free": ["--free"],
}
WITH_LOSS = [name for name in MODELS if name != "types"]


def everything(name):
    """All that a model takes, said at once, but what decoders read in place of what is given."""
    takes = set(MODELS[name].takes) - {"free"}
    takes -= {"steps"} if "words" in takes else set()
    return ["--model", name, *(word for choice in sorted(takes) for word in GIVEN[choice])]


@pytest.mark.parametrize("name", list(MODELS))
def test_every_model_is_drawn(tmp_path, name):
    for chosen in (["--model", name], everything(name)):
        assert main(["draw", *chosen, "-o", "a.svg"]) == 0
    text = (tmp_path / "a.svg").read_text("utf-8")
    assert all(word in text for word in (ENGLISH.split() if "words" in MODELS[name].takes else []))
    assert all(word in text for word in (CHINESE.split() if "to" in MODELS[name].takes else []))


@pytest.mark.parametrize("name", WITH_LOSS)
def test_gradients_of_every_model_reach_every_parameter(name):
    run = MODELS[name].record(Choices(steps=3))
    adjoints = backward(run.loss)
    parameters = [n for n in Graph(run.loss) if n.op is None and n.requires_grad]
    assert parameters and all(np.abs(adjoints[p]).sum() > 0 for p in parameters)


@pytest.mark.parametrize("name", list(MODELS))
def test_a_choice_counts_or_is_refused(capsys, name):
    for choice, words in GIVEN.items():
        if choice not in MODELS[name].takes:
            said = refused(capsys, "draw", "--model", name, *words)
            assert f"--model {name} takes no {words[0]}" in said
        elif choice not in ("words", "to", "free"):
            value = {"steps": 3, "cell": "gru", "layers": 2, "output": "last"}.get(choice, True)
            plain = MODELS[name].record(Choices())
            other = MODELS[name].record(Choices(**{choice: value}))
            assert len(list(Graph(plain.loss))) != len(list(Graph(other.loss)))


@pytest.mark.parametrize("name", WITH_LOSS)
def test_every_model_is_explained_and_has_a_page(capsys, tmp_path, name):
    assert main(["explain", "--model", name, "--steps", "3", "--notation", "nndl"]) == 0
    assert " with respect to " in capsys.readouterr().out
    assert main(["bptt", "--model", name, "--steps", "3"]) == 0
    assert "backpropagation through time" in (tmp_path / "bptt.html").read_text("utf-8")


def test_the_parameter_to_explain_is_chosen_by_name(capsys):
    assert main(["explain", "--cell", "rnn", "--of", "V"]) == 0
    assert "with respect to V" in capsys.readouterr().out
    said = refused(capsys, "explain", "--cell", "rnn", "--of", "Q")
    assert "no parameter 'Q'; there are " in said and "W_hh" in said


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm-peephole"])
def test_equations_are_those_of_the_layer(capsys, cell, notation):
    assert main(["equations", "--cell", cell, "--notation", notation]) == 0
    assert capsys.readouterr().out == illustration(cell, 1)[1].equations(notation) + "\n"


@pytest.mark.parametrize("name", [n for n in MODELS if n not in ("tree", "types")])
def test_every_model_with_steps_has_equations(capsys, name):
    assert main(["equations", "--model", name]) == 0
    assert "tanh" in capsys.readouterr().out


def test_what_has_no_equations_and_no_loss(capsys):
    assert "no equations of one step" in refused(capsys, "equations", "--model", "tree")
    for verb in (["explain"], ["bptt"], ["draw", "--gradients"]):
        assert "--model types has no loss" in refused(capsys, *verb, "--model", "types")
    assert "rnn has no gates" in refused(capsys, "draw", "--cell", "rnn", "--per-gate")
    words = ["--model", "tagger", "--words", ENGLISH]
    assert "leave out one of the two" in refused(capsys, "draw", *words, "--time", "folded")
    assert "leave out --steps" in refused(capsys, "draw", *words, "--steps", "3")


@pytest.mark.parametrize("cell", list(ILLUSTRATED))
def test_layers_in_two_directions_give_the_numbers_of_a_call(cell):
    _, layer = illustration(cell, 2, layers=2, bidirectional=True)
    xs = np.random.default_rng(3).standard_normal((5, 3))
    shown = layer.by_step([Tensor(x) for x in xs])
    np.testing.assert_array_equal([h.numpy() for h in shown], layer(xs)[0].numpy())


def test_only_the_last_output_and_its_loss():
    L, _ = illustration("gru", 5, output="last")
    (said,), (target,) = (Graph(L).find(name) for name in ("ŷ", "target"))
    assert said.step == 5
    assert float(L) == pytest.approx(((said.value - target.value) ** 2).sum())
    assert fold(Graph(L)).delays


@pytest.mark.parametrize("name", ["seq2seq", "attention"])
@pytest.mark.parametrize("command", ["draw", "explain", "equations", "bptt"])
def test_a_decoder_that_runs_freely_reads_what_it_has_written(command, name):
    assert main([command, "--model", name, "--free", "--steps", "3", "--cell", "gru"]) == 0
    graph = Graph(MODELS[name].record(Choices(steps=3, free=True)).loss)
    read = [n for n in graph if n.name == "ŷ"]
    assert [n.step for n in read] == [0, 1, 2]
    assert [n.parents[0].name for n in read[1:]] == ["y", "y"]


def test_words_stand_below_their_vectors_and_beside_the_losses():
    """Upright and without an index, also the last one, which no decoder reads."""
    words = {"words": tuple(ENGLISH.split()), "to": tuple(CHINESE.split())}
    for name in ("seq2seq", "attention"):
        run = MODELS[name].record(Choices(**words))
        picture = draw(run.loss, "cells").picture
        read, wanted = [], []
        for arrow in picture.arrows:
            if arrow.tail.kind == "input":
                ((word,),) = arrow.tail.label
                assert not word.italic and word.level == "base"
                (read if plain(arrow.head.label)[0] == "x" else wanted).append(word.text)
        assert read == [*words["words"], "<s>", *words["to"][:-1]]
        assert wanted == list(words["to"])
        boxes = {plain(box.label) for box in picture.boxes if box.kind == "cell"}
        assert boxes == {"encoder", "decoder"}


def test_a_picture_of_attention_shows_what_an_untrained_model_computes():
    run = MODELS["attention"].record(Choices(steps=3))
    weights = [node.value[:, 0] for node in Graph(run.loss).find("α")]
    shown = [a for a in draw(run.loss, "cells", values=True).picture.arrows if a.flow == "weight"]
    for t, alpha in enumerate(weights, start=1):
        labels = [f"α_{t},{k}, {share:.2f}" for k, share in enumerate(alpha, start=1)]
        assert [plain(a.label) for a in shown[3 * t - 3 : 3 * t]] == labels
    parameters = [n for n in Graph(run.loss) if n.op is None and n.requires_grad]
    assert max(np.abs(p.value).max() for p in parameters if p.name in ("U_a", "v_a")) <= 0.5


def test_the_five_types_read_and_write_at_their_steps():
    graph = Graph(MODELS["types"].record(Choices()).loss)
    for name, steps in TYPES.items():
        for letter, expected in zip("xy", steps, strict=True):
            found = [n.step for n in graph.find(letter) if n.scope == name]
            assert tuple(found) == expected
