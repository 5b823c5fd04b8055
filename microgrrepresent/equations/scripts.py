r"""Three ways to write mathematics: LaTeX, plain text for a terminal, and HTML for a page.

A script knows how to put pieces together, not what they mean. The LaTeX keeps to what both MathJax
and matplotlib's mathtext understand: no environments, no packages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from microgrrepresent.letters import ACCENTS, GREEK, GREEK_NAMES

_FUNCTIONS = frozenset({"tanh", "sin", "cos", "log", "ln", "exp", "max", "min"})
"""Functions that LaTeX has a command for."""
_SIGNS = {
    "≠": r"\neq",
    "≤": r"\leq",
    "≥": r"\geq",
    "∧": r"\wedge",
    "∨": r"\vee",
    "¬": r"\neg ",
    "mod": r"\bmod",
}

_MARK = re.compile(r"(.*?)([→←]?)('*)", re.DOTALL)


def mark_parts(mark: str) -> tuple[str, str, str]:
    """The layer, the direction and the primes of a mark: ``2←'``."""
    match = _MARK.fullmatch(mark)
    assert match is not None
    return match[1], match[2], match[3]


class LaTeX:
    """LaTeX without environments."""

    times = r" \odot "
    juxtaposed = r"\, "
    dot = r" \cdot "
    ones = r"\mathbf{1}"
    dots = r"\ldots"
    bars = True  # a fraction is held together by its bar
    raises = True  # an exponent by standing higher
    accents = True  # a letter may have a bar above it

    def inline(self, text: str) -> str:
        """Mathematics in the midst of words."""
        return f"${text.strip()}$"  # a dollar sign behind a blank ends no formula

    def symbol(self, name: str, mark: str, time: str | None, angle: bool = False) -> str:
        """A letter with its subscripts, its mark and its time: ``a_{i,t}``, ``h^{(2)}_{t-1}``."""
        return self._scripted(self._pointed(name, mark), name, mark, time, angle)

    def _pointed(self, name: str, mark: str) -> str:
        """A letter, with an arrow above it where it is that of one direction."""
        letter = self._letter(name.split("_")[0])
        command = {"→": "overrightarrow", "←": "overleftarrow"}.get(mark_parts(mark)[1])
        return rf"\{command}{{{letter.strip()}}}" if command else letter

    def _scripted(self, letter: str, name: str, mark: str, time: str | None, angle: bool) -> str:
        """A letter that is already written, with all that stands below and above it."""
        subscripts = [self._subscript(part) for part in name.split("_")[1:]]
        number, _, primes = mark_parts(mark)
        above = [f"({_escaped(number)})"] if number else []
        above += [r"\prime" * len(primes)] if primes else []
        if time is not None and angle:
            above.append(rf"\langle {time} \rangle")
        elif time is not None:
            subscripts.append(time)
        if subscripts or above:
            letter = letter.rstrip()
        letter += "_{" + ",".join(subscripts) + "}" if subscripts else ""
        return letter + ("^{" + " ".join(above) + "}" if above else "")

    def _letter(self, base: str) -> str:
        for accent, combining in ACCENTS.items():
            if base.endswith(combining) or (base.startswith(accent) and len(base) > len(accent)):
                inner = base[: -len(combining)] if base.endswith(combining) else base[len(accent) :]
                return rf"\{accent}{{{self._letter(inner)}}}"
        if base == "ℒ":
            return r"\mathcal{L}"
        decomposed = {"ŷ": "y", "ĉ": "c", "ĥ": "h"}
        if base in decomposed:
            return rf"\hat{{{decomposed[base]}}}"
        if base in GREEK_NAMES or base in GREEK_NAMES.values():
            return "\\" + GREEK_NAMES.get(base, base) + " "
        return base if base.isalnum() and len(base) == 1 else rf"\mathrm{{{_escaped(base)}}}"

    def _subscript(self, text: str) -> str:
        if re.fullmatch(r"[a-zA-Z]{3,}", text):
            return rf"\mathrm{{{text}}}"
        return _escaped(text).rstrip()

    def bar(self, name: str, mark: str, time: str | None, angle: bool = False) -> str:
        """A letter with a bar above it."""
        letter = rf"\bar{{{self._pointed(name, mark).strip()}}}"
        return self._scripted(letter, name, mark, time, angle)

    def partial(self, loss: str, symbol: str) -> str:
        """The derivative of the loss by a symbol."""
        return rf"\frac{{\partial {loss}}}{{\partial {symbol}}}"

    def differential(self, symbol: str) -> str:
        """A d before a symbol."""
        return rf"\mathrm{{d}}{symbol}"

    def is_raised(self, name: str, mark: str, time: str | None, angle: bool = False) -> bool:
        """Whether a letter has something where an exponent would stand."""
        number, _, primes = mark_parts(mark)
        return bool(number or primes) or (time is not None and angle)

    def transposed(self, atom: str) -> str:
        """An atom with the sign of the transpose."""
        return atom + r"^{\top}"

    def power(self, atom: str, exponent: str) -> str:
        """An atom to a power."""
        return f"{atom}^{{{exponent}}}"

    def fraction(self, above: str, below: str) -> str:
        """A fraction."""
        return rf"\frac{{{above}}}{{{below}}}"

    def parenthesized(self, text: str) -> str:
        """Text in parentheses."""
        return rf"\left({text}\right)"

    def call(self, function: str, arguments: Sequence[str]) -> str:
        """A function applied to arguments."""
        written = rf"\mathrm{{{_escaped(function)}}}"
        if function in _FUNCTIONS:
            written = rf"\{function}"
        elif function in GREEK_NAMES:
            written = rf"\{GREEK_NAMES[function]}"
        return rf"{written}\left({', '.join(arguments)}\right)"

    def sign(self, sign: str) -> str:
        """A sign between two things."""
        return _SIGNS.get(sign, sign)

    def bracketed(self, text: str) -> str:
        """Text in brackets: 1 where what it says holds, 0 where it does not."""
        return rf"\left[{text}\right]"

    def floor(self, text: str) -> str:
        """The largest integer that is not above."""
        return rf"\left\lfloor {text} \right\rfloor"

    def unit(self, number: str) -> str:
        """The one-hot vector of a class."""
        return f"e_{{{number}}}"

    def code(self, name: str) -> str:
        """A name in a program."""
        return rf"\mathtt{{{_escaped(name)}}}"

    def over_steps(self, steps: Sequence[int], text: str) -> str:
        """A sum over t."""
        if _are_successive(steps):
            return rf"\sum_{{t={steps[0]}}}^{{{steps[-1]}}} {text}"
        return rf"\sum_{{t \in \{{{_listed(steps, self.dots)}\}}}} {text}"

    def over(self, what: str, text: str) -> str:
        """A sum over something that has a name, or over everything."""
        return rf"\sum_{{\mathrm{{{what}}}}} {text}" if what else rf"\sum {text}"

    def list(self, parts: Sequence[str], below: bool) -> str:
        """Parts in brackets, side by side or one below the other."""
        inside = (r";\; " if below else r",\; ").join(parts)
        return rf"\left[{inside}\right]"

    def element(self, atom: str, index: str) -> str:
        """An element or a part of something."""
        return rf"{atom}\left[{index}\right]"

    def range(self, steps: Sequence[int]) -> str:
        """The steps for which an equation holds."""
        if len(steps) > 2 and _are_successive(steps):
            return rf"t = {steps[0]}, \ldots, {steps[-1]}"
        return "t = " + _listed(steps, self.dots)


