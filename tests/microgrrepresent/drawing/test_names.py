"""Names, scopes and titles of any characters: shown as they are, nothing run, nothing stopped."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pytest

from microgrrepresent import Graph, Tensor, backward, draw, save, scope, step, stepper
from microgrrepresent.drawing.marks.labels import plain, printable, text
from microgrrepresent.drawing.output import rendering

SVG = "{http://www.w3.org/2000/svg}"
NAMES = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "\"quoted\" & 'single'",
    r"back\slash\N\E\G\L",
    "ends in\\",
    "{a}%b#c$d~e^f`g",
    "line\nbreak\ttab\r",
    "emoji 😀 👩‍👩‍👧",
    "状态",
    "שלום",
    "nul\0bell\x07escape\x1b",
    "é ñ ø ß ł Я",
    "]]>",
    "&lt;&#65;",
    "\u202eright to left",
    "$(x)$ ${title}",
    "lone \ud800 surrogate",
]


def shown(name):
    """What is to be read where a name is shown: one line, without what no format can write."""
    unseen = re.compile("[\0-\x1f\x7f\u202e\ud800-\udfff]")
    return unseen.sub(" ", name)


def out(names=NAMES):
    total = 0
    for t, name in enumerate(names, 1):
        with scope(name.replace("/", "|")), step(t):
            w = Tensor(float(t), requires_grad=True, name=name)
            total = total + (w * 2.0).named(name)
    return total.named("L")


def boxes_of(drawing):
    return [b for b in drawing.picture.boxes if b.nodes and b.nodes[0].name in NAMES]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_keeps_every_character_that_can_be_written(name):
    assert printable(name) == shown(name)


def test_svg_shows_names_as_they_are():
    drawing = draw(out(), "variables")
    root = ElementTree.fromstring(drawing.svg().encode())
    groups = {g.get("id"): g for g in root.iter(f"{SVG}g")}
    ids = {box: f"b{i}" for i, box in enumerate(drawing.picture.boxes, 1)}
    found = boxes_of(drawing)
    assert len(found) == 2 * len(NAMES)
    for box in found:
        words = "".join(next(groups[ids[box]].iter(f"{SVG}text")).itertext())
        if box.nodes[0].name != "{a}%b#c$d~e^f`g":
            assert words.startswith(shown(box.nodes[0].name)[:5])
        assert shown(box.nodes[0].name).strip() in words or "_" in box.nodes[0].name
    assert not list(root.iter(f"{SVG}script"))


class Elements(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.words = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.tags += [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data):
        self.words.append(data)


def elements(page):
    reader = Elements()
    reader.feed(page)
    return reader.tags, "".join(reader.words)


def test_html_and_notebooks_open_no_element_of_a_name(tmp_path):
    harmless = [f"a{t}" for t in range(len(NAMES))]
    pages, plain_pages = (
        [
            save(draw(out(names)), tmp_path / "a.html").read_text("utf-8"),
            Graph(out(names))._repr_mimebundle_()["image/svg+xml"],
        ]
        for names in (NAMES, harmless)
    )
    scripts = 2  # of the page itself: its data, and what moves it
    for page, plain_page in zip(pages, plain_pages, strict=True):
        tags, words = elements(page)
        plain_tags, _ = elements(plain_page)
        assert tags.count("script") == plain_tags.count("script") == scripts
        assert {*tags} <= {*plain_tags, "tspan"}  # which a subscript is
        assert NAMES[0] in words
        scripts = 0


@pytest.mark.skipif(rendering.route() is None, reason="there is no Graphviz")
def test_graphviz_shows_names_as_they_are(tmp_path):
    """Where a name has a backslash Graphviz reads N, E, G and L behind it as signs."""
    drawing = draw(out(), "variables")
    assert save(drawing, tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    root = ElementTree.fromstring(drawing.rendered("svg"))
    words = ["".join(t.itertext()) for t in root.iter(f"{SVG}text")]
    for name in NAMES:
        wanted = "".join(shown(name).split())
        assert any("".join(w.split()).startswith(wanted) for w in words), (name, words)


def test_the_dot_text_can_be_read_line_by_line():
    lines = draw(out()).source.split("\n")
    for line in lines:
        quotes = len(re.findall(r'(?<!\\)"', re.sub(r"=<.*?>(?=[ \]])", "", line)))
        assert quotes % 2 == 0, line


def test_the_data_of_the_page_stay_data(tmp_path):
    page = stepper(out(), tmp_path / "a.html", title=NAMES[0]).read_text("utf-8")
    reader = Elements()
    reader.feed(page)
    assert reader.tags.count("script") == page.count("<script")
    (data,) = re.findall(r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', page, re.S)
    plain_names = {node["plain"] for node in json.loads(data)["nodes"]}
    assert any("<!--<script>" in name for name in plain_names) and "<" not in data


@pytest.mark.browser
@pytest.mark.parametrize("name", ["<!--<script>", "</script><script>alert(1)</script>", "a\\"])
def test_the_page_steps_whatever_names_there_are(open_page, tmp_path, name):
    w = Tensor(2.0, requires_grad=True, name=name)
    page = open_page(stepper(w * w, tmp_path / "a.html", title=name), 1280, 800)
    before = page.inner_text("body")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("body") != before and name in before


def test_gradients_and_windows_of_such_names_are_drawn():
    L = out()
    for options in ({"gradients": backward(L)}, {"window": (2, 1)}, {"collapse": [NAMES[0]]}):
        options["collapse"] = [s.replace("/", "|") for s in options.get("collapse", ())]
        assert "alert" in " ".join(plain(b.label) for b in draw(L, **options).picture.boxes)


def test_a_sign_is_a_round_box_and_a_letter_is_a_function():
    x = Tensor([1.0, 2.0], name="x")
    boxes = draw((x * x).sum().named("L")).picture.boxes
    kinds = {plain(box.label): box.kind for box in boxes}
    assert kinds["×"] == "op" and kinds["Σ"] == "function"


@pytest.mark.parametrize("word", ["went", "I", "x_1", "h^2", "状态", "<s>", '"'])
def test_a_name_in_quotation_marks_is_a_word_written_as_it_is(word):
    with step(1):
        read = Tensor(1.0, name=f'"{word}"')
        y = (read * 2.0).named("y")
    (box,) = (b for b in draw(y, highlight=word).picture.boxes if b.nodes == (read,))
    assert box.label == (text(word),) and not box.faint
