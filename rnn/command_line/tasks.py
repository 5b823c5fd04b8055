r"""The tasks of ``python -m rnn train``: each makes data, a model for them, and says how it did.

    characters   language model over the characters of a text
    words        language model over the words of a text
    adding       add the two marked numbers of a sequence (Hochreiter and Schmidhuber 1997)
    digit-sum    add the first two digits of a sequence of digits, mostly zeros (NNDL, chapter 6)
    series       the next value of a time series in a CSV file: see `rnn.command_line.series`

Adding and digit-sum measure memory: what matters is at the beginning, or anywhere, and the answer
is asked for at the end.
"""

from __future__ import annotations

import zlib
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from microgrrepresent import Tensor, cross_entropy, no_grad
from microgrrepresent.node import Array
from rnn.command_line.series import Series
from rnn.command_line.task import CELLS, LAYERS, Settings, Task
from rnn.errors import CheckpointError, DataError
from rnn.layers.dense import Embedding
from rnn.models.heads import SequenceClassifier
from rnn.models.language_model import LanguageModel
from rnn.sequences.batches import language_model_batches
from rnn.sequences.datasets import bundled_text, read_text
from rnn.sequences.tokens import Unit
from rnn.sequences.vocabulary import UNK, Vocabulary
from rnn.training.checkpoint import load_checkpoint
from rnn.training.losses import bits_per_character, mse_loss, perplexity


class LanguageTask(Task):
    """A language model over the characters or words of a text, of which a tenth is held out.

    Parameters
    ----------
    settings, rng
        As for every task.
    vocabulary : Vocabulary, optional
        That of a checkpoint; by default that of the text.
    """

    unit: ClassVar[Unit] = "character"
    reads = ("text",)
    carry = True
    show: ClassVar[Mapping[str, Callable[[float], float]]] = {"perplexity": perplexity}
    model: LanguageModel

    def __init__(
        self, settings: Settings, rng: np.random.Generator, vocabulary: Vocabulary | None = None
    ) -> None:
        super().__init__(settings, rng)
        if vocabulary is None:
            text = read_text(settings.text) if settings.text else bundled_text()
            vocabulary = Vocabulary.of(text, self.unit, min_count=self._min_count, special=(UNK,))
            indices = vocabulary.encode(text)
            self.checksum = zlib.crc32(indices.tobytes())
            start, end = len(indices) * 9 // 20, len(indices) * 11 // 20
            self.indices = np.concatenate([indices[:start], indices[end:]])
            self.held_out = indices[start:end]
            if min(len(self.indices) - 1, len(self.held_out) - 1) < settings.batch:
                raise DataError(
                    f"the text has {len(indices)} {self.unit}s, too few to hold out a tenth and "
                    f"train on {settings.batch} pieces of the rest; give a longer text or a "
                    "smaller --batch"
                )
        self.vocabulary = vocabulary
        self.model = LanguageModel(
            len(vocabulary), settings.hidden, cell=CELLS[settings.cell], dtype=np.float32, rng=rng
        )

    @property
    def _min_count(self) -> int:
        return 1 if self.unit == "character" else 2  # rare words are what <unk> is learned from

    def batches(self, rng: np.random.Generator) -> Iterable[tuple[Array, Array]]:
        """The text once, without what is held out, in contiguous pieces."""
        return language_model_batches(self.indices, self.settings.batch, self.settings.length, rng)

    def loss(self, batch: tuple[Array, Array], state: Any = None) -> tuple[Tensor, Any]:
        """Mean cross-entropy, and the state to carry on."""
        return self.model.loss(*batch, state)

    def validate(self) -> float:
        """Mean cross-entropy on the tenth in the middle of the text, read in one go."""
        x, y = self.held_out[:-1, None], self.held_out[1:, None]
        return float(self.model.loss(x, y)[0])

    def verdict(self) -> str:
        """Perplexity on the held-out tenth."""
        with no_grad():
            loss = self.validate()
        bits = f", {bits_per_character(loss):.2f} bits" if self.unit == "character" else ""
        return (
            f"perplexity {perplexity(loss):.2f} a {self.unit}{bits} on the held-out tenth of the "
            f"text; {len(self.vocabulary)} would be that of knowing nothing"
        )

    def extra(self) -> dict[str, Any]:
        """The vocabulary too, and a checksum, by which to tell this text from others."""
        return super().extra() | {
            "vocabulary": self.vocabulary.to_json(),
            "checksum": self.checksum,
        }


class Characters(LanguageTask):
    """A language model over characters."""

    name = "characters"


class Words(LanguageTask):
    """A language model over words."""

    name = "words"
    unit = "word"


