"""Weights as PyTorch takes them: the names and shapes are ours, the arrays become its tensors."""

from __future__ import annotations

from typing import Any

from rnn.module import Module


def to_torch(module: Module) -> dict[str, Any]:
    """The module's parameters as tensors of PyTorch, for ``load_state_dict`` of a ``torch.nn`` one.

    The other way, ``module.load_state_dict`` takes a ``state_dict()`` of PyTorch as it is.

    Returns
    -------
    dict from str to torch.Tensor
        Copies, on the CPU.

    Raises
    ------
    ModuleNotFoundError
        If PyTorch is not installed.
    """
    import torch  # here, because only this function needs it

    return {name: torch.from_numpy(array) for name, array in module.state_dict().items()}
