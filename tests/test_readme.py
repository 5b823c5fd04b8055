"""The README's and CONTRIBUTING's snippets run, in order, as a reader would run them."""

import re
from pathlib import Path

import pytest

from microgrrepresent.drawing.views.views import VIEWS
from microgrrepresent.equations import NOTATIONS

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_the_snippets_run_one_after_the_other(document, tmp_path, monkeypatch):
    snippets = re.findall(r"```python\n(.*?)```", (ROOT / document).read_text("utf-8"), re.DOTALL)
    assert snippets
    monkeypatch.chdir(tmp_path)
    before = set(VIEWS), set(NOTATIONS)  # which the snippets add to, and other tests read
    names = {}
    try:
        for snippet in snippets:
            exec(compile(snippet, document, "exec"), names)
    finally:
        for table, known in zip((VIEWS, NOTATIONS), before, strict=True):
            for name in set(table) - known:
                del table[name]


@pytest.mark.parametrize("document", ["README.md", "examples/README.md"])
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
