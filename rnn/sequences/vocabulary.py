r"""A vocabulary: the tokens that a model knows, each with its index.

A network sees numbers, so a text becomes the indices of its tokens, and these become one-hot
vectors e_i (every two equally far apart, √2) or rows of an embedding table. Three tokens are
special: ``<pad>`` fills up short sequences, ``<unk>`` stands for every token that is not known,
``<eos>`` is the end of a sequence, which a model learns to predict like any other token.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from microgrrepresent import one_hot
from microgrrepresent.arrays import plain_array
from microgrrepresent.errors import shortened
from microgrrepresent.files import write_file
from microgrrepresent.node import Array
from rnn.errors import DataError
from rnn.sequences.datasets import read_text
from rnn.sequences.tokens import Unit, check_unit, tokenize

PAD, UNK, EOS = "<pad>", "<unk>", "<eos>"


_NO_BLANK = re.compile(r" (?=[,.;:!?…)\]}，。；：！？、）》」』”](?: |$))")


class Vocabulary:
    """Tokens and their indices.

    Parameters
    ----------
    tokens : iterable of str
        The tokens in the order of their indices, special ones included, none twice.
    unit : {"character", "word"}
        How `encode` cuts a text, and whether `decode` puts blanks between tokens.

    Raises
    ------
    DataError
        If there are no tokens, or one is there twice.

    Examples
    --------
    >>> from rnn import Vocabulary
    >>> vocabulary = Vocabulary.of("to be or not to be", unit="word", special=("<unk>",))
    >>> vocabulary.tokens
    ('<unk>', 'be', 'not', 'or', 'to')
    >>> vocabulary.encode("to be a cat").tolist()
    [4, 1, 0, 0]
    """

    def __init__(self, tokens: Iterable[str], unit: Unit = "character") -> None:
        self.tokens: tuple[str, ...] = tuple(_listed("a vocabulary: the tokens", tokens))
        self.unit: Unit = unit
        self._index = {token: i for i, token in enumerate(self.tokens)}
        if not self.tokens:
            raise DataError("a vocabulary needs at least one token")
        if other := [token for token in self.tokens if not isinstance(token, str)]:
            raise DataError(f"the tokens of a vocabulary are strings, got {other[0]!r}")
        check_unit(unit)
        if len(self._index) < len(self.tokens):
            twice = next(token for token, n in Counter(self.tokens).items() if n > 1)
            raise DataError(f"a vocabulary has each token once; {twice!r} is there twice")

    @classmethod
    def of(
        cls,
        corpus: str | Iterable[str],
        unit: Unit = "character",
        min_count: int = 1,
        special: Sequence[str] = (PAD, UNK, EOS),
    ) -> Self:
        """Collect the tokens of a text, or of a list of tokens.

        Parameters
        ----------
        corpus : str or iterable of str
            A text, which is cut into units; anything else is taken as the tokens themselves.
        unit : {"character", "word"}
            See `Vocabulary`.
        min_count : int
            Tokens that are rarer are left out, so that they are read as ``<unk>``.
        special : sequence of str
            Special tokens, which get the first indices. The other tokens are sorted.

        Raises
        ------
        DataError
            If the corpus is empty.
        """
        tokens = (
            tokenize(corpus, unit)
            if isinstance(corpus, str)
            else _words("a vocabulary: the corpus", corpus)
        )
        counts = Counter(tokens)
        if not counts:
            raise DataError("a vocabulary is made of the tokens of a corpus, but this one is empty")
        known = sorted(token for token, n in counts.items() if n >= min_count)
        return cls([*special, *(token for token in known if token not in special)], unit)

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: object) -> bool:
        return token in self._index

    def __getitem__(self, token: str) -> int:
        """Index of a token; that of ``<unk>`` if it is not known.

        Raises
        ------
        DataError
            If it is not known, and there is no ``<unk>``.
        """
        index = self._index.get(token, self.unk)
        if index is None:
            raise DataError(
                f"{token!r} is not among the {len(self)} tokens of the vocabulary, which has no "
                f"{UNK} to stand for it; make the vocabulary with special=({UNK!r},)"
            )
        return index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and other.to_json() == self.to_json()

    def __hash__(self) -> int:
        return hash((self.tokens, self.unit))

    def __repr__(self) -> str:
        return f"<vocabulary of {len(self)} {self.unit}s>"

    @property
    def pad(self) -> int | None:
        """Index of ``<pad>``, or None."""
        return self._index.get(PAD)

    @property
    def unk(self) -> int | None:
        """Index of ``<unk>``, or None."""
        return self._index.get(UNK)

    @property
    def eos(self) -> int | None:
        """Index of ``<eos>``, or None."""
        return self._index.get(EOS)

    def encode(self, text: str | Iterable[str], eos: bool = False) -> Array:
        """Indices of the tokens of a text, or of a list of tokens.

        Parameters
        ----------
        text : str or iterable of str
            A text, which is cut into units; anything else is taken as the tokens themselves.
        eos : bool
            Add the index of ``<eos>``.

        Raises
        ------
        DataError
            For an unknown token without ``<unk>``, or `eos` without ``<eos>``.
        """
        tokens = (
            tokenize(text, self.unit) if isinstance(text, str) else _words("encode: the text", text)
        )
        indices = [self[token] for token in tokens]
        if eos:
            if self.eos is None:
                raise DataError(f"encode: the vocabulary has no {EOS} to add")
            indices.append(self.eos)
        return np.array(indices, dtype=np.int64)

    def decode(self, indices: Iterable[int]) -> str:
        """The text behind indices, up to the first ``<eos>`` and without ``<pad>``.

        Words have blanks between them, but none before a mark that closes what it follows.

        Raises
        ------
        DataError
            For an index that the vocabulary does not have, or more than one row of them.

        Examples
        --------
        >>> from rnn import Vocabulary
        >>> vocabulary = Vocabulary.of("好很")
        >>> vocabulary.decode(vocabulary.encode("很好", eos=True))
        '很好'
        """
        tokens = []
        row = plain_array(indices if hasattr(indices, "shape") else _listed("decode", indices))
        if row.ndim != 1:
            raise DataError(
                f"decode: indices are one row, got shape {row.shape}; of a batch (T, B), decode "
                "each column on its own"
            )
        for i in row:
            if i == self.eos:
                break
            if not 0 <= i < len(self):
                raise DataError(f"decode: index {i} is not in 0..{len(self) - 1}")
            if i != self.pad:
                tokens.append(self.tokens[int(i)])
        if self.unit == "character":
            return "".join(tokens)
        return _NO_BLANK.sub("", " ".join(tokens))

    def one_hot(self, indices: Any, dtype: DTypeLike = np.float64) -> Any:
        """Vectors e_i of the length of the vocabulary, on a new last axis."""
        return one_hot(indices, len(self), dtype)

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` takes."""
        return {"unit": self.unit, "tokens": list(self.tokens)}

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Make a vocabulary of what `to_json` gave.

        Raises
        ------
        DataError
            If that is not what was given.
        """
        if not isinstance(data, dict) or set(data) != {"unit", "tokens"}:
            raise DataError("this is no vocabulary: it must have 'unit' and 'tokens'")
        tokens = data["tokens"]
        if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
            raise DataError("this is no vocabulary: its tokens must be a list of strings")
        return cls(tokens, data["unit"])

    def save(self, path: str | Path) -> None:
        """Write a JSON file.

        Raises
        ------
        FileError
            If it cannot be written.
        """
        text = json.dumps(self.to_json(), ensure_ascii=False, indent=0)
        try:
            data = text.encode()
        except UnicodeEncodeError as error:
            raise DataError(
                f"cannot write {path}: {text[error.start]!r} is half of a character, which UTF-8 "
                "has no bytes for; was the text decoded with errors='surrogateescape'?"
            ) from error
        write_file(path, data)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a file that `save` wrote.

        Raises
        ------
        FileError
            If the file cannot be read.
        DataError
            If it holds no vocabulary.
        """
        try:
            return cls.from_json(json.loads(read_text(path)))
        except (json.JSONDecodeError, RecursionError) as error:
            raise DataError(f"{path} holds no vocabulary: {error}") from error


def _words(what: str, given: Any) -> list[str]:
    words = _listed(what, given)
    for word in words:
        if not isinstance(word, str):
            raise DataError(f"{what} must be strings, got {shortened(word)}")
    return words


def _listed(what: str, given: Any) -> list[Any]:
    if not isinstance(given, Iterable):
        raise DataError(f"{what}: a list or a string is needed, got {shortened(given)}")
    return list(given)
