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
from collections.abc import Callable
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

    def is_called(self, name: str) -> bool:
        """Whether one of its names or words is exactly this, endings, blanks and case aside."""
        return _stem(_joined(name)) in (_stem(_joined(own)) for own in self.names + self.words)

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


def find(sought: str) -> list[System]:
    """The systems with a name that has these words, in either language, nearest first.

    First come those that are called exactly so, then those with the words in one of their names,
    then those with them in several. Neither order nor endings (gate, gates, gating), hyphens and
    blanks count. Where nothing has all words, those that say little are left out, such as
    "network" or "的区别"; where still nothing has them, formulas and calls are searched.

    Parameters
    ----------
    sought : str
        A name or words of it, such as ``"peephole"``, ``"gradient vanishing"`` or ``"窥视孔"``.

    Raises
    ------
    DataError
        If there is none; it names the nearest.

    Examples
    --------
    >>> from rnn.systems import find
    >>> [system.english[0] for system in find("窥视孔")]
    ['Peephole LSTM']
    >>> find("gradient vanishing")[0].english[0]
    'Vanishing and exploding gradients'
    """
    found = (
        _nearest(sought, lambda system: system.names + system.words)
        or _nearest(_SAYS_LITTLE.sub(" ", _plain(sought)), lambda s: s.names + s.words)
        or _nearest(sought, lambda system: (system.formula, system.call))
    )
    if not found:
        from difflib import get_close_matches

        names = {_joined(name): name for s in systems() for name in s.names + s.words}
        near = [names[name] for name in get_close_matches(_joined(sought), names, n=3, cutoff=0.5)]
        instead = f"near it: {', '.join(near)}" if near else "`python -m rnn systems` lists all"
        raise DataError(f"no system of the lecture notes is called {sought!r}; {instead}")
    return found


# --- words ----------------------------------------------------------------------------------------

_SAYS_LITTLE = re.compile(
    r"\b(?:an?|and|as|do|does|for|how|in|is|of|on|or|the|to|vs|versus|what|why|with|algorithm|cell"
    r"|encoding|layer|mechanism|method|model|network|neural|problem|technique|unit|vector)s?\b"
    r"|['’]s\b|的?区别|算法|网络|机制|模型|编码(?!器)|什么是|为什么|方法|问题|[的和与]"
)
_WORD = re.compile(r"[\u4e00-\u9fff]|[^\W_\u4e00-\u9fff]+")  # one Chinese character, or letters
_ENDING = re.compile(r"(?<=[a-z]{3})(?:ing|ion|at|ed|es|s|e|i|y)$|(?<=[a-z]{2})([a-z])(?=\1$)")


def _nearest(sought: str, names_of: Callable[[System], tuple[str, ...]]) -> list[System]:
    """The systems whose names have all words of a text, nearest first."""
    words = _WORD.findall(_plain(sought))
    readings = [  # nearest first: in one piece, with what hyphens join as one word, and as several
        frozenset(map(_stem, found))
        for found in (["".join(words)], _WORD.findall(_plain(sought).replace("-", "")), words)
        if words
    ]
    distances = {}
    for system in systems():
        names = [_phrases(name) for name in names_of(system)]
        far = [
            (rank, len(name))
            for name in [*names, frozenset().union(*names)]
            for rank, reading in enumerate(readings)
            if reading <= name
        ]
        if far:
            distances[system] = (not system.is_called(sought), *min(far))
    return sorted(distances, key=distances.__getitem__)


@cache
def _phrases(name: str) -> frozenset[str]:
    """The words of a name, and those that follow each other as one: ``onehot`` of "one-hot"."""
    words = _WORD.findall(_plain(name))
    ends = range(1, len(words) + 1)
    return frozenset(_stem("".join(words[start:end])) for end in ends for start in range(end))


def _stem(word: str) -> str:
    """A word without its ending, in any form: ``vanish`` of "vanishing", ``clip`` of "clipped"."""
    while (shorter := _ENDING.sub("", word)) != word:
        word = shorter
    return word


def _joined(text: str) -> str:
    return "".join(_WORD.findall(_plain(text)))


def _plain(text: str) -> str:
    """A text without what a search should not depend on: case and width."""
    return unicodedata.normalize("NFKC", text).casefold()
