"""The systems of the lecture notes, and where each of them is found here.

One table, ``rnn/data/systems.toml``, has for each system its names in English and Chinese, its
formula, a call that runs it, and its picture, example and test. ``python -m rnn systems`` prints
it, the index of the course shows it, and tests run every call.

    python -m rnn systems peephole
    python -m rnn systems 窥视孔
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources

from rnn.errors import DataError


@dataclass(frozen=True)
class System:
    """A system, and where it is found.

    Attributes
    ----------
    part : str
        The part of the course to which it belongs.
    english, chinese : tuple of str
        What it is called, the usual name first.
    formula : str
        Its equations, or what it says; two blanks stand between two of them.
    call : str
        Lines of Python that run it after those of `preamble`. Where they draw it, the drawing is
        called ``picture``.
    picture : str or None
        A file of the repository that shows it; None where the call draws it.
    example, test : str
        A file of the repository, and a test as pytest names it.
    words : tuple of str
        What else people look for when they mean it, in both languages.
    """

    part: str
    english: tuple[str, ...]
    chinese: tuple[str, ...]
    formula: str
    call: str
    picture: str | None
    example: str
    test: str
    words: tuple[str, ...] = ()

    @property
    def formulas(self) -> list[str]:
        """Its equations, one by one."""
        return re.split(r"[,;] {2,}", self.formula)

    @property
    def names(self) -> tuple[str, ...]:
        """What it is called, in both languages."""
        return self.english + self.chinese

    def __repr__(self) -> str:
        return f"<System: {self.english[0]}; print() shows it>"

    def __str__(self) -> str:
        """The row as a card for a terminal."""
        picture = 'save(picture, "picture.svg")' if self.picture is None else self.picture
        call = "\n".join(f"    {line}" for line in self.call.splitlines())
        formulas = "\n    ".join(self.formulas)
        return "\n".join(
            [
                *(" · ".join(names) for names in (self.english, self.chinese)),
                f"\n    {formulas}\n",
                call,
                f"\n    picture   {picture}",
                f"    example   {self.example}",
                f"    test      {self.test}",
            ]
        )


@cache
def _table() -> dict[str, object]:
    import tomllib  # not before somebody asks

    text = (resources.files("rnn") / "data" / "systems.toml").read_text("utf-8")
    return tomllib.loads(text)


@cache
def systems() -> tuple[System, ...]:
    """All systems, in the order of the course.

    Examples
    --------
    >>> from rnn.systems import systems
    >>> systems()[0].part
    'Graphs'
    """
    rows: list[dict[str, object]] = _table()["system"]  # type: ignore[assignment]
    return tuple(_system(**row) for row in rows)  # type: ignore[arg-type]


def _system(
    part: str,
    english: list[str],
    chinese: list[str],
    formula: str,
    call: str,
    example: str,
    test: str,
    picture: str | None = None,
    words: list[str] | None = None,
) -> System:
    return System(
        part,
        tuple(english),
        tuple(chinese),
        formula,
        call.strip(),
        picture,
        example,
        test,
        tuple(words or ()),
    )


def preamble() -> str:
    """The lines that stand before every call: the imports, and a short sequence."""
    return str(_table()["before"]).strip()


def find(word: str) -> list[System]:
    """The systems with a name that contains a word, in either language.

    Where systems are called exactly so, they come alone.

    Parameters
    ----------
    word : str
        Part of a name, such as ``"peephole"`` or ``"窥视孔"``, in any case, with or without hyphens
        and blanks.

    Raises
    ------
    DataError
        If there is none; it names the nearest.

    Examples
    --------
    >>> from rnn.systems import find
    >>> [system.english[0] for system in find("窥视孔")]
    ['Peephole LSTM']
    """
    sought = _plain(word)
    called = {s: [_plain(name) for name in s.names + s.words] for s in systems()}
    found = [s for s, names in called.items() if sought in names]
    found = found or [s for s, names in called.items() if any(sought in name for name in names)]
    if not found:
        from difflib import get_close_matches

        plain = {_plain(name): name for s in systems() for name in s.names + s.words}
        near = [plain[name] for name in get_close_matches(sought, plain, n=3, cutoff=0.5)]
        instead = f"near it: {', '.join(near)}" if near else "`python -m rnn systems` lists all"
        raise DataError(f"no system of the lecture notes is called {word!r}; {instead}")
    return found


def _plain(text: str) -> str:
    """A name without what a search should not depend on: case, width, blanks and punctuation."""
    return re.sub(r"[\s\-‐–—_,.、()·]", "", unicodedata.normalize("NFKC", text).casefold())
