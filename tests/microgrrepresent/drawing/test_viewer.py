"""The page of a drawing: its data against the engine, and the page itself in a real browser."""

import json
import re
from itertools import count

import numpy as np
import pytest

from microgrrepresent import (
    Graph,
    Tensor,
    backward,
    draw,
    primitive,
    save,
    source_lines,
    steps,
    tanh,
)
from microgrrepresent.drawing.page.array_data import FULL
from microgrrepresent.drawing.page.node_data import Wording, wording
from microgrrepresent.drawing.page.viewer_data import viewer_data
from microgrrepresent.equations import Notation
from microgrrepresent.primitive import registry
from rnn import LSTMCell, mse_loss, sequence_loss, unroll
from rnn.command_line.illustration import illustration

T = 3


def lstm(length=T, hidden=4, batch=()):
    rng = np.random.default_rng(0)
    with source_lines():
        outputs = unroll(LSTMCell(2, hidden, rng=0), rng.normal(size=(length, *batch, 2))).outputs
        return sequence_loss(mse_loss, outputs, rng.normal(size=(length, *batch, hidden)))


def drawn_with_gradients(view="gates", **options):
    loss = lstm()
    return draw(loss, view, gradients=backward(loss), **options)


def data_of(drawing):
    """What the page says of each box, put together as its script does it."""
    data = viewer_data(drawing.drawn, drawing.picture)
    json.dumps(data, allow_nan=False)

    def array(i):
        form, norm, *rest = data["arrays"][i]
        shape = data["shapes"][form]
        if isinstance(rest[0], list):
            return {"shape": shape, "norm": norm, "full": rest[0]}
        return {"shape": shape, "norm": norm, "map": rest[0]}

    def text(said, step):
        if not isinstance(said, list):
            return said
        return "".join(str(step + p) if isinstance(p, int) else p for p in said)

    def node(said, step, value, adjoint=None):
        told = {key: text(one, step) for key, one in data["texts"][said].items()}
        told["value"] = array(value)
        return told if adjoint is None else {**told, "adjoint": array(adjoint)}

    nodes = [node(*told) for told in data["nodes"]]
    boxes = {f"b{i}": {"nodes": told} for i, told in enumerate(data["boxes"], 1)}
    for i, more in data["more"].items():
        boxes[f"b{i}"] |= more
        if "part" in more:
            boxes[f"b{i}"]["part"] = array(more["part"])
    ends = iter(data["arrows"])
    arrows = {f"e{i}": pair for i, pair in enumerate(zip(ends, ends, strict=True), 1)}
    return {"nodes": nodes, "boxes": boxes, "arrows": arrows}


def id_of(drawing, name, step):
    return next(
        f"b{i}"
        for i, box in enumerate(drawing.picture.boxes, 1)
        if box.kind != "chip" and any(n.name == name and n.step == step for n in box.nodes)
    )


def of_box(drawing, data, label, step):
    """What the page says of the variable of a name at a step."""
    return data["nodes"][data["boxes"][id_of(drawing, label, step)]["nodes"][-1]]


# --- the data -------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", ["operations", "variables", "gates", "cells"])
def test_every_box_tells_of_nodes_that_stand_in_it_with_the_engines_numbers(view):
    drawing = drawn_with_gradients(view)
    data, graph, gradients = data_of(drawing), drawing.drawn.graph, drawing.drawn.gradients
    by_name = {(n.name, n.step): n for n in graph if n.name}
    for i, box in enumerate(drawing.picture.boxes, 1):
        told = [data["nodes"][k] for k in data["boxes"][f"b{i}"]["nodes"]]
        assert told
        for node in told:
            name, _, step = node["plain"].partition(" at t = ")
            own = by_name.get((name, int(step) if step else None))
            if own is None:
                continue
            assert any(own is n for n in box.nodes)
            assert node["value"]["norm"] == pytest.approx(np.linalg.norm(own.value), rel=1e-3)
            assert ("adjoint" in node) == (own in gradients)
            if own in gradients and own.size <= FULL:
                shown = np.array(node["adjoint"]["full"], float).reshape(own.shape)
                np.testing.assert_allclose(shown, gradients[own], rtol=1e-3, atol=1e-300)


