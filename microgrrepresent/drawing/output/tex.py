r"""Labels as TeX, in mathematics: ``h`` at t = 3 is ``$h_{\mathrm{3}}$``.

TeX knows the letters and signs that are listed here. Any other character is written as
``\other{character}{code}``, with `PREAMBLE` to say what that is: XeTeX and LuaTeX take it from a
font that has it; pdfTeX, which has none, writes its code.
"""

from __future__ import annotations

import unicodedata

from microgrrepresent.drawing.marks.labels import Label, Line, Run
from microgrrepresent.letters import GREEK_NAMES

PREAMBLE = r"""\usepackage{iftex}
\ifPDFTeX
  \newcommand\other[2]{\text{\scriptsize U+#2}}
\else
  \usepackage{fontspec}
  \IfFontExistsTF{DejaVu Sans}{\newfontfamily\otherfont{DejaVu Sans}}{\let\otherfont\relax}
  \newcommand\other[2]{\text{\otherfont #1}}
\fi
"""
CHINESE = r"\ifPDFTeX\else\usepackage{ctex}\fi" + "\n"

SIGNS = {letter: "\\" + name for letter, name in GREEK_NAMES.items()} | {
    "<": "{<}", ">": "{>}", "=": "{=}", "+": "{+}", "-": "{-}", "−": "{-}", "*": "{*}",
    "/": "{/}", ":": "{:}", ",": "{,}", "×": r"\times", "÷": r"\div", "·": r"\cdot",
    "√": r"\surd", "ᵀ": r"^{\top}",
    "…": r"\ldots", "⧺": r"+\!\!+", "∂": r"\partial", "∘": r"\circ", "≤": r"\le", "≥": r"\ge",
    "≠": r"\ne", "⇄": r"\rightleftarrows", "✂": r"\wr", "⇒": r"\Rightarrow", "‖": r"\|",
    "←": r"\leftarrow", "→": r"\to", "⊙": r"\odot", "|": r"\vert", "—": r"\text{---}",
    "¬": r"\neg", "∧": r"\wedge", "∨": r"\vee", "²": "^{2}", "³": "^{3}",
    "↻": r"\circlearrowright", "ℓ": r"\ell", "\u2009": r"\,", " ": r"\ ",
    "#": r"\#", "%": r"\%", "&": r"\&", "_": r"\_", "{": r"\{", "}": r"\}", "$": r"\$",
    "^": r"\text{\textasciicircum}", "~": r"\text{\textasciitilde}", "\\": r"\backslash",
    "'": r"\text{'}", '"': r"\text{''}", "`": r"\text{`}",
}  # fmt: skip

ACCENTS = {
    "\u0300": r"\grave", "\u0301": r"\acute", "\u0302": r"\hat", "\u0303": r"\tilde",
    "\u0304": r"\bar", "\u0306": r"\breve", "\u0307": r"\dot", "\u0308": r"\ddot",
    "\u030a": r"\mathring", "\u030c": r"\check",
}  # fmt: skip


def tex(label: Label, size: float) -> str:
    r"""The label as TeX, its lines one below the other, in a size in points.

    Examples
    --------
    >>> from microgrrepresent.drawing.marks.labels import math, text
    >>> print(tex((math("W_hh"),), 14), tex((math("lambda", 3), text("tanh", size=0.75)), 14))
    \setsize{14}$W_{\mathrm{hh}}$ \shortstack{\setsize{14}$\lambda_{\mathrm{3}}$\\\setsize{10.5}$\mathrm{tanh}$}
    """  # noqa: E501
    lines = [_line(line, size) for line in label if line]
    return lines[0] if len(lines) == 1 else r"\shortstack{" + r"\\".join(lines) + "}"


def _line(line: Line, size: float) -> str:
    largest = max(run.size for run in line)
    words = "".join(map(_run, line))
    return rf"\setsize{{{largest * size:.4g}}}${words}$"


def _run(run: Run) -> str:
    body = _words(unicodedata.normalize("NFD", run.text))
    if not run.italic:
        body = rf"\mathrm{{{body}}}"
    return {"base": body, "sub": f"_{{{body}}}", "sup": f"^{{{body}}}"}[run.level]


def _words(words: str) -> str:
    pieces: list[str] = []
    for character in unicodedata.normalize("NFD", words):
        if character in ACCENTS and pieces:
            pieces[-1] = f"{ACCENTS[character]}{{{pieces[-1]}}}"
        elif character in SIGNS or character.isascii():
            pieces.append(SIGNS.get(character, character))
        else:
            pieces.append(rf"\other{{{character}}}{{{ord(character):X}}}")
    written = ""
    for piece in pieces:  # a command ends where no letter follows
        ends = written[-1:].isalpha() and written[written.rfind("\\") + 1 :].isalpha()
        written += (" " if ends and "\\" in written and piece[:1].isalpha() else "") + piece
    return written
