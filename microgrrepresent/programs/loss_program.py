"""A program: the loop that a recorded loss and its gradient are, printed and run.

The equations of `explain` are the one source: written in letters they are an explanation, written
in NumPy they are a program. `recording` finds out which numbers are lengths, `lowering` writes each
equation in NumPy, `schedule` puts them into loops.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, wraps
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from microgrrepresent.arguments import each_node, function
from microgrrepresent.arrays import plain_array
from microgrrepresent.errors import DTypeError, GraphError, ShapeError, operand
from microgrrepresent.gradients import grad
from microgrrepresent.node import Array, Node
from microgrrepresent.programs.code import Code
from microgrrepresent.programs.coincidence import fitting
from microgrrepresent.programs.divergence import failing_line
from microgrrepresent.programs.expressions import text
from microgrrepresent.programs.fast import fast_source, plain_source
from microgrrepresent.programs.identifiers import letters_of
from microgrrepresent.programs.native import native_source, require_numba
from microgrrepresent.programs.printing import printed
from microgrrepresent.programs.recorded import recorded
from microgrrepresent.programs.recording import Recording, record, record_thrice
from microgrrepresent.programs.sizes import length

MOST = 4
"""For so many combinations of lengths, buffers are kept."""

Style = Literal["read", "fast"]
Backend = Literal["numpy", "numba"]
Wrt = Node | Sequence[Node] | Mapping[str, Node]


def program(
    f: Callable[..., Node] | Node, wrt: Wrt, *, backend: Backend = "numpy", **inputs: ArrayLike
) -> Program:
    """Make a program of a function that records a loss: its loop, and the loop back through time.

    The function is recorded at two lengths of each axis along which it takes another length, mostly
    the steps and the sequences, with inputs that are cut or repeated. What is the same in both is
    printed as it is; what differs must follow from the lengths. The program is then run on inputs
    of a third length and of other values, and on the inputs as they are given, and compared with
    the ordinary run.

    Of a loss that is recorded already, the program keeps the lengths and takes no inputs: each call
    reads the leaves of the graph as they are then, parameters among them. What the steps were given
    as leaves of their own stays as it was recorded.

    Parameters
    ----------
    f : callable or Tensor
        ``f(**inputs)`` gives a Tensor with one element. It gets its inputs as Tensors of their
        names. Tensors that it reads besides, such as parameters, are read anew at each call of the
        program. Numbers and arrays that it reads are fixed when the program is made: what shall
        change later, such as the weight of a penalty, must be an input, or a Tensor that was made
        before. Or a recorded loss, a Tensor with one element.
    wrt : Tensor, sequence of Tensor, or dict from str to Tensor
        With respect to what to differentiate: leaves that the loss depends on.
    backend : {"numpy", "numba"}
        What runs it. numba compiles the loops over steps and over elements to machine code, at the
        first call, which takes seconds; the extra ``native`` installs it.
    **inputs : array_like
        An example. No axis may be as long as another of the same array among its first two, because
        they could not be told apart.

    Returns
    -------
    Program

    Raises
    ------
    GraphError
        If the function is no loop: its steps differ, it makes leaves anew (a mask, a sample), or it
        reads a value on its way. The message names the node.

    Examples
    --------
    >>> import numpy as np
    >>> from microgrrepresent import Tensor, program, steps, tanh
    >>> W = Tensor([[0.5]], requires_grad=True, name="W")
    >>> U = Tensor([[1.0]], requires_grad=True, name="U")
    >>> def f(X):
    ...     h = Tensor(np.zeros((X.shape[1], 1)), name="h_0")
    ...     for t, x in steps(X):
    ...         h = tanh(x @ U.T + h @ W.T).named("h")
    ...     return (h * h).sum()
    >>> step = program(f, {"W": W, "U": U}, X=np.ones((4, 2, 1)))
    >>> forward, backward = step.source().split("    # back through time")
    >>> print(backward)
    <BLANKLINE>
        dh_next = h[T] + h[T]
        dU = np.zeros_like(U)
        dW = np.zeros_like(W)
        for t in range(T, 0, -1):
            dh = dh_next
            da = dh * (1 - h[t] ** 2)
            dU += da.T @ X[t - 1]
            dW += da.T @ h[t - 1]
            dh_next = da @ W
    <BLANKLINE>
        return L, (dW, dU)
    <BLANKLINE>
    >>> loss, gradients = step(X=np.ones((50, 3, 1)))
    >>> sorted(gradients), gradients["W"].shape
    (['U', 'W'], (1, 1))

    Of one recorded loss, for its own lengths:

    >>> step = program(f(Tensor(np.ones((50, 3, 1)), name="X")), {"W": W, "U": U})
    >>> bool(np.isclose(step()[0], loss))
    True
    """
    letters = letters_of(inputs)
    arrays = {letters[key]: plain_array(value) for key, value in inputs.items()}
    if backend not in get_args(Backend):
        raise ValueError(f"program: backend must be 'numpy' or 'numba', got {backend!r}")
    if backend == "numba":
        require_numba()
    if isinstance(f, Node):
        if inputs:
            raise TypeError(
                "program: a recorded loss has its inputs already, got "
                f"{', '.join(inputs)}; give the function that records it, to run it on others"
            )
        f = recorded(f, listed(wrt))
    g = _with_letters(function(f, "program"), letters)
    made = fitting(
        g,
        record_thrice(g, arrays),
        listed(wrt),
        lambda code: Program(g, wrt, code, backend, letters),
    )
    made.compare(**inputs)
    return made


def _with_letters(f: Callable[..., Node], letters: Mapping[str, str]) -> Callable[..., Node]:
    """A function whose inputs are called as they are in its program."""
    if all(name == letter for name, letter in letters.items()):
        return f

    @wraps(f)
    def renamed(**given: Node) -> Node:
        return f(**{name: given[letter] for name, letter in letters.items()})

    return renamed


Runner = Callable[..., tuple[Any, tuple[Array, ...]]]


class _Kept(threading.local):
    """The functions for inputs of some shapes, with their buffers: each thread has its own."""

    def __init__(self) -> None:
        self.runners: dict[tuple[object, ...], Runner] = {}


class Program:
    """A loss and its gradients as a NumPy function of its own. Made by `program`.

    ``step(**inputs)`` gives the loss and the gradients, in the form in which `wrt` was given, for
    inputs of any lengths, with the parameters as they are now. ``print(step)`` shows the code.

    A recorded graph keeps the value of each of its nodes for as long as something refers to its
    output. A program keeps, for each of the last 4 shapes of its inputs, arrays over the steps of
    what the backward pass reads, and buffers of one step of all else: an LSTM over 10,000 steps
    takes 508 MiB by numba, 888 in NumPy, 1,212 as a graph (``python -m tests.benchmarks
    program_memory``). Since a program is compared with the ordinary run when it is made, make it
    of a short example.

    Attributes
    ----------
    f : callable
        The function that it does the work of, of inputs by their letters.
    wrt : Tensor, sequence or dict
        With respect to what its gradients are.
    code : Code
        What is printed, as data.
    backend : {"numpy", "numba"}
        What runs it.
    letters : dict from str to str
        What each input is called in the code: ``t_`` if it is ``t``, which is the step there.
    plain : bool
        Whether it is run as it is printed, which is slower, because its fast form raised an error
        or was not equal to the ordinary run. A RuntimeWarning has said so.
    """

    def __init__(
        self,
        f: Callable[..., Node],
        wrt: Wrt,
        code: Code,
        backend: Backend = "numpy",
        letters: Mapping[str, str] | None = None,
    ) -> None:
        self.f = f
        self.wrt = wrt
        self.code = code
        self.backend = backend
        self.letters = {n: n for n in code.inputs} if letters is None else dict(letters)
        self.plain = False
        self._kept = _Kept()

    def __call__(self, **inputs: ArrayLike) -> tuple[Any, Any]:
        """The loss and the gradients for new inputs, with the parameters as they are now.

        Raises
        ------
        TypeError, ShapeError, DTypeError
            If these are not the inputs that it was made for, of any lengths.
        IndexError
            If an index among them is out of range.
        GraphError
            If the program cannot be run on them. The message names the line.
        """
        loss, gradients = self._run(self._by_letter(inputs))
        return loss, in_form(self.wrt, gradients)

    def _by_letter(self, inputs: Mapping[str, ArrayLike]) -> dict[str, Array]:
        if inputs.keys() != self.letters.keys():
            raise TypeError(
                f"program: it takes {', '.join(self.letters) or 'no inputs'}, "
                f"got {', '.join(inputs) or 'none'}"
            )
        return {self.letters[name]: plain_array(value) for name, value in inputs.items()}

    def _run(self, inputs: Mapping[str, Array]) -> tuple[Any, tuple[Array, ...]]:
        """The loss and the gradients, by the function that is kept for such inputs."""
        known = self._kept.runners
        arrays = [inputs[letter] for letter in self.code.inputs]
        kinds = tuple((array.shape, array.dtype) for array in arrays)
        lengths = {} if kinds in known else self._lengths(arrays)
        types = (dtype for _, dtype in self.code.inputs.values())
        fitted = (a.astype(dtype, copy=False) for a, dtype in zip(arrays, types, strict=True))
        try:
            if kinds not in known:
                if len(known) >= MOST:  # the buffers of the oldest make room
                    del known[next(iter(known))]
                known[kinds] = self._prepare(**{n: lengths[n] for n, _ in self.code.sizes})
            return known[kinds](*fitted, *(node.value for node in self.code.leaves.values()))
        except (IndexError, ArithmeticError, GraphError):  # by what it was given
            raise
        except Exception as error:  # a form that is wrong may raise whatever Python does
            if not self.plain:
                found = self._as_printed()._run(inputs)
                self._give_up(f"raises {type(error).__name__}: {error}")
                return found
            line = failing_line(error, self.source("fast"))
            raise GraphError(
                f"program: its line `{line}` raises {type(error).__name__}: {error}; the program "
                "does not fit these inputs, grad(loss, wrt) gives their gradients"
            ) from error

    def _as_printed(self) -> Program:
        """The same, without its fast form."""
        found = Program(self.f, self.wrt, self.code, self.backend, self.letters)
        found.plain = True
        return found

    def _give_up(self, why: str) -> None:
        """Run the printed form from now on, and say so; what was made for the fast one goes."""
        warnings.warn(
            f"program: the form in which it is fast ({self.backend}) {why}; from now on it is run "
            "as it is printed, which is right, but slower",
            RuntimeWarning,
            stacklevel=2,
        )
        self.plain = True
        self.__dict__.pop("_prepare", None)
        self._kept = _Kept()

    def _lengths(self, arrays: Sequence[Array]) -> dict[str, int]:
        """The lengths that inputs have, if they fit."""
        lengths: dict[str, int] = {}
        for array, (letter, (shape, dtype)) in zip(arrays, self.code.inputs.items(), strict=True):
            if not np.can_cast(array.dtype, dtype, "same_kind"):
                raise DTypeError(f"program: {letter} must be of {dtype}, got {array.dtype}")
            fits = len(array.shape) == len(shape)
            for dimension, n in zip(shape, array.shape, strict=False):
                if isinstance(dimension, int):
                    fits = fits and n == dimension
                else:
                    fits = fits and lengths.setdefault(text(dimension), n) == n
            if not fits:
                expected = ", ".join(text(length(n)) for n in shape)
                known = ", ".join(f"{n} = {found}" for n, found in lengths.items())
                raise ShapeError(
                    f"program: {letter} must have the shape ({expected}), got {array.shape}, "
                    f"where {known}"
                )
        return lengths

    @cached_property
    def _prepare(self) -> Callable[..., Any]:
        names: dict[str, Any] = {}
        exec(compile(self.source("fast"), "<program>", "exec"), names)
        return names["prepare"]  # type: ignore[no-any-return]

    def source(self, style: Style = "read") -> str:
        """The program as text. It needs NumPy only, and can be saved and run as it is.

        Parameters
        ----------
        style : {"read", "fast"}
            ``read``: a function `loss_and_gradients`, a line for each equation, as one would write
            it on a board. ``fast``: what runs when the program is called, a function `prepare`
            of the lengths, which makes buffers and returns a function that uses them. For the
            backend numba that file needs numba, too.
        """
        if style not in get_args(Style):
            raise ValueError(f"source: style must be 'read' or 'fast', got {style!r}")
        if style == "read":
            return printed(self.code)
        if self.plain:
            return plain_source(self.code)
        return native_source(self.code) if self.backend == "numba" else fast_source(self.code)

    def __str__(self) -> str:
        return self.source()

    def __repr__(self) -> str:
        inputs = ", ".join(self.letters) or "no inputs"
        return f"<Program: {inputs} -> loss, {len(listed(self.wrt))} gradients>"

    def compare(self, **inputs: ArrayLike) -> None:
        """See that the program gives what the ordinary run gives.

        Raises
        ------
        GraphError
            If it does not.
        """
        wrong = self.difference(record(self.f, self._by_letter(inputs)))
        if wrong is None:
            return
        raise GraphError(
            f"program: {wrong}; the function does something that depends on more than its inputs' "
            "lengths, such as a branch, or it reads a value on its way, as float() does, or a "
            "number that it reads has another value than when its program was made"
        )

    def difference(self, recording: Recording) -> str | None:
        """What is not equal to the ordinary run that was recorded; None if all is."""
        arrays = {letter: node.value for letter, node in recording.inputs.items()}
        expected = [recording.loss.value, *grad(recording.loss, listed(self.wrt))]
        wrong = self._difference(arrays, expected)
        if wrong is not None and not self.plain:
            also = self._as_printed()._difference(arrays, expected)
            if also is None:
                self._give_up(f"is wrong: {wrong}")
            return also
        return wrong

    def _difference(self, arrays: Mapping[str, Array], expected: Sequence[Array]) -> str | None:
        """What is not equal to the ordinary run; None if all is."""
        try:
            loss, gradients = self._run(arrays)
        except (IndexError, ArithmeticError) as error:
            return f"it raises {type(error).__name__}: {error}"
        except GraphError as error:
            if error.__cause__ is None:  # refused, and not failed
                raise
            return str(error).removeprefix("program: ").partition(";")[0]
        wrt = listed(self.wrt)
        names = ["the loss", *(f"the gradient of {operand(x.name, x)}" for x in wrt)]
        for what, right, found in zip(names, expected, [loss, *gradients], strict=True):
            tolerance = 1e-4 if right.dtype == np.float32 else 1e-9
            if np.shape(found) != right.shape:
                return f"{what} has the shape {np.shape(found)}, and should have {right.shape}"
            off = np.linalg.norm(np.subtract(right, found))
            if not off <= tolerance * (np.linalg.norm(right) + np.finfo(float).tiny):
                return f"{what} is not that of the ordinary run, off by {off:.1e}"
        return None


def in_form(wrt: Wrt, gradients: Sequence[Array]) -> Any:
    """Gradients as `wrt` was given. Each is an array of its own, though some may be equal."""
    if len(set(map(id, gradients))) < len(gradients):
        firsts = {id(g): i for i, g in reversed(list(enumerate(gradients)))}
        gradients = [g if firsts[id(g)] == i else g.copy() for i, g in enumerate(gradients)]
    if isinstance(wrt, Node):
        return gradients[0]
    if isinstance(wrt, Mapping):
        return dict(zip(wrt, gradients, strict=True))
    return list(gradients)


def listed(wrt: Wrt) -> list[Node]:
    """With respect to what to differentiate, as a list."""
    given = list(wrt.values()) if isinstance(wrt, Mapping) else wrt
    return list(dict.fromkeys(each_node(given, "program", "wrt")))
