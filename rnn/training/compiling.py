"""Training by a program: the loop that a loss is, made at the first batch and run at all others."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from microgrrepresent import Tensor
from microgrrepresent.errors import ExampleError, GraphError
from microgrrepresent.node import Array
from rnn.errors import DataError

if TYPE_CHECKING:  # programs are loaded when the first one is made
    from microgrrepresent.programs import Compiled
    from microgrrepresent.programs.compiling import Otherwise
    from microgrrepresent.programs.loss_program import Backend


@dataclass(frozen=True)
class Compile:
    """How `fit` compiles the loss; see `microgrrepresent.compiled`.

    Attributes
    ----------
    backend : {"numpy", "numba"}
    verify : int
        Compare every n-th step with the ordinary run.
    otherwise : {"refuse", "run"}
        What to do with a loss that is no loop: one with dropout, with steps that depend on the
        data, over trees. If only the first batch prevents it, which has as many steps as sequences,
        a later one is tried.
    """

    backend: Backend = "numpy"
    verify: int = 0
    otherwise: Otherwise = "refuse"

    @staticmethod
    def of(given: object) -> Compile | None:
        """What the argument of `fit` means: True, a backend, or all of it.

        Raises
        ------
        DataError
            For anything else.
        """
        match given:
            case None | False:
                return None
            case True:
                return Compile()
            case "numpy" | "numba":
                return Compile(given)
            case Compile():
                return given
        raise DataError(
            f"fit: compile must be True, 'numpy', 'numba' or a Compile(...), got {given!r}"
        )


class CompiledLoss:
    """A loss of batches whose gradients come from a program.

    A batch is an array, a tuple or list of arrays, or a dict of them. At the first one the loss is
    run as it is, to see which parameters it depends on.
    """

    def __init__(self, loss: Callable[[Any], Tensor], settings: Compile) -> None:
        self.loss = loss
        self.settings = settings
        self.plain = False
        """Whether it has turned out to be no loop, and is run as it is."""
        self._told = False
        """Whether a warning has said that a batch is run as it is."""
        self._step: Compiled | None = None
        self._wrt: list[Tensor] = []

    def __call__(self, batch: Any, parameters: list[Tensor]) -> float:
        """Give the loss of a batch, and leave the gradients in ``.grad`` of the parameters."""
        if not self.plain:
            try:
                loss, gradients = self._run(batch, parameters)
            except (GraphError, TypeError, ValueError, AttributeError) as error:
                if self.settings.otherwise == "refuse":
                    raise
                self.plain = not isinstance(error, ExampleError)  # another batch may tell
                if self.plain or not self._told:
                    until = "" if self.plain else "until then "
                    said = f"fit: {error}; {until}it is run as it is"
                    warnings.warn(said, RuntimeWarning, stacklevel=4)
                self._told = True
            else:
                for w, gradient in zip(self._wrt, gradients, strict=True):
                    w.grad = gradient
                return loss
        L = self.loss(batch)
        L.backward()
        return float(L)

    def _run(self, batch: Any, parameters: list[Tensor]) -> tuple[float, list[Array]]:
        from microgrrepresent import compiled

        inputs = _named(batch)
        if self._step is None:
            self.loss(batch).backward()
            self._wrt = [w for w in parameters if w.grad is not None]
            for w in self._wrt:
                w.grad = None
            self._step = compiled(
                lambda **given: self.loss(_as(batch, given)),
                self._wrt,
                backend=self.settings.backend,
                verify=self.settings.verify,
            )
        loss, gradients = self._step(**inputs)
        return float(loss), gradients


def _named(batch: Any) -> dict[str, Array]:
    """The arrays of a batch, by names."""
    if isinstance(batch, Mapping):
        parts = dict(batch)
    elif isinstance(batch, (tuple, list)):
        parts = {f"batch_{i}": part for i, part in enumerate(batch)}
    else:
        parts = {"batch": batch}
    arrays = {str(key): np.asarray(part) for key, part in parts.items()}
    for key, array in arrays.items():
        if array.dtype.kind not in "biuf":
            raise DataError(
                f"fit: with compile= a batch consists of arrays of numbers, got {parts[key]!r}; "
                "a program is made for arrays of any lengths, not for trees or objects"
            )
    return arrays


def _as(batch: Any, given: Mapping[str, Tensor]) -> Any:
    """Tensors in the form of a batch."""
    if isinstance(batch, Mapping):
        return dict(given)
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*given.values())
    if isinstance(batch, (tuple, list)):
        return type(batch)(given.values())
    return given["batch"]
