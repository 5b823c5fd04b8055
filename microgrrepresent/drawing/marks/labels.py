"""Labels as mathematics: ``h`` at t = 3 is h with a subscript 3, ``W_hh`` is W with subscript hh.

A label is a tuple of lines, a line a tuple of `Run`s. It can be written in three ways: as a
Graphviz HTML-like label, as TeX, and as plain text for screen readers. Its width is estimated here
too, once and from above, because every box of a drawing has a fixed size: then no renderer's font
can push a label out of its box, and every Graphviz version lays out the same boxes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from html import escape
from typing import Literal, NamedTuple

from microgrrepresent.letters import ACCENTS, GREEK

Level = Literal["base", "sub", "sup"]


class Run(NamedTuple):
    """A piece of text in one style."""

    text: str
    italic: bool = False
    level: Level = "base"
    size: float = 1.0
    """Relative to the label's font size."""


Line = tuple[Run, ...]
Label = tuple[Line, ...]

SUB, SUP = 0.8, 0.7
"""Size of subscripts and superscripts."""

_ABOVE = re.compile(r"(.+?)(?:\^(\d+[→←]?|[→←]))?")
_NUMBER = re.compile(r"^\d+")
_BRACES = re.compile(r"_\{([^{}]*)\}")


def printable(words: str) -> str:
    """Words in one line, without the characters that no format can write."""
    if not words or words.isprintable():
        return words or " "
    return "".join([c if c == _JOINER or unicodedata.category(c)[0] != "C" else " " for c in words])


_JOINER = "\u200d"
"""It makes one sign of several: a family of emoji, a ligature."""


def text(words: str, italic: bool = False, size: float = 1.0) -> Line:
    """A line in one style."""
    return (Run(printable(words), italic, "base", size),)


@cache
def math(name: str, step: int | str | None = None) -> Line:
    """Read a variable's name as mathematics; the step becomes a subscript.

    The mark of a layer, behind a ^, is written above, its number in parentheses.

    Examples
    --------
    >>> plain((math("W_hh"),)), plain((math("h", 3),)), plain((math("yhat", 3),))
    ('W_hh', 'h_3', 'ŷ_3')
    >>> plain((math("W_hh^2←"),)), plain((math("h^→", 3),))
    ('W^(2)←_hh', 'h^→_3')
    >>> plain((math("u(2)"),)), plain((math("lambda"),)), plain((math("状态", 3),))
    ('u^(2)', 'λ', '状态_3')
    >>> math("hidden_state") == text("hidden_state"), math("W_{hh}") == math("W_hh")
    (True, True)
    """
    name, above = _ABOVE.fullmatch(_BRACES.sub(r"_\1", printable(name))).groups()  # type: ignore
    stem, *subscripts = name.split("_") if not (name[:1] == "_" or _is_phrase(name)) else [name]
    if subscripts and subscripts[0] in ACCENTS and len(stem) == 1:
        stem += subscripts.pop(0)
    superscript = ""
    if stem.endswith(")") and "(" in stem:  # u(1), as the notes call intermediate variables
        stem, _, rest = stem.partition("(")
        superscript = f"({rest}"
    stem = GREEK.get(stem, stem)
    for accent, mark in ACCENTS.items():
        if stem != accent and stem.endswith(accent) and len(stem) == len(accent) + 1:
            stem = unicodedata.normalize("NFC", stem[0] + mark)
    if stem.endswith("~") and len(stem) == 2:
        stem = stem[0] + ACCENTS["tilde"]
    below = [GREEK.get(part, part) for part in subscripts if part]
    if step is not None:
        below.append(str(step).replace("-", "−"))
    runs = [Run(stem, italic=_is_letter(stem))]
    runs += (*raised(superscript), *raised(above or ""))
    if below:
        runs.append(Run(",".join(below), False, "sub", SUB))
    return tuple(runs)


