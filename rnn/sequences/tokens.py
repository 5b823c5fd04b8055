"""Tokens: a text cut into characters, or into words and punctuation marks."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal, get_args

from microgrrepresent.errors import shortened
from rnn.errors import DataError

Unit = Literal["character", "word"]


_MARK = "\u0301"  # stands for all marks


_WORDS = re.compile(rf"(?:\w{_MARK}*)+(?:['’](?:\w{_MARK}*)+)*|[^\w\s]{_MARK}*")


def tokenize(text: str, unit: Unit = "character") -> list[str]:
    """Cut a text into characters, or into words and punctuation marks.

    Characters are Unicode's code points. In words, marks that are combined with a letter, such as
    accents and the vowel signs of Devanagari, stay with it, and so do invisible joiners.

    Raises
    ------
    DataError
        For an unknown unit.

    Examples
    --------
    >>> from rnn import tokenize
    >>> tokenize("Cats, 1 cat.", "word")
    ['Cats', ',', '1', 'cat', '.']
    >>> tokenize("南开 大学 很 好", "word")
    ['南开', '大学', '很', '好']
    """
    check_unit(unit)
    if not isinstance(text, str):
        raise DataError(f"tokenize: the text must be a string, got {shortened(text)}")
    if unit == "character":
        return list(text)
    # Regular expressions know no class of marks, so they are looked for in a copy of the text.
    outline = "".join(_MARK if _is_mark(character) else character for character in text)
    return [text[found.start() : found.end()] for found in _WORDS.finditer(outline)]


def _is_mark(character: str) -> bool:
    return character in "\u200c\u200d" or unicodedata.category(character).startswith("M")


def check_unit(unit: str) -> None:
    """Refuse what is no unit."""
    if unit not in get_args(Unit):
        raise DataError(f"the unit of a vocabulary is 'character' or 'word', got {unit!r}")
