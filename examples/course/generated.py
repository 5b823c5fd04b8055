"""The pages that are made from what the project already has: one source each.

reference      the docstrings of every public name
systems        the table `rnn/data/systems.toml`
notebooks      a list of them
gallery        `examples/README.md` and `examples/RESULTS.md`
benchmark      the section of the README
"""

from __future__ import annotations

import contextlib
import io
import re
import shutil
import warnings
from itertools import groupby
from pathlib import Path

from formulas import latex

import microgrrepresent
import rnn
from microgrrepresent import ops
from rnn.systems import System, preamble, systems

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
PARTS = {
    "Graphs": "计算图",
    "Networks with memory": "有记忆的网络",
    "Recurrent cells": "循环单元",
    "Gated cells": "门控单元",
    "Other recurrences": "其他循环结构",
    "Encoder and decoder": "编码器与解码器",
    "Inputs and outputs": "输入与输出",
    "Losses": "损失函数",
    "Training": "训练",
    "Tasks": "任务",
    "As in PyTorch": "与 PyTorch 相同的接口",
}
"""The parts of the course in Chinese."""

ROOMS = ["cells", "layers", "models", "sequences", "training", "diagnosis", "weights"]


def write_pages(source: Path) -> None:
    """Write all of them into the folder from which Sphinx reads."""
    shutil.copytree(EXAMPLES / "pictures", source / "pictures", dirs_exist_ok=True)
    _write(source / "notebooks" / "index.md", _notebooks(source / "notebooks"))
    _write(source / "gallery.md", _gallery())
    _write(source / "results.md", (EXAMPLES / "RESULTS.md").read_text("utf-8"))
    _write(source / "benchmark.md", _benchmark())
    for name, text in _reference().items():
        _write(source / "reference" / f"{name}.md", text)
    for name, text in _index(source / "pictures" / "systems").items():
        _write(source / "systems" / f"{name}.md", text)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def _gallery() -> str:
    text = (EXAMPLES / "README.md").read_text("utf-8")
    return text.replace("(RESULTS.md)", "(results.md)")


def _benchmark() -> str:
    readme = (ROOT / "README.md").read_text("utf-8")
    section = readme.partition("\n## How fast\n")[2].partition("\n## ")[0]
    assert section, "README.md has no section 'How fast'"
    return f"# How fast\n{section}"


# --- reference -----------------------------------------------------------------------------------


def _reference() -> dict[str, str]:
    """A page for the engine, one for its operations, and one for each room of `rnn`."""
    engine = [name for name in microgrrepresent.__all__ if name not in ops.__all__]
    pages = {
        "microgrrepresent": _documented("microgrrepresent", engine, "Graphs and derivatives"),
        "operations": _documented("microgrrepresent.ops", ops.__all__, "Operations"),
    }
    listed = set()
    for room in ROOMS:
        names = __import__(f"rnn.{room}", fromlist=["__all__"]).__all__
        listed |= set(names)
        pages[room] = _documented(f"rnn.{room}", names, f"rnn.{room}")
    others = [name for name in rnn.__all__ if name not in listed | set(engine)]
    pages["rnn"] = _documented("rnn", others, "rnn")
    contents = ["rnn", *ROOMS]
    pages["index"] = "\n".join(
        [
            "# Reference\n",
            "Every public name, by the place from which it is imported.\n",
            "```{toctree}\n:maxdepth: 1\n",
            *("microgrrepresent", "operations", *contents),
            "```",
        ]
    )
    return pages


def _documented(module: str, names: list[str], title: str) -> str:
    lines = [f"# {title}\n", "```{eval-rst}", f".. automodule:: {module}", "   :no-members:", ""]
    lines += [f".. currentmodule:: {module}", ""]
    found = __import__(module, fromlist=names)
    for name in sorted(names, key=lambda name: (name.casefold(), name)):
        thing = getattr(found, name)
        if isinstance(thing, type):
            lines += [f".. autoclass:: {name}", "   :members:", ""]
        elif isinstance(thing, microgrrepresent.Primitive):
            lines += [f".. autodata:: {name}", "   :no-value:", ""]
        elif callable(thing):
            lines += [f".. autofunction:: {name}", ""]
        else:
            lines += [f".. automodule:: {thing.__name__}", "   :members:", ""]
    return "\n".join([*lines, "```\n"])


# --- the index of systems ------------------------------------------------------------------------