def raised(mark: str) -> Line:
    """What is written above behind a letter or a word; nothing for an empty mark."""
    return (Run(_NUMBER.sub(r"(\g<0>)", mark), False, "sup", SUP),) if mark else ()


_SCRIPTS = re.compile(r"_\{([^{}]*)\}|_([^\W²³ᵀ]+)|\^\{([^{}]*)\}|\^(\w|\([^()]*\))")


def formula(words: str) -> Line:
    """A formula in one line, such as ``h_t = tanh(W x_t + U h_{t-1})``, as mathematics.

    Examples
    --------
    >>> plain((formula("h_t = W h_{t-1}"),))
    'h_t = W h_t−1'
    >>> [(run.text, run.level) for run in formula("u_t²")]
    [('u', 'base'), ('t', 'sub'), ('²', 'base')]
    """
    runs: list[Run] = []
    at = 0
    for found in _SCRIPTS.finditer(words):
        runs += _letters(words[at : found.start()])
        below = found[1] or found[2]
        small = (below or found[3] or found[4]).replace("-", "−")
        runs.append(Run(small, len(small) == 1, *(("sub", SUB) if below else ("sup", SUP))))
        at = found.end()
    return (*runs, *_letters(words[at:]))


def _letters(words: str) -> list[Run]:
    """Text in which what is one letter by itself is a variable."""
    pieces = re.findall(r"(?:[^\W\d_][\u0300-\u036f]*)+|[\W\d_]+", words)  # accents stay with them
    return [Run(piece, _is_letter(piece) and piece not in ("σ", "Σ")) for piece in pieces]


def _is_phrase(name: str) -> bool:
    """Whether a name is words joined by underscores, not a letter and what stands below it."""
    stem, *rest = name.split("_")
    known = {*GREEK, *ACCENTS}
    words = [part for part in rest if part not in known]
    marked = any(stem.endswith(mark) and len(stem) == len(mark) + 1 for mark in ACCENTS)
    one = len(stem.partition("(")[0]) == 1 or stem in known or marked
    return not one and any(len(word) > 2 and word.isalpha() for word in words)


def _is_letter(stem: str) -> bool:
    """Whether this is one letter, with or without an accent: mathematics sets those in italics."""
    letters = [c for c in unicodedata.normalize("NFD", stem) if not unicodedata.combining(c)]
    return len(letters) == 1 and letters[0].isalpha() and not is_wide(letters[0])


def is_wide(character: str) -> bool:
    """Whether a character is as wide as it is high, as Chinese ones are."""
    return unicodedata.east_asian_width(character) in "WF"


# --- size ----------------------------------------------------------------------------------------

_NARROW = frozenset("iljtfrI.,:;'|()[]{}!·- /")
_BROAD = frozenset("mwMW@%⧺…×")


@cache
def _em(character: str) -> float:
    """Width of a character, in units of the font size, from above for the usual sans serifs."""
    if unicodedata.combining(character):
        return 0.0
    if is_wide(character):
        return 1.02
    if character in _NARROW:
        return 0.42
    if character in _BROAD:
        return 1.0
    return 0.72 if character.isupper() or ord(character) > 0x2000 else 0.66


@cache
def width(label: Label, size: float) -> float:
    """Width of a label in points: that of its longest line."""
    return max(
        (sum(run.size * sum(map(_em, run.text)) for run in line) * size for line in label),
        default=0.0,
    )


@cache
def height(label: Label, size: float) -> float:
    """Height of a label in points: a line takes 1.25 of its font's size."""
    tall = sum(1.25 * size * max((run.size for run in line), default=1.0) for line in label)
    return tall + sum(_GAP * size * 1.25 for line in label[:-1] if _hangs(line))


_GAP = 0.3
"""Height of an empty line below subscripts, so that they stay clear of the next line."""


def _hangs(line: Line) -> bool:
    return any(run.level == "sub" for run in line)


# --- three ways to write a label ----------------------------------------------------------------


