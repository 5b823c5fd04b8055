"""The notebooks for a class: the same text as .ipynb, with the answers taken out.

In a cell with the tag ``answer``, what stands below the line ``# your lines`` is the answer. A
student gets "not a number", or an empty list, in the place of what is assigned, so that the check
below says "not yet"; or a function that says that its lines are missing. The same notebook with all
answers, for the teacher, stands beside it.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat
from myst_nb.core.read import read_myst_markdown_notebook
from myst_parser.config.main import MdParserConfig

_ANSWER = re.compile(r"^( *)# your lines\n(.*)\Z", re.DOTALL | re.MULTILINE)


def blank(code: str) -> str:
    r"""A cell's code without the answer in it.

    >>> print(blank("# your lines\na = 1 + 1\nb = [2, a]"))
    # your lines
    a = float("nan")
    b = []
    """

    def emptied(found: re.Match[str]) -> str:
        indent, answer = found.groups()
        lines = [] if indent else [*map(_unanswered, ast.parse(answer).body)]
        if not lines or "" in lines:
            lines = [f'{indent}raise NotImplementedError("your lines are missing")']
        return "\n".join([f"{indent}# your lines", *lines])

    return _ANSWER.sub(emptied, code)


def _unanswered(statement: ast.stmt) -> str:
    """The line that stands for an assignment to a name; empty for any other statement."""
    match statement:
        case ast.Assign([ast.Name(name)], ast.List() | ast.Subscript()):
            return f"{name} = []"
        case ast.Assign([ast.Name(name)]):
            return f'{name} = float("nan")'
    return ""


def read(path: Path) -> nbformat.NotebookNode:
    """A notebook that is written as Markdown."""
    return read_myst_markdown_notebook(
        path.read_text("utf-8"), MdParserConfig(), add_source_map=False
    )


def handout(path: Path, answers: bool = False) -> nbformat.NotebookNode:
    """A notebook as it is handed out, with or without its answers, and nothing collapsed."""
    notebook = read(path)
    notebook.metadata.kernelspec = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    for cell in notebook.cells:
        if not answers and "answer" in cell.metadata.get("tags", []):
            cell.source = blank(cell.source)
        cell.metadata.pop("tags", None)
    return notebook


def write_notebooks(source: Path, folder: Path) -> None:
    """Write the handouts of every notebook of a folder into another one, in two versions."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.glob("[0-9]*.md")):
        nbformat.write(handout(path), folder / f"{path.stem}.ipynb")
        nbformat.write(handout(path, answers=True), folder / f"{path.stem}_answers.ipynb")
