"""A backward pass in motion: one layout, what is there when, and the files it is written to."""

import io
import re
import warnings
from itertools import pairwise

import numpy as np
import pytest

from microgrrepresent import (
    DrawingError,
    Graph,
    Tensor,
    backward,
    draw,
    frames,
    save,
    step,
    steps,
    tanh,
)
from microgrrepresent.drawing.layout.gradients import norm_line
from microgrrepresent.drawing.marks.labels import plain
from microgrrepresent.drawing.output import animated
from microgrrepresent.drawing.time.playback import playback
from rnn import GRU, LSTM, RNNCell, unroll
from rnn.command_line.illustration import illustration

T = 3


@pytest.fixture(scope="module")
def loss():
    return illustration("lstm", T)[0]


@pytest.fixture(scope="module")
def made(loss):
    return frames(loss)


def test_there_are_as_many_frames_back_as_forward(made):
    names = [f"t = {t}" for t in (1, 2, 3)]
    assert [drawing.picture.title for drawing in made] == [
        *[f"forward, {name}" for name in (*names, "the loss")],
        *[f"backward, {name}" for name in ("the loss", *names[::-1])],
        "the sums over time",
    ]


def lasting(drawing):
    """The boxes by their names, without the halos."""
    boxes = drawing.picture.boxes
    return {box.name: box for box in boxes if box.kind not in ("halo", "note")}


def test_nothing_moves(made):
    first = lasting(made[0])
    for drawing in made[1:]:
        boxes = lasting(drawing)
        assert boxes.keys() == first.keys()
        for name, box in boxes.items():
            before = first[name]
            assert (before.x, before.y, before.width) == (box.x, box.y, box.width)
        assert drawing.picture.frame() == pytest.approx(made[0].picture.frame(), abs=1e-6)


def test_a_line_above_says_what_a_frame_is_about(made):
    for drawing in made:
        (heading,) = [box for box in drawing.picture.boxes if box.name == "heading"]
        assert plain(heading.label) == drawing.picture.title
        assert heading.bottom > max(b.top for b in lasting(drawing).values())


def test_what_a_frame_is_about_has_a_halo(made):
    for t, drawings in {1: (made[0], made[-2]), 2: (made[1], made[-3])}.items():
        for drawing in drawings:
            boxes = {box.name: box for box in drawing.picture.boxes}
            halos = [box for box in boxes.values() if box.kind == "halo"]
            around = [boxes[halo.name.removeprefix("halo ")] for halo in halos]
            computed = [box for box in around if box.kind != "bar"]
            assert {node.step for box in computed for node in box.nodes} == {t}
            assert {"h", "c", "ŷ"} <= {node.name for box in computed for node in box.nodes}
            for halo, box in zip(halos, around, strict=True):
                assert (halo.x, halo.y, halo.is_round) == (box.x, box.y, box.is_round)
                order = list(boxes.values())
                assert halo.width > box.width and order.index(halo) < order.index(box)
    assert not [box for box in made[-1].picture.boxes if box.kind == "halo"]


def test_forward_what_is_not_computed_yet_is_faint(made):
    for until, drawing in enumerate(made[:T], 1):
        for box in drawing.picture.boxes:
            steps = {node.step for node in box.nodes if node.parents and node.step is not None}
            if steps:
                assert box.faint == (max(steps) > until), (until, plain(box.label))
        for panel in drawing.picture.panels:
            assert panel.faint == (panel.column > until)
    assert [box.faint for box in made[T - 1].picture.boxes if plain(box.label) == "L"] == [True]
    for drawing in made[T:]:
        assert not any(panel.faint for panel in drawing.picture.panels)
        assert not any(box.faint for box in drawing.picture.boxes if box.kind != "bar")


def test_no_gradient_is_there_before_the_loss_and_none_goes_again(made):
    back = [
        {(a.tail.name, a.head.name) for a in drawing.picture.arrows if a.flow == "gradient"}
        for drawing in made
    ]
    assert not any(back[: T + 1])
    assert all(a < b for a, b in pairwise(back[T + 1 : -1])) and back[-1] == back[-2]


def test_gradients_that_arrive_are_stronger_than_they_are_later(made):
    before, arriving, later = (
        {
            (a.tail.name, a.head.name): a.strength
            for a in drawing.picture.arrows
            if a.flow == "gradient"
        }
        for drawing in made[-5:-2]
    )
    new = {ends: strength for ends, strength in arriving.items() if ends not in before}
    assert len(new) > 10
    for ends, strength in new.items():
        assert later[ends] == pytest.approx(0.15 * strength)


def test_gradients_arrive_at_the_last_step_first(made):
    for since, drawing in zip((3, 2, 1), made[-T - 1 : -1], strict=True):
        steps = [
            node.step
            for arrow in drawing.picture.arrows
            if arrow.flow == "gradient"
            for node in arrow.tail.nodes
            if node.step is not None
        ]
        assert min(steps) == since