def _index(pictures: Path) -> dict[str, str]:
    """A page for each part of the course, and one that lists all systems."""
    pages: dict[str, str] = {}
    table: list[str] = []
    number = 0
    for part, members in groupby(systems(), key=lambda system: system.part):
        page = part.lower().replace(" ", "_")
        title = f"{part} · [{PARTS[part]}]{{lang=zh}}"
        sections = [f"# {title}"]
        table += [
            f"\n## {title}\n",
            "```{list-table}",
            ":header-rows: 1\n:widths: 55 45\n:width: 100%\n",
            "* - English\n  - [中文]{lang=zh}",
        ]
        for system in members:
            number += 1
            anchor = f"system-{number}"
            sections.append(f"({anchor})=\n{_section(system, pictures, number)}")
            others = " · ".join(f"[{name}]{{lang=zh}}" for name in system.chinese)
            table.append(
                f"* - [{_cell(' · '.join(system.english))}]({page}.md#{anchor})\n  - {others}"
            )
        table.append("```")
        pages[page] = "\n\n".join(sections)
    before = f"```python\n{preamble()}\n```"
    pages["index"] = "\n".join(
        [
            "# Index of systems · [系统索引]{lang=zh}\n",
            "Every system of the lecture notes by its names: formula, call, picture, example and",
            "test. In a terminal, `python -m rnn systems peephole`, or `python -m rnn systems",
            f"窥视孔`, finds one. Each call runs after these lines:\n\n{before}\n",
            *table,
            "\n```{toctree}\n:hidden:\n",
            *(page for page in pages),
            "```",
        ]
    )
    return pages


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("[", r"\[").replace("]", r"\]")


def _section(system: System, pictures: Path, number: int) -> str:
    """Everything about one system."""
    chinese = " · ".join(f"[{name}]{{lang=zh}}" for name in system.chinese)
    also = f"\nAlso: {', '.join(map(_cell, system.english[1:]))}.\n" if system.english[1:] else ""
    formulas = "\n\n".join(f"$$\n{latex(formula)}\n$$" for formula in system.formulas)
    picture = _picture(system, pictures, number)
    link = _link(system.example)
    return f"""## {_cell(system.english[0])}

{chinese}
{also}
{formulas}

```python
{system.call}
```

![{_cell(system.english[0])}, drawn](../pictures/{picture})

Example: {link}. Test: `{system.test}`.
"""


def _link(example: str) -> str:
    """A link to an example: its section of the gallery, or its page of the course."""
    path = Path(example)
    if path.suffix == ".py":
        readme = (EXAMPLES / "README.md").read_text("utf-8")
        before, found, _ = readme.partition(f"    python {example}\n")
        assert found, f"the gallery does not show {example}"
        title = re.findall(r"^### (.*)$", before, re.MULTILINE)[-1]
        place = re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
        return f"[{title}](../gallery.md#{place}), `{example}`"
    page = (ROOT / example).read_text("utf-8")
    found = re.search(r"^# (.*)$", page, re.MULTILINE)
    assert found is not None
    return f"[{found[1]}](../{path.relative_to('examples/course')})"


def _picture(system: System, pictures: Path, number: int) -> str:
    """The file that shows a system, below the folder of pictures."""
    if system.picture is not None:
        return Path(system.picture).name
    names: dict[str, object] = {}
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(f"{preamble()}\n{system.call}", system.english[0], "exec"), names)
    drawing: object = names["picture"]
    pictures.mkdir(exist_ok=True)
    (pictures / f"{number}.svg").write_text(drawing.svg(), "utf-8")  # type: ignore[attr-defined]
    return f"systems/{number}.svg"


# --- notebooks -----------------------------------------------------------------------------------


def _notebooks(folder: Path) -> str:
    """The list of the notebooks, each with what can be downloaded."""
    rows, names = [], []
    for path in sorted(folder.glob("[0-9]*.md")):
        title = next(line for line in path.read_text("utf-8").splitlines() if line[:2] == "# ")
        handed, solved = (f"../static/notebooks/{path.stem}{end}.ipynb" for end in ("", "_answers"))
        rows.append(
            f"| [{title[2:]}]({path.name}) | {{download}}`{path.stem}.ipynb <{handed}>` |"
            f" {{download}}`with answers <{solved}>` |"
        )
        names.append(path.stem)
    return "\n".join(
        [
            "# Notebooks\n",
            "For a class, and for anybody who has just met the chain rule. Each notebook tells one",
            "story, makes its own drawings, and ends in five exercises that it checks itself.\n",
            "To use one, download it and open it in Jupyter, beside an installed package. In the",
            "file that is handed out, the answers are taken out.\n",
            "| notebook | to hand out | |\n|---|---|---|",
            *rows,
            "\n```{toctree}\n:hidden:\n",
            *names,
            "```",
        ]
    )