def plain(label: Label) -> str:
    """The label in one line of plain text: ``h_3``."""
    lines = []
    for line in label:
        signs = {"base": "", "sub": "_", "sup": "^"}
        lines.append("".join(signs[run.level] + run.text for run in line))
    return ", ".join(lines)


@cache
def html(label: Label, size: float, color: str | None = None) -> str:
    """The label as a Graphviz HTML-like string, ``<...>``."""
    lines = []
    for i, line in enumerate(label):
        lines.append("".join(_html_run(run, size, color) for run in line) or " ")
        if _hangs(line) and i + 1 < len(label):
            lines.append(f'<FONT POINT-SIZE="{_GAP * size:.3g}"> </FONT>')
    return "<" + "<BR/>".join(lines) + ">"


@cache
def _html_run(run: Run, size: float, color: str | None) -> str:
    body = escape(run.text.replace("\\", r"\\"), quote=False)  # Graphviz reads \N and \G as signs
    body = body.replace("]", "&#93;")  # it cannot read a text that is this alone
    if run.italic:
        body = f"<I>{body}</I>"
    if run.level != "base":
        body = f"<{run.level.upper()}>{body}</{run.level.upper()}>"
    attributes = "" if run.size == 1.0 else f' POINT-SIZE="{run.size * size:.4g}"'
    if color:
        attributes += f' COLOR="{color}"'
    return f"<FONT{attributes}>{body}</FONT>" if attributes else body


_SHIFT = {"base": 0.0, "sub": 0.28, "sup": -0.45}
"""How far below the line the small letters stand, in units of their own size."""


@cache
def svg_lines(label: Label, size: float) -> tuple[tuple[float, str], ...]:
    """The lines of a label for SVG: how far its base line is below the label's middle, and text."""
    lines = []
    y = -height(label, size) / 2
    for i, line in enumerate(label):
        largest = size * max((run.size for run in line), default=1.0)
        words = "".join(_svg_runs(line, size))
        lines.append((y + (0.625 + 0.35) * largest, words))
        y += 1.25 * largest
        if _hangs(line) and i + 1 < len(label):
            y += 1.25 * size * _GAP
    return tuple(lines)


_APART = 1.4
"""So much farther from the line stands what has something above or below it."""
_LEAST = {"(": 0.33, ")": 0.33, "→": 0.83, "←": 0.83} | dict.fromkeys("0123456789", 0.55)
"""Width of characters in the sans serif in which they are narrowest."""


def _svg_runs(line: Line, size: float) -> Iterator[str]:
    """Text, and spans for what is in another style; each is shifted from where the last stood.

    A subscript stands below the superscript before it, not behind it.
    """
    last = 0.0
    levels = ["", *(run.level for run in line), ""]
    for i, run in enumerate(line):
        here = _SHIFT[run.level] * run.size * size
        back = 0.0
        if levels[i : i + 2] == ["sup", "sub"]:
            before = line[i - 1]
            back = _least_width(before, size)
        if back or levels[i + 1 : i + 3] == ["sup", "sub"]:
            here *= _APART
        ahead = 0.0  # a letter below that is narrower than what is above ends before that does
        if i > 1 and levels[i - 1 : i + 1] == ["sup", "sub"]:
            above, below = line[i - 2], line[i - 1]
            ahead = max(0.0, width(((above,),), size) - _least_width(below, size))
        styles = {
            "dx": f"{ahead - back:.3g}" if ahead != back else "",
            "dy": f"{here - last:.3g}" if here != last else "",
            "font-size": f"{run.size * size:.4g}" if run.size != 1.0 else "",
            "font-style": "italic" if run.italic else "",
        }
        last = here
        written = "".join(f' {key}="{value}"' for key, value in styles.items() if value)
        body = escape(run.text, quote=False)
        yield f"<tspan{written}>{body}</tspan>" if written else body


def _least_width(run: Run, size: float) -> float:
    return run.size * size * sum(_LEAST.get(character, 0.2) for character in run.text)