def test_the_sum_of_a_parameter_grows_to_its_gradient(loss, made):
    adjoints = backward(loss)
    (W,) = {n for box in made[0].picture.boxes for n in box.nodes if n.name == "W_hh"}
    terms = adjoints.by_step(W)
    for since, drawing in zip((3, 2, 1), made[-T - 1 : -1], strict=True):
        (box,) = parameters_of(drawing, W)
        arrived = sum(term for t, term in terms.items() if t >= since)
        assert box.label[-1] == norm_line(float(np.linalg.norm(arrived)))
        chips = [
            b for b in drawing.picture.boxes if b.kind == "chip" and any(n is W for n in b.nodes)
        ]
        assert sum(len(chip.label) == 2 for chip in chips) == 4 - since
    assert box.label[-1] == norm_line(float(np.linalg.norm(adjoints[W])))


def parameters_of(drawing, node):
    boxes = drawing.picture.boxes
    return [b for b in boxes if b.kind == "parameter" and any(n is node for n in b.nodes)]


@pytest.mark.parametrize("options", [{}, {"rails": True}, {"view": "cells"}, {"view": "variables"}])
def test_in_the_end_each_parameter_says_what_it_says_in_the_drawing(loss, options):
    view = options.get("view", "gates")
    still = draw(loss, view, gradients=backward(loss), rails=options.get("rails", False))
    said = {box.name: plain(box.label) for box in still.picture.boxes if box.kind == "parameter"}
    first, *_, last = frames(loss, **options)
    found = [box for box in last.picture.boxes if box.kind == "parameter"]
    assert len(found) >= len(said)
    for box in found:
        assert plain(box.label) == said[box.name.removeprefix("sum ")]
    for box in first.picture.boxes:
        if box.kind == "parameter" and box.name.removeprefix("sum ") in said:
            assert len(box.label) == 1


def test_a_bias_that_is_made_of_two_counts_once():
    output, _ = LSTM(3, 4, rng=0)(np.random.default_rng(0).normal(size=(3, 3)))
    loss = (output**2).sum().named("L")
    bias = next(n for n in Graph(loss) if n.name == "b_ih")
    *_, last = frames(loss)
    (box,) = parameters_of(last, bias)
    norm = np.linalg.norm(backward(loss)[bias])
    assert box.label[-1] == norm_line(float(norm))


def test_a_bar_beside_each_parameter_fills_as_its_terms_arrive(loss, made):
    adjoints = backward(loss)
    (W,) = {n for box in made[0].picture.boxes for n in box.nodes if n.name == "W_ih"}
    norms = {t: np.linalg.norm(term) for t, term in adjoints.by_step(W).items()}
    for since, drawing in zip((*[np.inf] * (T + 2), 3, 2, 1, 0), made, strict=True):
        (box,) = parameters_of(drawing, W)
        parts = [b for b in drawing.picture.boxes if b.kind == "bar" and box.name in b.name]
        parts.sort(key=lambda part: part.x)
        assert [b.faint for b in parts] == [t < since for t in (3, 2, 1)]
        shares = np.array([b.width for b in parts]) / sum(b.width for b in parts)
        np.testing.assert_allclose(shares, [norms[t] / sum(norms.values()) for t in (3, 2, 1)])
        for t, part in zip((3, 2, 1), parts, strict=True):
            assert plain(part.label) in ("", str(t)) and (t >= since or not part.label)
        for before, after in pairwise(parts):
            assert before.right == pytest.approx(after.left)
        assert box.right < parts[0].left and box.bottom < parts[0].bottom < parts[0].top < box.top


def test_the_sums_stand_below_everything_and_within_the_page(made):
    for drawing in made:
        boxes = lasting(drawing).values()
        sums = [box for box in boxes if box.kind == "bar" or box.name.startswith("sum ")]
        left, low, right, _ = drawing.picture.frame()
        assert all(left < box.left and box.right < right and low < box.bottom for box in sums)
        assert max(b.top for b in sums) < min(b.bottom for b in boxes if b not in sums)


def test_without_a_legend_there_are_no_sums(loss):
    for drawing in frames(loss, legend=False):
        kinds = {box.kind for box in drawing.picture.boxes}
        assert kinds.isdisjoint({"parameter", "bar"}) and "chip" in kinds


