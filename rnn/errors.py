"""The errors of recurrent networks, beside those of the engine."""

from __future__ import annotations


class StateDictError(ValueError):
    """A state_dict or a file of one that does not fit the module."""


class DataError(ValueError):
    """Data, or a file of them, that cannot be used: missing, empty, of another form or encoding."""


class CheckpointError(ValueError):
    """A checkpoint that cannot be read, or that belongs to another model or training."""


class NonFiniteError(FloatingPointError):
    """A loss or a gradient that became NaN or infinite in training."""


class GrowthWarning(UserWarning):
    """A graph that grows from batch to batch; see `GrowthWatch`."""
