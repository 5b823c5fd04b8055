r"""The task ``series`` of ``python -m rnn train``: the next value of a time series of one's own.

    z_t = (x_t - mean)/std,    ẑ_{t+1} = V h_t + b_y,    L = (1/T) Σ_t (ẑ_{t+1} - z_{t+1})²

Mean and standard deviation are those of the first nine tenths, which are trained on; the last tenth
is held out. What a model has to beat is that tomorrow will be as today, x̂_{t+1} = x_t, whose error
is that of a random walk; on stocks hardly anything does.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from microgrrepresent import Tensor, no_grad
from microgrrepresent.node import Array
from rnn.command_line.task import LAYERS, Settings, Task
from rnn.errors import DataError
from rnn.models.heads import SequenceTagger
from rnn.sequences.datasets import read_column
from rnn.training.losses import mse_loss


class Series(Task):
    """The next value of a column of numbers; a model of one input and one output at each step."""

    name = "series"
    reads = ("csv", "column")
    model: SequenceTagger

    def __init__(self, settings: Settings, rng: np.random.Generator) -> None:
        super().__init__(settings, rng)
        layer = LAYERS[settings.cell](1, settings.hidden, dtype=np.float32, rng=rng)
        self.model = SequenceTagger(layer, 1, rng=rng)
        if settings.csv is None:
            raise DataError("series learns from a file: give it with --csv FILE")
        values = read_column(settings.csv, settings.column)
        self.split = len(values) * 9 // 10
        known = values[: self.split]
        if self.split <= settings.length or len(values) - self.split < 2:
            raise DataError(
                f"{settings.csv} has {len(values)} values, too few to hold out a tenth and train "
                f"on pieces of {settings.length} of the rest; give more rows or a smaller --length"
            )
        self.mean, self.std = float(known.mean()), float(known.std())
        if not self.std:
            raise DataError(
                f"{settings.csv}: the values that are trained on are all {self.mean:g}; there is "
                "nothing to predict"
            )
        self.z = ((values - self.mean) / self.std).astype(np.float32)

    def batches(self, rng: np.random.Generator) -> Iterable[Array]:
        """A hundred batches (length + 1, B, 1) of pieces that begin anywhere in nine tenths."""
        reach = np.arange(self.settings.length + 1)[:, None]
        for _ in range(100):
            starts = rng.integers(0, self.split - self.settings.length, self.settings.batch)
            yield self.z[starts + reach][..., None]

    def loss(self, batch: Array, state: Any = None) -> Tensor:
        """Mean squared error, of standardized values."""
        return mse_loss(self.model(batch[:-1]), batch[1:])

    def validate(self) -> float:
        """Mean squared error on the last tenth, of which each value is told after it is guessed."""
        predicted = self.model(self.z[:-1, None, None]).numpy()[self.split - 1 :, 0, 0]
        return float(((predicted - self.z[self.split :]) ** 2).mean())

    def verdict(self) -> str:
        """The error in the units of the file, beside that of saying the last value again."""
        with no_grad():
            error = self.std * self.validate() ** 0.5
        again = self.std * float((np.diff(self.z)[self.split - 1 :] ** 2).mean()) ** 0.5
        return (
            f"off by {error:.4g} (root mean square) on the last {len(self.z) - self.split} values; "
            f"to say the last value again is off by {again:.4g}"
        )

    def extra(self) -> dict[str, Any]:
        """A checksum too, by which to tell this series from others."""
        return super().extra() | {"checksum": zlib.crc32(self.z.tobytes())}