def test_small_letters_are_said_once_where_the_frames_were_asked_for(loss):
    with pytest.warns(UserWarning, match="frames: on this page the letters are") as said:
        frames(illustration("lstm", 8)[0], view="operations")
    (one,) = said
    assert one.filename == __file__ and "window" not in str(one.message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frames(loss)


def two_directions(layers):
    rng = np.random.default_rng(0)
    layer = GRU(2, 3, num_layers=layers, bidirectional=True, rng=0)
    output, _ = layer(rng.normal(size=(3, 2)))
    return (output * output).sum().named("L")


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("view", ["cells", "operations"])
def test_nothing_is_there_before_what_it_is_made_of(layers, view):
    for drawing in frames(two_directions(layers), view=view):
        for arrow in drawing.picture.arrows:
            if arrow.flow != "gradient":
                assert arrow.head.faint or not arrow.tail.faint, drawing.picture.title


def test_two_directions_go_to_the_end_and_back():
    drawn = frames(two_directions(1), view="cells")
    ways = ["→ t = 1", "→ t = 2", "t = 3", "← t = 2", "← t = 1", "the loss"]
    titles = [f"forward, {way}" for way in ways] + [f"backward, {way}" for way in ways[::-1]]
    assert [d.picture.title for d in drawn] == [*titles, "the sums over time"]


def test_a_parameter_that_both_directions_use_grows_at_both():
    W = Tensor(np.eye(2), requires_grad=True, name="W")
    forth, back = Tensor(np.ones(2), name="h"), Tensor(np.ones(2), name="g")
    xs = np.ones((2, 2))
    for _, x in steps(xs):
        forth = tanh(W @ forth + x).named("h")
    for t in (2, 1):
        with step(t):
            back = tanh(W @ back + xs[t - 1]).named("g")
    loss = (forth * back).sum().named("L")
    adjoints, terms = backward(loss), []
    order = playback(Graph(loss))
    terms = adjoints.by_use(W, order.of_step)
    assert order.steps == (1, 2, 1) and list(terms) == [1, 2, 3]
    np.testing.assert_allclose(sum(terms.values()), adjoints[W])
    np.testing.assert_allclose(terms[1] + terms[3], adjoints.by_step(W)[1])


def test_time_is_that_of_the_computation():
    run = unroll(RNNCell(2, 3, rng=0), np.ones((3, 2)), reverse=True)
    drawn = frames((run.state**2).sum().named("L"))
    assert [d.picture.title for d in drawn][:3] == [f"forward, t = {t}" for t in (3, 2, 1)]


def test_a_loss_without_steps_is_refused_and_so_is_a_window(loss):
    x = Tensor(1.0, requires_grad=True, name="x")
    with pytest.raises(DrawingError, match="computed without time steps; record them with"):
        frames(tanh(x))
    with pytest.raises(DrawingError, match="window= cannot be given"):
        frames(loss, window=(1, 1))


# --- files ---------------------------------------------------------------------------------------


def test_a_page_shows_one_frame_at_a_time(made, tmp_path):
    text = save(made, tmp_path / "bptt.html").read_text("utf-8")
    assert text.count("<figure hidden>") == text.count('role="img"') == len(made)
    ids = re.findall(r' id="([^"]*)"', text)
    assert len(set(ids)) == len(ids)
    assert not re.search(r'(?:src|href)="', text)


def test_a_gif_moves(made, tmp_path):
    Image = pytest.importorskip("PIL.Image")
    with Image.open(save(made, tmp_path / "bptt.gif", dpi=50)) as image:
        assert image.n_frames == len(made) and image.info["loop"] == 0
        seen = []
        for k in range(image.n_frames):
            image.seek(k)
            assert image.info["duration"] == (2400 if k == len(made) - 1 else 1200)
            seen.append(np.asarray(image.convert("RGB"), float))
    assert all((a != b).any() for a, b in pairwise(seen))


def test_what_is_kept_from_the_frame_before_is_as_if_drawn_anew(made):
    """To the pixel: so a frame's changes are all found, and all that reaches into them is drawn."""
    Image = pytest.importorskip("PIL.Image")
    kept = animated._images(made, 144)
    for k in (1, T + 1, len(made) - 2, len(made) - 1):
        with Image.open(io.BytesIO(made[k].png(144))) as image:
            assert (np.asarray(image.convert("RGB")) == np.asarray(kept[k])).all(), k


def test_only_what_changes_is_drawn_again(made):
    changes = [animated._change(before, after) for before, after in pairwise(made)]
    for drawing, change in zip(made[1:], changes, strict=True):
        areas, part = change
        assert areas and len(part.picture.boxes) < len(drawing.picture.boxes)
    changed = draw(illustration("rnn", 2)[0])
    changed.attr(bgcolor="red")
    assert animated._change(changed, changed) is None


def test_a_pdf_has_a_page_a_frame(made, tmp_path):
    pypdf = pytest.importorskip("pypdf")
    pages = pypdf.PdfReader(io.BytesIO(save(made, tmp_path / "bptt.pdf").read_bytes())).pages
    assert len(pages) == len(made)
    assert len({(page.mediabox.width, page.mediabox.height) for page in pages}) == 1


def test_several_drawings_have_formats_of_their_own(made, tmp_path):
    with pytest.raises(DrawingError, match=r"one of \.html \.gif \.pdf \.pptx of several drawings"):
        save(made, tmp_path / "bptt.svg")
    with pytest.raises(DrawingError, match="came too late"):
        save(made, tmp_path / "bptt.html", view="cells")


@pytest.mark.browser
def test_arrow_keys_go_on_and_back(made, tmp_path, open_page):
    page = open_page(save(made, tmp_path / "bptt.html"), 1280, 800)

    def shown():
        return page.locator("figure:visible figcaption").all_inner_texts()

    assert shown() == ["forward, t = 1"]
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Next").click()
    assert shown() == ["forward, t = 3"] and page.inner_text("#at") == "3 / 9"
    page.keyboard.press("ArrowLeft")
    assert shown() == ["forward, t = 2"]
    page.get_by_role("button", name="Play").click()
    page.locator("#at", has_text="4 / 9").wait_for()
    page.get_by_role("button", name="Pause").click()