def test_a_chip_says_what_came_back_from_its_use():
    drawing = drawn_with_gradients()
    data, gradients = data_of(drawing), drawing.drawn.gradients
    (W,) = [n for n in drawing.drawn.graph.parameters if n.name == "W_hh"]
    parts = [
        np.array(data["boxes"][f"b{i}"]["part"]["norm"])
        for i, box in enumerate(drawing.picture.boxes, 1)
        if box.kind == "chip" and box.nodes[0] is W
    ]
    terms = [np.linalg.norm(term) for term in gradients.by_step(W).values()]
    np.testing.assert_allclose(sorted(parts), sorted(terms), rtol=1e-3)


def test_a_node_says_its_formula_and_its_line_of_code():
    drawing = drawn_with_gradients()
    c = of_box(drawing, data_of(drawing), "c", 2)
    assert c["whole"] == (
        "= <i>f</i><sub>2</sub> ⊙ <i>c</i><sub>1</sub> + "
        "<i>i</i><sub>2</sub> ⊙ <i>g</i><sub>2</sub>"
    )
    assert c["gradient"] == "∂<i>L</i>/∂<i>c</i><sub>2</sub>"
    assert re.fullmatch(r"rnn/cells/lstm\.py:\d+ in LSTMCell\.forward", c["at"])
    assert c["code"][1] == "kept + i * g"
    plain = draw(illustration("lstm", 2)[0])
    assert not any("at" in node or "adjoint" in node for node in data_of(plain)["nodes"])


def test_formulas_are_in_the_letters_of_the_drawing():
    loss = illustration("rnn", 2)[0]
    drawing = draw(loss, labels="nndl", gradients=backward(loss))
    h = of_box(drawing, data_of(drawing), "h", 2)
    assert h["equation"] == "<i>h</i><sub>2</sub> = tanh(<i>z</i><sub>2</sub>)"
    own = draw(loss, labels={"h": "hidden"})
    assert of_box(own, data_of(own), "h", 2)["name"] == "<i>hidden</i><sub>2</sub>"


def test_every_drawing_has_a_page(drawn):
    data = data_of(drawn.drawing)
    assert set(data["boxes"]) == set(drawn.nodes)
    assert set(data["arrows"]) == set(drawn.edges)
    assert all(box["nodes"] or box.get("words") for box in data["boxes"].values())


def test_every_folded_drawing_has_a_page(folded):
    assert set(data_of(folded.drawing)["boxes"]) == set(folded.nodes)


def test_an_operation_whose_name_makes_no_formula_is_told_as_a_call():
    double = primitive("two times", lambda x: 2 * x, (lambda g, y, x: 2 * g,), doc="twice x")
    try:
        y = double(Tensor(1.0, name="x")).named("y")
        (node,) = [n for n in data_of(draw(y))["nodes"] if n.get("plain") == "y"]
    finally:
        del registry["two times"]
    assert node["call"] == "two times x" and "equation" not in node


def test_empty_arrays_have_no_numbers():
    x = Tensor(np.zeros((2, 0)), name="x")
    (x_data, _) = data_of(draw((x * 2).named("y")))["nodes"][:2]
    assert (x_data["value"]["shape"], x_data["value"]["full"]) == ([2, 0], [])


STRANGE = [
    '</script><script>alert("1")</script>',
    "<img src=x onerror=alert(2)>",
    "a\"b'c&d",
    "\ud800",
]


def strange():
    w = Tensor([0.5, 2.0], requires_grad=True, name=STRANGE[0])
    h = Tensor([1.0, 1.0], name=STRANGE[3])
    with source_lines():
        for _, x in steps([Tensor([1.0, 2.0], name=STRANGE[1])]):
            h = tanh(w * h + x).named(STRANGE[2])  # </pre><img src=x onerror=alert(3)>
    return (h * h).sum()


def test_the_file_is_one_and_asks_for_nothing(tmp_path):
    path = save(drawn_with_gradients(), tmp_path / "lstm.html")
    text = path.read_text("utf-8")
    assert not re.search(r'(src|href)\s*=\s*"(?!#)', text)
    assert set(re.findall(r"https?://[\w./]+", text)) <= {"http://www.w3.org/2000/svg"}
    assert [p.name for p in tmp_path.iterdir()] == ["lstm.html"]
    assert path.stat().st_size < 400_000
    once = path.read_bytes()
    assert save(drawn_with_gradients(), path).read_bytes() == once


def test_what_holds_at_every_step_is_said_once():
    short, long = (viewer_data(d.drawn, d.picture) for d in (draw(lstm(n)) for n in (4, 40)))
    assert len(long["texts"]) == len(short["texts"]) < len(short["nodes"]) / 2
    assert len({json.dumps(array) for array in long["arrays"]}) == len(long["arrays"])


