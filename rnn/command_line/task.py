"""What a task of ``python -m rnn train`` is: data, a model for them, a loss, and a verdict."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from rnn.cells import Cell, GRUCell, LSTMCell, RNNCell
from rnn.errors import DataError
from rnn.layers.layers import GRU, LSTM, RNN
from rnn.layers.recurrent import Recurrent
from rnn.module import Module

_READERS = {
    "text": "--text is for language models",
    "csv": "--csv is for the task series",
    "column": "--column is for the task series",
}

CELLS: dict[str, Callable[..., Cell[Any]]] = {"lstm": LSTMCell, "gru": GRUCell, "rnn": RNNCell}
LAYERS: dict[str, Callable[..., Recurrent[Any]]] = {"lstm": LSTM, "gru": GRU, "rnn": RNN}


@dataclass(frozen=True)
class Settings:
    """What the command line can say of a task.

    Attributes
    ----------
    cell : str
        One of `CELLS`.
    hidden : int
        Length of the state h.
    length : int
        Steps of a sequence, or between two cuts of truncated BPTT.
    batch : int
        Sequences side by side.
    text : str or None
        A file, for the language models; by default the bundled text.
    csv, column : str or None
        A file, and which of its columns, for the time series.
    """

    cell: str = "lstm"
    hidden: int = 64
    length: int = 32
    batch: int = 16
    text: str | None = None
    csv: str | None = None
    column: str | None = None


class Task(ABC):
    """Data, a model, and a loss. A subclass is registered under its name in `tasks.TASKS`."""

    name: ClassVar[str]
    carry: ClassVar[bool] = False
    show: ClassVar[Mapping[str, Callable[[float], float]]] = {}
    reads: ClassVar[tuple[str, ...]] = ()
    model: Module

    def __init__(self, settings: Settings, rng: np.random.Generator) -> None:
        self.settings = settings
        for name in ("text", "csv", "column"):
            if getattr(settings, name) is not None and name not in self.reads:
                raise DataError(f"{self.name} reads no --{name}; {_READERS[name]}")

    @abstractmethod
    def batches(self, rng: np.random.Generator) -> Iterable[Any]:
        """The batches of an epoch."""

    @abstractmethod
    def loss(self, batch: Any, state: Any = None) -> Any:
        """As `fit` wants it: L, or with `carry` L and the state."""

    @abstractmethod
    def validate(self) -> float:
        """The loss on data that are not trained on."""

    @abstractmethod
    def verdict(self) -> str:
        """One sentence on how well the model does."""

    def extra(self) -> dict[str, Any]:
        """What a checkpoint keeps, so that the model can be made again."""
        return {"task": self.name, "settings": asdict(self.settings)}