class Plain:
    """Unicode text: ``h_t = tanh(a_t)``, ``a<t> = tanh(z<t>)``."""

    times = " ⊙ "
    juxtaposed = " "
    dot = " · "
    ones = "𝟏"
    dots = "…"
    bars = raises = accents = False

    def inline(self, text: str) -> str:
        """Mathematics in the midst of words."""
        return text

    def symbol(self, name: str, mark: str, time: str | None, angle: bool = False) -> str:
        """A letter with its mark and its time: ``a_{i,t}``, ``h^(2)_{t-1}``, ``h←_t``."""
        letter, *below = self._letter(name).split("_")
        below += [] if time is None or angle else [time]
        if time is None and not mark:
            return self._letter(name)
        number, way, primes = mark_parts(mark)
        text = letter + way + primes + (f"^({number})" if number else "")
        if words := ",".join(filter(None, below)):
            text += f"_{words}" if re.fullmatch(r"\w+", words) else f"_{{{words}}}"
        return f"{text}<{time}>" if time is not None and angle else text

    def _letter(self, name: str) -> str:
        for accent, combining in ACCENTS.items():
            base, _, rest = name.partition("_")
            if base.startswith(accent) and len(base) > len(accent):
                return base[len(accent) :] + combining + (f"_{rest}" if rest else "")
        base, _, rest = name.partition("_")
        return GREEK.get(base, base) + (f"_{rest}" if rest else "")

    def bar(self, name: str, mark: str, time: str | None, angle: bool = False) -> str:
        """The derivative of the loss, in full: a bar above is hard to read in a terminal."""
        return f"∂L/∂{self.symbol(name, mark, time)}"

    def partial(self, loss: str, symbol: str) -> str:
        """The derivative of the loss by a symbol."""
        return f"∂{loss}/∂{symbol}"

    def differential(self, symbol: str) -> str:
        """A d before a symbol."""
        return f"d{symbol}"

    def is_raised(self, name: str, mark: str, time: str | None, angle: bool = False) -> bool:
        """Whether a letter ends with a number that stands where an exponent would."""
        return bool(mark_parts(mark)[0]) and time is None and "_" not in name

    def transposed(self, atom: str) -> str:
        """An atom with the sign of the transpose."""
        return f"{atom}ᵀ"

    def power(self, atom: str, exponent: str) -> str:
        """An atom to a power."""
        return f"{atom}²" if exponent == "2" else f"{atom}^{exponent}"

    def fraction(self, above: str, below: str) -> str:
        """A fraction of two that hold together by themselves."""
        return f"{above}/{below}"

    def parenthesized(self, text: str) -> str:
        """Text in parentheses."""
        return f"({text})"

    def call(self, function: str, arguments: Sequence[str]) -> str:
        """A function applied to arguments."""
        return f"{function}({', '.join(arguments)})"

    def sign(self, sign: str) -> str:
        """A sign between two things."""
        return sign

    def bracketed(self, text: str) -> str:
        """Text in brackets: 1 where what it says holds, 0 where it does not."""
        return f"[{text}]"

    def floor(self, text: str) -> str:
        """The largest integer that is not above."""
        return f"⌊{text}⌋"

    def code(self, name: str) -> str:
        """A name in a program."""
        return name

    def unit(self, number: str) -> str:
        """The one-hot vector of a class."""
        return f"e_{number}" if number.isalnum() else f"e_{{{number}}}"

    def over_steps(self, steps: Sequence[int], text: str) -> str:
        """A sum over t."""
        if _are_successive(steps):
            return f"Σ(t={steps[0]}..{steps[-1]}) {text}"
        return f"Σ(t={_listed(steps, self.dots)}) {text}"

    def over(self, what: str, text: str) -> str:
        """A sum over something that has a name, or over everything."""
        return f"Σ({what}) {text}" if what else f"Σ {text}"

    def list(self, parts: Sequence[str], below: bool) -> str:
        """Parts in brackets, side by side or one below the other."""
        return "[" + ("; " if below else ", ").join(parts) + "]"

    def element(self, atom: str, index: str) -> str:
        """An element or a part of something."""
        return f"{atom}[{index}]"

    def range(self, steps: Sequence[int]) -> str:
        """The steps for which an equation holds."""
        if len(steps) > 2 and _are_successive(steps):
            return f"t = {steps[0]}..{steps[-1]}"
        return "t = " + _listed(steps, self.dots)