def test_a_step_costs_the_page_little_more_than_its_drawing(tmp_path):
    sizes = {}
    for n in (10, 30):
        loss = lstm(n, hidden=32)
        drawing = draw(loss, "gates", gradients=backward(loss))
        for ending in ("svg", "html"):
            sizes[n, ending] = save(drawing, tmp_path / f"a.{ending}").stat().st_size
    page, svg = ((sizes[30, ending] - sizes[10, ending]) / 20 for ending in ("html", "svg"))
    assert page < 12_000 and page < 0.9 * svg


def test_texts_for_any_step_are_those_of_each_step():
    graph = Graph([illustration("lstm", 4)[0], lstm(3)])
    notation = Notation(adjoint="partial")
    each, any_step = (wording(graph, notation, "save", any_step=any) for any in (False, True))

    def at(step, text):
        return re.sub("\0([^\0]*)\0", lambda by: str(step + int(by[1])), text)

    told = [node for node in graph if node.step is not None]
    for node in told:
        for say in (Wording.name, Wording.plain, Wording.where, Wording.gradient):
            assert at(node.step, say(any_step, node)) == say(each, node)
        if node.op is not None:
            assert at(node.step, any_step.equation(node)) == each.equation(node)
            assert at(node.step, any_step.whole(node) or "") == (each.whole(node) or "")
    assert len({any_step.equation(node) for node in told if node.op}) < len(told) / 3


def test_large_graphs_have_heat_maps_of_arrays_that_small_ones_show_in_full(monkeypatch):
    drawing = draw(lstm(2, hidden=20))
    h = id_of(drawing, "h", 1)

    def told():
        data = data_of(drawing)
        return data["nodes"][data["boxes"][h]["nodes"][-1]]["value"]

    assert len(told()["full"]) == 20
    monkeypatch.setattr("microgrrepresent.drawing.page.viewer_data.MANY", 10)
    assert "map" in told()


def test_names_are_no_markup(tmp_path):
    loss = strange()
    text = save(draw(loss, gradients=backward(loss)), tmp_path / "a.html").read_text("utf-8")
    assert "alert(" in text and "<img" not in text
    assert text.count("<script") == text.count("</script>") == 2


def test_numbers_on_the_drawing_keep_their_digits(tmp_path):
    drawing = drawn_with_gradients()
    text = save(drawing, tmp_path / "a.html").read_text("utf-8")
    numbers = re.findall(r">([\d.e-]+)</text>", drawing.svg())
    assert any(len(number) > 4 for number in numbers)
    assert re.findall(r">([\d.e-]+)</text>", text) == numbers


# --- the page -------------------------------------------------------------------------------------


@pytest.fixture
def opened(open_page, tmp_path):
    """Open the page of a drawing."""
    number = count()

    def write_and_open(drawing, width=1280, height=800, **how):
        path = save(drawing, tmp_path / f"page{next(number)}.html")
        return open_page(path, width, height, **how)

    return write_and_open


def seen(page):
    """Left, top, width and height of what one looks at, in points."""
    return page.evaluate("""() => {
        const frame = document.getElementById("drawing").getBoundingClientRect();
        const at = document.querySelector("#drawing svg").getScreenCTM().inverse();
        const point = (x, y) => new DOMPoint(x, y).matrixTransform(at);
        const first = point(frame.left, frame.top), last = point(frame.right, frame.bottom);
        return [first.x, first.y, last.x - first.x, last.y - first.y];
    }""")


@pytest.mark.browser
def test_a_card_shows_value_gradient_formula_and_code(opened):
    drawing = drawn_with_gradients()
    page = opened(drawing)
    assert page.is_hidden("#card")
    widths = (
        "[...document.querySelectorAll('.edge.gradient path')]"
        ".map((p) => getComputedStyle(p).strokeWidth)"
    )
    before = page.evaluate(widths)
    page.hover(f"#{id_of(drawing, 'f', 2)}")
    words = page.inner_text("#card")
    for expected in ("f2 = σ(", "sigmoid in lstm at t=2", "rnn/cells/lstm.py:", "gradient ∂L/∂f2"):
        assert expected in words
    assert page.inner_text("#card mark").startswith("self.sigma(")
    assert page.locator("#card .row").count() == 2
    assert page.locator(".edge.near").count() > 2
    assert page.locator(".edge.gradient.near").count() == 2
    assert page.evaluate(widths) == before  # how wide a gradient's arrow is says how large it is
    page.mouse.move(3, 780)
    assert page.is_hidden("#card")


