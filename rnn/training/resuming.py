"""Saving a training while it runs, and going on from there as if it had never been stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from microgrrepresent.files import as_path
from microgrrepresent.node import Array
from rnn.errors import CheckpointError, DataError
from rnn.training.checkpoint import check_data, load_checkpoint, save_checkpoint
from rnn.training.run import Run


@dataclass(frozen=True)
class Checkpoint:
    """Where `fit` saves a training: after every validation, at its end, and at Ctrl-C.

    Attributes
    ----------
    path : path
        If there is no such file yet, it is written before the first step, so that a place that
        cannot be written is known at once.
    resume : bool
        Go on from that file, if it is there, with the settings that it was made with.
    overwrite : bool
        Start anew, and let the file go that is there. Without `resume` or `overwrite`, a file in
        which a step of a training is kept is never replaced.
    extra : mapping, optional
        Anything to be kept in the file, such as what is needed to make the model again.

    Raises
    ------
    DataError
        If it is to be gone on from and overwritten.
    CheckpointError
        If `extra` holds something that a checkpoint is not made of; see `save_checkpoint`.
    """

    path: str | Path
    resume: bool = False
    overwrite: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.resume and self.overwrite:
            raise DataError("Checkpoint: resume or overwrite, not both")
        check_data(dict(self.extra), "extra")  # now, and not when a training has ended

    def begin(self, run: Run) -> None:
        """Go on from the file, or see that one may be written.

        Raises
        ------
        CheckpointError
            If the file is not one of this model, optimizer and schedule with these settings, or
            would be lost. Then nothing has changed.
        FileError
            If a new file cannot be written.
        """
        if not as_path(self.path).exists():
            self.save(run.state_dict())
        elif self.resume:
            state = load_checkpoint(self.path)
            try:
                run.load_state_dict(state)
            except (KeyError, ValueError, TypeError, AttributeError) as error:
                why = f"it has no {error}" if isinstance(error, KeyError) else error
                raise CheckpointError(
                    f"{self.path} is not a checkpoint of this model and optimizer: {why}"
                ) from error
        elif not self.overwrite and (steps := steps_in(self.path)):
            raise CheckpointError(
                f"{self.path} keeps a training of {steps} steps, which would be lost; give "
                "resume=True to go on from it, overwrite=True to start anew, or another path"
            )

    def save(self, state: Mapping[str, Any], result: Mapping[str, Array] | None = None) -> None:
        """Write the state of a run, and at its end the parameters that it gives back."""
        kept = None if result is None else dict(result)
        save_checkpoint(self.path, {**state, "result": kept, "extra": dict(self.extra)})


def steps_in(path: str | Path) -> int:
    """How many steps the training has taken that a checkpoint keeps.

    Raises
    ------
    CheckpointError
        If it is no checkpoint of `fit`.
    """
    try:
        return len(load_checkpoint(path)["history"]["losses"])
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"{path} is a checkpoint, but not one of a training") from error
