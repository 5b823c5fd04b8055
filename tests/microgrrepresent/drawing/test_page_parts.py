"""What all pages share: their frame, the colors of the themes, the drawing as a page has it."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

from microgrrepresent import backward, draw
from microgrrepresent.drawing.marks.themes import DARK, LIGHT, THEMES
from microgrrepresent.drawing.page.colors import colors, light_or_dark
from microgrrepresent.drawing.page.page_svg import Marked, Shared, page_svg
from microgrrepresent.drawing.page.parts import page
from rnn.command_line.illustration import illustration

SVG = "{http://www.w3.org/2000/svg}"


def test_a_page_escapes_its_title_and_its_data():
    text = page("a < b", "", "<main></main>", "", {"name": "</script>$x\ud800"}).decode()
    assert "<title>a &lt; b</title>" in text and "default-src 'none'" in text
    assert text.count("<script") == text.count("</script>") == 2
    assert '{"name":"\\u003c/script>$x?"}' in text


def brightness(color):
    """Relative luminance (W3C, WCAG 2.2)."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_words_of_a_page_can_be_read_in_the_colors_of_every_theme(theme):
    known = dict(re.findall(r"--([\w-]+): (#\w{6});", colors(theme)))
    for ink in ("ink", "forward", "backward"):
        for paper in ("paper", "card"):
            low, high = sorted(brightness(known[name]) for name in (ink, paper))
            assert (high + 0.05) / (low + 0.05) >= 4.5, (ink, paper)


def test_a_page_may_be_light_or_dark():
    rules = light_or_dark()
    assert rules.count(f"--paper: {LIGHT.background};") == 1
    assert rules.count(f"--paper: {DARK.background};") == 2  # of the system, and on request


@pytest.fixture
def drawing():
    loss = illustration("lstm", 3)[0]
    return draw(loss, "gates", gradients=backward(loss))


@pytest.mark.parametrize("manner", [Shared, Marked])
def test_a_drawing_in_a_page_has_the_elements_and_looks_of_the_file(drawing, manner):
    shared = manner()
    own, file = (
        ElementTree.fromstring(text) for text in (page_svg(drawing, shared), drawing.svg())
    )
    rules = {name: attributes for attributes, name in shared.classes.items()}
    by_id = {group.get("id"): group for group in own.iter(f"{SVG}g") if group.get("id")}
    groups = [group for group in file.iter(f"{SVG}g") if group.get("id")]
    assert len(groups) == len(by_id) > 90
    for group in groups:
        mine = by_id[group.get("id")]
        assert "".join(mine.itertext()) == "".join(t for t in _words(group))
        for tag in ("path", "rect", "circle"):
            for there, here in zip(group.iter(SVG + tag), mine.iter(SVG + tag), strict=True):
                look = dict(re.findall(r'([\w-]+)="([^"]*)"', rules[here.get("class")]))
                for name in ("fill", "stroke", "stroke-width", "stroke-dasharray", "opacity"):
                    assert here.get(name, look.get(name)) == there.get(name)
    assert len(page_svg(drawing, shared)) < 0.75 * len(drawing.svg())


def _words(group):
    for text in group.iter(f"{SVG}text"):
        yield from text.itertext()


def test_arrows_of_a_look_share_a_head_of_their_color(drawing):
    marked = Marked()
    svg = page_svg(drawing, marked)
    assert "<polygon" not in svg
    markers = dict(re.findall('<marker id="(h[0-9]+)".*?fill="(.*?)"', marked.markers()))
    pointed = [rule for rule in marked.classes if "marker-end" in rule]
    assert pointed and len(markers) == len(marked.heads)
    for rule in pointed:
        color, head = re.search('stroke="(.*?)".*url[(]#(h[0-9]+)[)]', rule).groups()
        assert markers[head] == color


def test_what_graphviz_has_drawn_stands_in_a_page_without_its_comments(drawing, monkeypatch):
    made = '<?xml?>\n<!-- a --><svg><!-- b --><title>k</title><path d="M1.234,5.678"/></svg>'
    monkeypatch.setattr(type(drawing), "rendered", lambda *_: made.encode())
    drawing.attr(rankdir="TB")
    assert page_svg(drawing, Shared()) == '<svg><path d="M1.2,5.6"/></svg>'