@pytest.mark.browser
@pytest.mark.parametrize(("width", "height"), [(1600, 900), (390, 800)])
def test_a_card_stays_in_the_window(opened, width, height):
    drawing = drawn_with_gradients(size="slide")
    page = opened(drawing, width, height)
    for i in range(1, len(drawing.picture.boxes) + 1, 7):
        page.locator(f"#b{i}").focus()
        page.keyboard.press("Shift")  # so that the focus is one to be seen
        page.evaluate(f"document.getElementById('b{i}').blur()")
        page.evaluate(f"document.getElementById('b{i}').focus()")
        frame = page.locator("#card").bounding_box()
        assert frame["x"] >= 0 and frame["y"] >= 0
        assert frame["x"] + frame["width"] <= width and frame["y"] + frame["height"] <= height
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.browser
def test_it_pans_and_zooms_by_keys_wheel_and_hand(opened):
    page = opened(drawn_with_gradients())
    x, y, width, height = whole = seen(page)
    page.keyboard.press("+")
    assert seen(page)[2] == pytest.approx(width / 1.25)
    page.keyboard.press("-")
    assert seen(page) == pytest.approx(whole)
    for _ in range(3):
        page.keyboard.press("+")
    before = seen(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    after = seen(page)
    assert after[0] > before[0] and after[1] > before[1]
    assert after[2:] == pytest.approx(before[2:])
    page.keyboard.press("0")
    assert seen(page) == pytest.approx(whole)

    frame = page.locator("#drawing").bounding_box()
    px, py = frame["x"] + frame["width"] * 0.25, frame["y"] + frame["height"] * 0.25
    page.mouse.move(px, py)
    page.mouse.wheel(0, -400)
    for _ in range(100):  # the event comes when the page gets round to it
        if seen(page)[2] < width - 1:
            break
        page.wait_for_timeout(20)
    nearer = seen(page)
    fixed = x + 0.25 * width, y + 0.25 * height  # what the pointer is at stays there
    assert (nearer[0] + 0.25 * nearer[2], nearer[1] + 0.25 * nearer[3]) == pytest.approx(
        fixed, abs=1
    )
    page.mouse.down()
    page.mouse.move(px + 50, py + 30, steps=4)
    page.mouse.up()
    dragged = seen(page)
    scale = frame["width"] / nearer[2]
    assert dragged[0] == pytest.approx(nearer[0] - 50 / scale, abs=0.5)
    assert dragged[1] == pytest.approx(nearer[1] - 30 / scale, abs=0.5)
    assert page.is_hidden("#card")
    page.get_by_role("button", name="Fit").click()
    assert seen(page) == pytest.approx(whole)


@pytest.mark.browser
def test_a_double_click_shows_all_of_it_and_the_next_one_what_is_there(opened):
    page = opened(drawn_with_gradients())
    whole = seen(page)
    frame = page.locator("#drawing").bounding_box()
    x, y = frame["x"] + frame["width"] * 0.9, frame["y"] + 5
    page.mouse.dblclick(x, y)
    nearer = seen(page)
    assert nearer[2] == pytest.approx(whole[2] / 2)
    assert nearer[0] + 0.9 * nearer[2] == pytest.approx(whole[0] + 0.9 * whole[2], abs=1)
    page.mouse.dblclick(x, y)
    assert seen(page) == pytest.approx(whole)


@pytest.mark.browser
def test_a_touch_shows_a_card_and_another_beside_it_takes_it_away(opened):
    page = opened(drawn_with_gradients(), 390, 800, has_touch=True)
    page.locator("#b9").tap()
    assert "norm" in page.inner_text("#card")
    page.touchscreen.tap(380, 100)
    assert page.is_hidden("#card")


@pytest.mark.browser
def test_two_fingers_zoom(opened):
    page = opened(drawn_with_gradients(), has_touch=True)
    width = seen(page)[2]
    page.evaluate("""() => {
        const at = (type, pointerId, clientX) => document.querySelector("main svg").dispatchEvent(
            new PointerEvent(type, { pointerId, clientX, clientY: 300, bubbles: true, button: 0 }));
        for (const [finger, x] of [[1, 300], [2, 400]]) at("pointerdown", finger, x);
        at("pointermove", 1, 200);
        for (const [finger, x] of [[1, 200], [2, 400]]) at("pointerup", finger, x);
    }""")
    assert seen(page)[2] == pytest.approx(width / 2)


@pytest.mark.browser
def test_everything_can_be_reached_with_the_keyboard(opened):
    drawing = drawn_with_gradients()
    page = opened(drawing, 700, 500)
    for _ in range(4):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "b1"
    assert page.is_visible("#card") and "norm" in page.inner_text("#spoken")
    reached = set()
    for _ in drawing.picture.boxes:
        reached.add(page.evaluate("document.activeElement.id"))
        box = page.evaluate("(({x, y}) => [x, y])(document.activeElement.getBoundingClientRect())")
        assert 0 <= box[0] < 700 and 0 <= box[1] < 500  # it has come into sight
        page.keyboard.press("Tab")
    assert reached == {f"b{i}" for i in range(1, len(drawing.picture.boxes) + 1)}
    names = page.evaluate(
        "[...document.querySelectorAll('[role=button], button')]"
        ".map((b) => b.ariaLabel || b.textContent)"
    )
    assert all(names)


@pytest.mark.browser
def test_a_card_is_kept_by_a_click_or_enter_until_escape(opened):
    drawing = drawn_with_gradients()
    page = opened(drawing)
    page.click(f"#{id_of(drawing, 'h', 2)}")
    page.mouse.move(3, 780)
    assert "h2 =" in page.inner_text("#card")
    page.keyboard.press("Escape")
    assert page.is_hidden("#card")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("#card.kept").count() == 1
    page.get_by_role("button", name="Close").click()
    assert page.locator("#card.kept").count() == 0


@pytest.mark.browser
@pytest.mark.parametrize(
    ("theme", "paper"), [("dark", "rgb(16, 21, 28)"), ("light", "rgb(255, 255, 255)")]
)
def test_the_page_has_the_colors_of_the_drawing(opened, theme, paper):
    page = opened(drawn_with_gradients(theme=theme), color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == paper
    page.hover("#b9")
    style = "getComputedStyle(document.getElementById('card'))"
    ink, card = page.evaluate(f"[{style}.color, {style}.backgroundColor]")
    brightness = [sum(map(int, re.findall(r"\d+", rgb))) for rgb in (ink, card)]
    assert (brightness[0] > brightness[1]) == (theme == "dark")


@pytest.mark.browser
def test_strange_names_are_shown_as_they_are(opened):
    loss = strange()
    drawing = draw(loss, gradients=backward(loss))
    page = opened(drawing)
    for i, _ in enumerate(drawing.picture.boxes, 1):
        page.locator(f"#b{i}").hover(force=True)
        assert page.locator("#card img").count() == 0
    page.click(f"#{id_of(drawing, STRANGE[2], 1)}")
    assert "a\"b'c&d" in page.inner_text("#card")
    assert "onerror=alert(3)" in page.inner_text("#card .code")


@pytest.mark.browser
def test_a_long_drawing_begins_where_it_can_be_read(opened):
    loss = lstm(20)
    page = opened(draw(loss, "gates", gradients=backward(loss)))
    x, _, width, _ = seen(page)
    scale = page.locator("#drawing").bounding_box()["width"] / width
    assert scale > 0.5
    left = page.evaluate("document.querySelector('.background').getBBox().x")
    assert x == pytest.approx(left, abs=1)


@pytest.mark.browser
def test_it_can_be_dragged_back_by_where_nothing_is_drawn(opened):
    page = opened(drawn_with_gradients())
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    before, _, width, _ = seen(page)
    frame = page.locator("#drawing").bounding_box()
    x, y = frame["x"] + frame["width"] - 300, frame["y"] + 40
    assert page.evaluate(f"document.elementFromPoint({x}, {y}).id") == "drawing"
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 200, y, steps=3)
    page.mouse.up()
    assert seen(page)[0] == pytest.approx(before - 200 * width / frame["width"], abs=0.5)


@pytest.mark.browser
def test_in_a_small_window_the_box_is_not_under_its_card(opened):
    drawing = drawn_with_gradients()
    page = opened(drawing, 390, 800)
    box = page.locator(f"#{id_of(drawing, 'x', 1)}")
    box.click()
    frame, card = box.bounding_box(), page.locator("#card").bounding_box()
    assert frame["y"] + frame["height"] <= card["y"] and frame["y"] > 0
