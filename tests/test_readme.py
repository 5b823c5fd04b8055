"""The README's and CONTRIBUTING's snippets run, in order, as a reader would run them."""

import re
from pathlib import Path

import pytest

from microgrrepresent.drawing.marks.themes import THEMES
from microgrrepresent.drawing.views.views import VIEWS
from microgrrepresent.equations import NOTATIONS

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_the_snippets_run_one_after_the_other(document, tmp_path, monkeypatch):
    snippets = re.findall(r"```python\n(.*?)```", (ROOT / document).read_text("utf-8"), re.DOTALL)
    assert snippets
    monkeypatch.chdir(tmp_path)
    before = set(VIEWS), set(NOTATIONS), set(THEMES)  # added to by snippets, and read by tests
    names = {}
    try:
        for snippet in snippets:
            exec(compile(snippet, document, "exec"), names)
    finally:
        for table, known in zip((VIEWS, NOTATIONS, THEMES), before, strict=True):
            for name in set(table) - known:
                del table[name]


def test_it_is_read_in_a_few_minutes():
    before = (ROOT / "README.md").read_text("utf-8").partition("\n## How fast\n")[0]
    assert len(re.sub(r"```.*?```", "", before, flags=re.DOTALL).split()) < 700


@pytest.mark.parametrize("document", ["README.md", "README.zh-CN.md", "examples/README.md"])
def test_links_lead_somewhere(document):
    text = (ROOT / document).read_text("utf-8")
    links = re.findall(r"\]\((?!http)([^)#]+)\)", text)
    assert links
    missing = [link for link in links if not (ROOT / document).parent.joinpath(link).exists()]
    assert not missing


def test_the_loop_in_the_readme_is_the_one_that_is_printed(tmp_path, monkeypatch):
    text = (ROOT / "README.md").read_text("utf-8")
    shown = re.search(r"```text\n(    # back through time\n.*?)```", text, re.DOTALL)[1]
    monkeypatch.chdir(tmp_path)
    names = {}
    for snippet in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(compile(snippet, "README.md", "exec"), names)
    assert shown in names["step"].source()


def test_the_picture_in_the_readme_is_the_one_that_its_code_writes(tmp_path, monkeypatch):
    first = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)[1]
    monkeypatch.chdir(tmp_path)
    exec(compile(first, "README.md", "exec"), {})
    shown = ROOT / "examples" / "pictures" / "readme.svg"
    assert (tmp_path / "unrolled.svg").read_bytes() == shown.read_bytes()


def test_the_chinese_readme_has_the_same_headings_and_the_same_code():
    english, chinese = (
        (ROOT / name).read_text("utf-8") for name in ("README.md", "README.zh-CN.md")
    )
    blocks = [re.findall(r"```.*?```", text, re.DOTALL) for text in (english, chinese)]
    assert blocks[0] == blocks[1] and len(blocks[0]) > 9
    outside = [re.sub(r"```.*?```", "", text, flags=re.DOTALL) for text in (english, chinese)]
    levels, pictures, rows = (
        [re.findall(pattern, text, re.MULTILINE) for text in outside]
        for pattern in (r"^#+ ", r"!\[[^]]*\]\((.*?)\)", r"^\| `([^|]*?)`[、,|` ]")
    )
    assert levels[0] == levels[1] and pictures[0] == pictures[1] and rows[0] == rows[1]


def test_the_report_in_the_readme_is_the_one_that_is_printed(tmp_path, monkeypatch):
    text = (ROOT / "README.md").read_text("utf-8")
    shown = re.search(r"```text\n(The loss is right.\n.*?)\n```", text, re.DOTALL)[1]
    monkeypatch.chdir(tmp_path)
    names = {}
    for snippet in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(compile(snippet, "README.md", "exec"), names)
    assert shown == str(names["report"])
