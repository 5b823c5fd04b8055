r"""The index's formulas, written as one would in a terminal, as LaTeX.

>>> latex("h̃_t = tanh(W_ya x_t + Σ_i u_i), t = 1..T")
'\\tilde{h}_t = \\tanh(W_{ya} x_t + \\sum_i u_i), t = 1\\ldots T'
"""

from __future__ import annotations

import re
import unicodedata

_FUNCTIONS = {"tanh", "log", "exp", "max", "min"}
_NAMED = {"softmax", "diag", "score", "sgn"}
_ACCENTS = {"\u0302": "hat", "\u0303": "tilde"}
_SIGNS = {
    "...": r"\ldots ", "..": r"\ldots ", "ᵀ": r"^{\top}", "Σ": r"\sum", "Π": r"\prod", "²": "^2",
    "½": r"\tfrac12 ", "∂": r"\partial ", "∘": r"\odot ", "→": r"\to ", "←": r"\leftarrow ",
    "√2": r"\sqrt2 ", "∈": r"\in ", "×": r"\times ", "≤": r"\leq ", "≈": r"\approx ",
    "·": r"\cdot ",
}  # fmt: skip
_WORDS = re.compile(r"[A-Za-z]{2,}(?:[ -][A-Za-z]{2,})*")
_SUBSCRIPT = re.compile(r"_([A-Za-z]{2,})")
_SET = re.compile(r"(∈ )\{(.*?)\}")


def latex(formula: str) -> str:
    """One formula of the index as LaTeX."""
    text = unicodedata.normalize("NFD", formula)
    text = re.sub(r"(\w)([\u0302\u0303])", lambda m: rf"\{_ACCENTS[m[2]]}{{{m[1]}}}", text)
    text = _SET.sub(r"\1\\{\2\\}", text).replace("<eos>", r"\langle eos \rangle")
    text = re.sub(r"\^\((\w)\)", r"^{(\1)}", text)
    text = re.sub(r"\^([→←])", r"^{\1}", text)
    text = _SUBSCRIPT.sub(lambda m: "_{" + m[1] + "}", text)
    text = re.sub(r"(?<![\\A-Za-z{])" + _WORDS.pattern, _word, text)
    for sign, command in _SIGNS.items():
        text = text.replace(sign, command)
    return re.sub(r" +", " ", text).strip()


def _word(found: re.Match[str]) -> str:
    words = found[0]
    if words in _FUNCTIONS:
        return f"\\{words}"
    if words in _NAMED:
        return rf"\operatorname{{{words}}}"
    return rf"\text{{ {words} }}" if len(words) > 2 or " " in words else words
