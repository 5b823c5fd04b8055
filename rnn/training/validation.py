"""Validation: the loss on data that are not trained on, and when to stop because of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from microgrrepresent.errors import shortened
from rnn.errors import DataError
from rnn.inputs import integer
from rnn.training.history import History


@dataclass(frozen=True)
class Validation:
    """How `fit` validates; the model ends with the parameters of the best validation.

    Attributes
    ----------
    loss : callable
        Gives the loss on data that are not trained on; called without recording.
    patience : int, optional
        Stop when so many validations in a row have brought no new best loss.

    Raises
    ------
    DataError
        If `loss` cannot be called.
    ValueError
        If `patience` is not an integer >= 1.
    """

    loss: Callable[[], float]
    patience: int | None = None

    def __post_init__(self) -> None:
        if not callable(self.loss):
            raise DataError(
                f"Validation: loss must be a function without arguments, got {shortened(self.loss)}"
            )
        if self.patience is not None:
            integer(self.patience, 1, "Validation: patience")

    def gives_up(self, history: History) -> bool:
        """Whether so many validations in a row were no better than an earlier one."""
        return self.patience is not None and history.since_best >= self.patience
