"""A loss whose program is made at its first call, and reused at all others."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from microgrrepresent.errors import ExampleError, GraphError
from microgrrepresent.gradients import grad
from microgrrepresent.node import Node
from microgrrepresent.programs.loss_program import Backend, Program, Wrt, in_form, listed, program
from microgrrepresent.programs.recording import record

Otherwise = Literal["refuse", "run"]


def compiled(
    f: Callable[..., Node],
    wrt: Wrt,
    *,
    backend: Backend = "numpy",
    verify: int = 0,
    otherwise: Otherwise = "refuse",
) -> Compiled:
    """Let a loss and its gradients be computed by its program, made at the first call.

    Parameters
    ----------
    f : callable
        ``f(**inputs)`` gives the loss, a Tensor with one element; see `program`. Numbers that it
        reads are those of the first call: what shall change must be an input or a Tensor.
    wrt : Tensor, sequence of Tensor, or dict from str to Tensor
        With respect to what to differentiate.
    backend : {"numpy", "numba"}
        What runs the program.
    verify : int
        Compare every n-th call with the ordinary run; 0 for the first one only. What depends on
        the values of the inputs, such as a branch, is found so.
    otherwise : {"refuse", "run"}
        What to do with a function that is no loop: refuse it, in a sentence that names the node
        that prevents it; or warn in the same sentence, once, and run it as it is. If only the
        inputs prevent it, because two of their axes have one length, the next call tries again.

    Returns
    -------
    Compiled
        ``step(**inputs) -> (loss, gradients)``, the gradients in the form of `wrt`.

    Examples
    --------
    >>> import numpy as np
    >>> from microgrrepresent import Tensor, compiled, steps, tanh
    >>> w = Tensor(0.5, requires_grad=True, name="w")
    >>> def f(X):
    ...     h = Tensor(0.0, name="h_0")
    ...     for t, x in steps(X):
    ...         h = tanh(w * h + x).named("h")
    ...     return h
    >>> step = compiled(f, w, verify=100)
    >>> for X in np.random.default_rng(0).normal(size=(3, 8)):
    ...     loss, gradient = step(X=X)
    ...     w.assign(w.numpy() - 0.1 * gradient)
    >>> step.program.source().count("for t in range")
    2
    """
    return Compiled(f, wrt, backend, verify, otherwise)


class Compiled:
    """What `compiled` gives.

    Attributes
    ----------
    program : Program or None
        Made at the first call.
    reason : str
        Why there is no program, if there can be none.
    """

    def __init__(
        self,
        f: Callable[..., Node],
        wrt: Wrt,
        backend: Backend = "numpy",
        verify: int = 0,
        otherwise: Otherwise = "refuse",
    ) -> None:
        if otherwise not in get_args(Otherwise):
            raise ValueError(f"compiled: otherwise must be 'refuse' or 'run', got {otherwise!r}")
        if not isinstance(verify, int) or isinstance(verify, bool) or verify < 0:
            raise ValueError(f"compiled: verify must be an integer >= 0, got {verify!r}")
        self.f = f
        self.wrt = wrt
        self.backend = backend
        self.verify = verify
        self.otherwise = otherwise
        self.program: Program | None = None
        self.reason = ""
        self._calls = 0
        self._waits = False
        """Whether no example yet told the axes apart, and a warning has said so."""

    def __repr__(self) -> str:
        waits = "run as it is" if self.reason or self._waits else "not called yet"
        return f"<Compiled: {repr(self.program) if self.program else waits}>"

    def __call__(self, **inputs: ArrayLike) -> tuple[Any, Any]:
        """The loss and the gradients for inputs.

        Raises
        ------
        GraphError
            If the function is no loop, or a comparison shows that it does something else than its
            program; unless it is to be run then.
        """
        self._calls += 1
        if self.reason:
            return self._ordinary(inputs)
        try:
            if self.program is None:
                self.program = program(self.f, self.wrt, backend=self.backend, **inputs)
            elif self.verify and self._calls % self.verify == 0:
                self.program.compare(**inputs)
        except ExampleError as error:
            if self.otherwise == "refuse":
                raise
            if not self._waits:
                said = f"{error}; until then it is run as it is"
                warnings.warn(said, RuntimeWarning, stacklevel=2)
            self._waits = True
            return self._ordinary(inputs)
        except GraphError as error:
            if self.otherwise == "refuse":
                raise
            self.program, self.reason = None, str(error)
            warnings.warn(f"{error}; it is run as it is", RuntimeWarning, stacklevel=2)
            return self._ordinary(inputs)
        return self.program(**inputs)

    def _ordinary(self, inputs: dict[str, ArrayLike]) -> tuple[Any, Any]:
        loss = record(self.f, {key: np.asarray(value) for key, value in inputs.items()}).loss
        return loss.value[()], in_form(self.wrt, grad(loss, listed(self.wrt)))