class Html(Plain):
    """HTML: italic letters, real subscripts, and no script or font from elsewhere."""

    ones = "<b>1</b>"
    raises = True

    def symbol(self, name: str, mark: str, time: str | None, angle: bool = False) -> str:
        """A letter with its subscripts, its mark and its time."""
        base, *subscripts = self._letter(name).split("_")
        subscripts += [] if time is None else [time]
        number, way, primes = mark_parts(mark)
        below = f"<sub>{escape(', '.join(subscripts))}</sub>" if subscripts else ""
        above = (
            f"<sup>{escape(f'({number})' if number.isdigit() else number)}</sup>" if number else ""
        )
        return f"<i>{escape(base)}</i>{way}{'′' * len(primes)}{below}{above}"

    def is_raised(self, name: str, mark: str, time: str | None, angle: bool = False) -> bool:
        """Whether a letter has something where an exponent would stand."""
        return bool(mark_parts(mark)[0])

    def power(self, atom: str, exponent: str) -> str:
        """An atom to a power."""
        return f"{atom}<sup>{exponent}</sup>"

    def call(self, function: str, arguments: Sequence[str]) -> str:
        """A function applied to arguments."""
        return super().call(escape(function), arguments)

    def sign(self, sign: str) -> str:
        """A sign between two things."""
        return escape(sign)

    def unit(self, number: str) -> str:
        """The one-hot vector of a class."""
        return f"<i>e</i><sub>{number}</sub>"


Script = LaTeX | Plain

_SPELLED = {
    **{sign: rf"\{sign}" for sign in "_%${}"},
    "\\": r"\backslash ", "^": r"\wedge ", "~": r"\sim ", "#": r"\sharp ", "&": "+",
    "\n": "", "\t": "",
    **{sign: rf"\{name} " for sign, name in GREEK_NAMES.items()},
}  # fmt: skip


def _listed(steps: Sequence[int], dots: str) -> str:
    """Steps one by one; of many, the first and the last."""
    shown = [*map(str, steps)] if len(steps) < 13 else [*map(str, steps[:3]), dots, str(steps[-1])]
    return ", ".join(shown)


def _are_successive(steps: Sequence[int]) -> bool:
    return abs(steps[-1] - steps[0]) == len(steps) - 1


def _escaped(text: str) -> str:
    """Text that means nothing but itself to LaTeX; a sign with no plain form has a similar one."""
    return "".join(_SPELLED.get(sign, sign) for sign in text)