class MemoryTask(Task):
    """Sequences made on the fly, with one answer at the end."""

    model: SequenceClassifier

    def __init__(self, settings: Settings, rng: np.random.Generator) -> None:
        super().__init__(settings, rng)
        if settings.length < 2:
            raise DataError(f"{self.name}: a sequence has at least 2 steps")
        self.held_out = self.draw(512, np.random.default_rng(0))

    @abstractmethod
    def draw(self, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """Make n sequences, and the answers to them."""

    def batches(self, rng: np.random.Generator) -> Iterable[tuple[Array, Array]]:
        """A hundred fresh batches."""
        return (self.draw(self.settings.batch, rng) for _ in range(100))

    def validate(self) -> float:
        """The loss on 512 sequences that stay the same."""
        return float(self.loss(self.held_out))


class Adding(MemoryTask):
    """The sum of the two numbers, among numbers from 0 to 1, that are marked by a 1 beside them."""

    name = "adding"

    def __init__(self, settings: Settings, rng: np.random.Generator) -> None:
        super().__init__(settings, rng)
        layer = LAYERS[settings.cell](2, settings.hidden, dtype=np.float32, rng=rng)
        self.model = SequenceClassifier(layer, 1, rng=rng)  # the one "class" is the sum

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """Inputs (T, n, 2), numbers and marks, and the sums (n, 1)."""
        T = self.settings.length
        numbers = rng.uniform(0, 1, (T, n))
        marks = np.zeros((T, n))
        first = rng.integers(0, T // 2, n)
        second = rng.integers(T // 2, T, n)
        marks[first, np.arange(n)] = marks[second, np.arange(n)] = 1
        x = np.stack([numbers, marks], axis=-1)
        return x.astype(np.float32), (numbers * marks).sum(0)[:, None].astype(np.float32)

    def loss(self, batch: tuple[Array, Array], state: Any = None) -> Tensor:
        """Mean squared error."""
        x, y = batch
        return mse_loss(self.model(x), y)

    def verdict(self) -> str:
        """Squared error, beside that of an answer that does not look at the sequence."""
        with no_grad():
            loss = self.validate()
        return f"mean squared error {loss:.4f}; always to say 1 has {1 / 6:.4f}"


class DigitSum(MemoryTask):
    """The sum of the first two digits of a sequence; the others are 0, but for one."""

    name = "digit-sum"

    def __init__(self, settings: Settings, rng: np.random.Generator) -> None:
        super().__init__(settings, rng)
        hidden = settings.hidden
        embedding = Embedding(10, hidden, dtype=np.float32, rng=rng)
        layer = LAYERS[settings.cell](hidden, hidden, dtype=np.float32, rng=rng)
        self.model = SequenceClassifier(layer, 19, "last", embedding, rng=rng)

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """Digits (T, n), and the sums (n,)."""
        digits = np.zeros((self.settings.length, n), dtype=np.int64)
        digits[:2] = rng.integers(0, 10, (2, n))
        if len(digits) > 2:
            digits[rng.integers(2, len(digits), n), np.arange(n)] = rng.integers(0, 10, n)
        return digits, digits[:2].sum(0)

    def loss(self, batch: tuple[Array, Array], state: Any = None) -> Tensor:
        """Cross-entropy over the 19 sums."""
        x, y = batch
        L: Tensor = cross_entropy(self.model(x), y)
        return L

    def verdict(self) -> str:
        """Share of right answers."""
        x, y = self.held_out
        with no_grad():
            right = (self.model(x).numpy().argmax(-1) == y).mean()
        return f"{right:.1%} of {len(y)} sums right; always to say 9 has 10.0%"


TASKS: dict[str, type[Task]] = {
    task.name: task for task in (Characters, Words, Adding, DigitSum, Series)
}


def load_task(path: str) -> Task:
    """Make the task and the model of a checkpoint again, with its best parameters.

    Raises
    ------
    CheckpointError
        If the file is no checkpoint of ``python -m rnn train``.
    """
    data = load_checkpoint(path)
    try:
        extra = data["extra"]
        kind, settings = TASKS[extra["task"]], Settings(**extra["settings"])
        rng = np.random.default_rng(0)
        if issubclass(kind, LanguageTask):
            vocabulary = Vocabulary.from_json(extra["vocabulary"])
            task: Task = kind(settings, rng, vocabulary)
        else:
            task = kind(settings, rng)
        task.model.load_state_dict(data["result"] or data["best"] or data["model"])
    except (KeyError, TypeError, ValueError) as error:
        why = f"it holds no {error}" if isinstance(error, KeyError) else error
        raise CheckpointError(
            f"{path} is a checkpoint, but not one that `python -m rnn train` wrote: {why}"
        ) from error
    task.model.eval()
    return task
