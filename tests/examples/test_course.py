"""The course: its notebooks can be handed out, and its pages are whole and need no network."""

import ast
import contextlib
import doctest
import io
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

COURSE = Path(__file__).parents[2] / "examples" / "course"
NOTEBOOKS = sorted((COURSE / "notebooks").glob("[0-9]*.md"))
AXE = "axe-core@4.14.1", "axe.min.js"


@pytest.fixture
def handout(monkeypatch):
    pytest.importorskip("myst_nb", reason="pip install '.[docs]'")
    monkeypatch.syspath_prepend(COURSE)
    return import_module("handout")


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_handed_out_without_its_five_answers(path, handout):
    nbformat = pytest.importorskip("nbformat")
    answered = [c for c in code_cells(handout.read(path)) if "answer" in c.metadata.get("tags", ())]
    assert len(answered) == 5 and path.read_text("utf-8").count("\n### Exercise ") == 5
    handed, whole = handout.handout(path), handout.handout(path, answers=True)
    nbformat.validate(handed)
    for cell in code_cells(handed):
        ast.parse(cell.source)  # what is left is still Python
    text = "\n".join(cell.source for cell in code_cells(handed))
    for cell in answered:
        _, found, answer = cell.source.partition("# your lines\n")
        assert found and answer.strip() and answer.strip() not in text
        assert cell.source in [whole.source for whole in code_cells(whole)]
    for before, after in zip(code_cells(whole), code_cells(handed), strict=True):
        if "# your lines" not in before.source:
            assert before.source == after.source


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_an_exercise_that_is_not_done_yet_says_so(path, handout):
    pytest.importorskip("matplotlib").use("Agg")
    names, told, answered = {}, [], False
    given = code_cells(handout.handout(path))
    for cell, whole in zip(given, code_cells(handout.handout(path, answers=True)), strict=True):
        is_check, answered = answered, cell.source != whole.source
        said = io.StringIO()
        try:
            with contextlib.redirect_stdout(said):
                exec(compile(cell.source, path.name, "exec"), names)
        except (AssertionError, NotImplementedError) as error:
            assert is_check or answered, cell.source
            said.write(str(error))
        if is_check:
            told.append(said.getvalue())
    assert len(told) == 5
    assert all("Not yet" in line or "your lines are missing" in line for line in told), told


@pytest.mark.parametrize("name", ["handout", "formulas"])
def test_the_examples_in_docstrings_run(name, handout):
    tried = doctest.testmod(import_module(name))
    assert tried.attempted and not tried.failed


def test_chinese_is_searched_by_pairs_of_characters(handout):
    search = import_module("conf").Search({})
    assert sorted(search.split("双向 RNN，双")) == sorted(["RNN", "双", "向", "双向", "双"])


def test_every_part_of_the_index_has_a_chinese_name(handout):
    from rnn.systems import systems

    assert list(import_module("generated").PARTS) == list({s.part: None for s in systems()})


# --- the pages -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the built pages: that of COURSE_SITE, or built here."""
    if given := os.environ.get("COURSE_SITE"):
        return Path(given)
    pytest.importorskip("myst_nb", reason="pip install '.[docs]'")
    out = tmp_path_factory.mktemp("course")
    command = [sys.executable, COURSE / "build.py", "--out", out]
    environment = os.environ | {"PYTHONPATH": str(COURSE.parents[1])}
    built = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1200)
    assert built.returncode == 0, built.stderr[-3000:]
    return out / "html"


class Page(HTMLParser):
    """The places in a page, and what it leads to."""

    def __init__(self, path):
        super().__init__()
        self.places, self.links = {""}, []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.places |= {found.get("id", ""), found.get("name", "") if tag == "a" else ""}
        self.links += [found[name] for name in ("href", "src") if found.get(name)]


@pytest.mark.slow
def test_every_link_leads_somewhere_within(site):
    pages = {path: Page(path) for path in site.rglob("*.html")}
    assert len(pages) > 30
    dead = set()
    for path, page in pages.items():
        for link in page.links:
            url = urlsplit(link)
            if url.scheme or url.netloc:
                continue
            target = (path.parent / unquote(url.path)).resolve() if url.path else path
            places = pages[target].places if target in pages else {unquote(url.fragment)}
            if not target.exists() or unquote(url.fragment) not in places:
                dead.add((path.name, link))
    assert not dead


@pytest.mark.slow
def test_every_notebook_can_be_downloaded(site):
    names = {path.name for path in (site / "_downloads").rglob("*.ipynb")}
    assert names == {f"{p.stem}{end}.ipynb" for p in NOTEBOOKS for end in ("", "_answers")}


@pytest.mark.slow
def test_every_public_name_is_in_the_reference(site):
    import microgrrepresent
    import rnn

    text = "".join(path.read_text("utf-8") for path in (site / "reference").glob("*.html"))
    documented = set(re.findall(r'<dt class="sig sig-object py" id="[\w.]*?\.?(\w+)"', text))
    modules = {"systems"}
    assert set(microgrrepresent.__all__) | set(rnn.__all__) <= documented | modules


@pytest.fixture(scope="module")
def axe(tmp_path_factory):
    """The script that looks for faults of accessibility."""
    sys.path.insert(0, str(COURSE))
    try:
        npm_file = import_module("npm").npm_file
    finally:
        sys.path.remove(str(COURSE))
    return npm_file(*AXE, tmp_path_factory.mktemp("axe")).read_text("utf-8")


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1600])
def test_pages_ask_no_other_host_fit_the_window_and_have_no_serious_fault(site, axe, width):
    api = pytest.importorskip("playwright.sync_api")
    faults = []
    with api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": 900})
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: faults.append(("error", str(error))))
        for path in sorted(site.rglob("*.html")):
            name = str(path.relative_to(site))
            page.goto(path.as_uri())
            page.evaluate("window.MathJax?.startup?.promise")
            wide = page.evaluate("document.documentElement.scrollWidth")
            if wide > width:
                faults.append((name, f"{wide} wide"))
            broken = "[...document.images].filter(i => i.complete && !i.naturalWidth).length"
            if page.evaluate(broken):
                faults.append((name, "a picture is not shown"))
            if width > 390 and path.name != "index.html":
                continue  # what is on it was looked at on the narrow window; the sides are alike
            page.evaluate(axe)
            found = page.evaluate(
                "axe.run({resultTypes: ['violations']}).then(found => found.violations)"
            )
            faults += [
                (name, fault["id"], fault["nodes"][0]["html"][:200])
                for fault in found
                if fault["impact"] in ("serious", "critical")
            ]
        browser.close()
    assert not [url for url in asked if not url.startswith(("file:", "data:", "blob:"))]
    assert not faults


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("word", ["双向", "残差", "循环", "双向循环神经网络", "窥视孔", "peephole"])
def test_a_word_is_searched_in_both_languages(site, word):
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{(site / 'search.html').as_uri()}?q={word}")
        page.locator("#search-results li a", has_text="Index of systems").first.wait_for()
        browser.close()


@pytest.mark.parity
def test_what_is_said_of_pytorch_is_true():
    pytest.importorskip("torch", reason="pip install torch==2.13.0")
    text = (COURSE / "howto" / "pytorch.md").read_text("utf-8")
    names = {}
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(compile(block, "pytorch.md", "exec"), names)
    ours, theirs = names["ours"].state_dict(), names["theirs"].state_dict()
    assert all((ours[name] == theirs[name].numpy()).all() for name in theirs)
