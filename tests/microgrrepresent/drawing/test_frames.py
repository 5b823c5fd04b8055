"""A backward pass in motion: one layout, what is there when, and the files it is written to."""

import io
import re
from itertools import pairwise

import numpy as np
import pytest

from microgrrepresent import DrawingError, Tensor, backward, frames, save, tanh
from microgrrepresent.drawing.layout.gradients import norm_line
from microgrrepresent.drawing.marks.labels import plain
from rnn import RNNCell, unroll
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
    ]


def test_nothing_moves(made):
    for drawing in made[1:]:
        for before, after in zip(made[0].picture.boxes, drawing.picture.boxes, strict=True):
            assert (before.x, before.y, before.width) == (after.x, after.y, after.width)
            assert (before.name, before.kind) == (after.name, after.kind)


def test_forward_what_is_not_computed_yet_is_faint(made):
    for until, drawing in enumerate(made[:T], 1):
        for box in drawing.picture.boxes:
            steps = {node.step for node in box.nodes if node.parents and node.step is not None}
            if steps:
                assert box.faint == (max(steps) > until), (until, plain(box.label))
    assert [box.faint for box in made[T - 1].picture.boxes if plain(box.label) == "L"] == [True]
    for drawing in made[T:]:
        assert not any(box.faint for box in drawing.picture.boxes if box.kind != "bar")


def test_no_gradient_is_there_before_the_loss_and_none_goes_again(made):
    back = [
        {(a.tail.name, a.head.name) for a in drawing.picture.arrows if a.flow == "gradient"}
        for drawing in made
    ]
    assert not any(back[: T + 1])
    assert all(a < b for a, b in pairwise(back[T + 1 :]))


def test_gradients_arrive_at_the_last_step_first(made):
    for since, drawing in zip((3, 2, 1), made[-T:], strict=True):
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
    (W,) = {n for box in made[0].picture.legend for n in box.nodes if n.name == "W_hh"}
    terms = adjoints.by_step(W)
    for since, drawing in zip((3, 2, 1), made[-T:], strict=True):
        (box,) = [b for b in drawing.picture.legend if any(n is W for n in b.nodes)]
        arrived = sum(term for t, term in terms.items() if t >= since)
        assert box.label[-1] == norm_line(float(np.linalg.norm(arrived)))
        chips = [
            b for b in drawing.picture.boxes if b.kind == "chip" and any(n is W for n in b.nodes)
        ]
        assert sum(len(plain(chip.label).split(", ")[-1]) > 0 for chip in chips) == 4 - since
    assert box.label[-1] == norm_line(float(np.linalg.norm(adjoints[W])))


def test_a_bar_in_each_parameter_fills_as_its_terms_arrive(loss, made):
    adjoints = backward(loss)
    (W,) = {n for box in made[0].picture.legend for n in box.nodes if n.name == "W_ih"}
    norms = {t: np.linalg.norm(term) for t, term in adjoints.by_step(W).items()}
    for since, drawing in zip((*[np.inf] * (T + 2), 3, 2, 1), made, strict=True):
        (box,) = [b for b in drawing.picture.legend if any(n is W for n in b.nodes)]
        parts = [b for b in drawing.picture.boxes if b.kind == "bar" and box.left < b.x < box.right]
        assert [b.faint for b in parts] == [t < since for t in (3, 2, 1)]
        shares = np.array([b.width for b in parts]) / sum(b.width for b in parts)
        np.testing.assert_allclose(shares, [norms[t] / sum(norms.values()) for t in (3, 2, 1)])
        for before, after in pairwise(parts):
            assert before.right == pytest.approx(after.left)
        assert box.left < parts[0].left and parts[-1].right < box.right
        assert box.bottom < parts[0].bottom and parts[0].top < box.y


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
            seen.append(np.asarray(image.convert("L"), float).mean())
    assert all(a > b for a, b in pairwise(seen))  # more and more ink


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
    page.get_by_role("button", name="On").click()
    assert shown() == ["forward, t = 3"] and page.inner_text("#at") == "3 / 8"
    page.keyboard.press("ArrowLeft")
    assert shown() == ["forward, t = 2"]
