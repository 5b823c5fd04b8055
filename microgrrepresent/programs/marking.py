"""Mark a student's own backward pass: what is right, what is wrong, and, if it can be told, why."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from microgrrepresent.node import Array, Node
from microgrrepresent.programs.by_step import GivenAdjoints, adjoint_names, meant
from microgrrepresent.programs.copies import Change, on_copies
from microgrrepresent.programs.loss_program import Program, Wrt, program
from microgrrepresent.programs.loss_reading import read_loss
from microgrrepresent.programs.own_names import words_of
from microgrrepresent.programs.pieces import order_of
from microgrrepresent.programs.printing import as_printed
from microgrrepresent.programs.reading import Reading, read_gradients
from microgrrepresent.programs.report import Report, Words, how_far
from microgrrepresent.programs.student import called, described
from microgrrepresent.programs.trial import Broken, Trials

Student = Callable[..., tuple[Any, Mapping[str, Any]]]

Again = Callable[[], Iterable[tuple[Change | None, Student]]]
"""A student's function on copies: all that is changed in place, then one line or another."""


def mark(student: Student, f: Callable[..., Node], wrt: Wrt, **inputs: ArrayLike) -> Report:
    """Mark a backward pass that was written by hand.

    The right gradients are those of `f`, the ordinary code that records the loss; its `program` is
    then run with one mistake after another in it, to see which gives the student's numbers. That is
    why this takes the function, and not a loss: a recorded loss does not say what its inputs are.

    Parameters
    ----------
    student : callable
        A function on NumPy arrays that returns the loss and a dict of gradients, called as the
        parameters are, ``{"W": dW}``, or ``{"dW": dW}``. It gets copies of the inputs and
        parameters that its arguments name. Gradients may be of one other layout: all transposed,
        or with the weights of h and x side by side in one matrix. The dict may have adjoints, too,
        by step: ``{"dh": {t: dh}}``, or a list; they tell at which step something goes wrong.
    f : callable
        ``f(**inputs)`` gives the loss, a Tensor, as for `program`.
    wrt : Tensor, sequence of Tensor, or dict from str to Tensor
        The parameters; a dict gives them their names.
    **inputs : array_like
        Data. Give every size another length, and h_0 as an input that is not 0: equal lengths and
        zeros hide mistakes.

    Returns
    -------
    Report
        ``print(report)`` says it in sentences, in the student's own names where their values tell
        which they are. For that, a wrong function is run again, without its output.

    Raises
    ------
    GraphError
        If `f` is no loop; see `program`.

    Examples
    --------
    >>> import numpy as np
    >>> from microgrrepresent import Tensor, mark, steps, tanh
    >>> rng = np.random.default_rng(0)
    >>> U = Tensor(rng.normal(size=(3, 2)), requires_grad=True, name="U")
    >>> W = Tensor(rng.normal(size=(3, 3)), requires_grad=True, name="W")
    >>> def f(X, h_0):
    ...     h = h_0
    ...     for t, x in steps(X):
    ...         h = tanh(x @ U.T + h @ W.T).named("h")
    ...     return (h * h).sum()
    >>> def student(X, h_0, U, W):
    ...     h = [h_0]
    ...     for x in X:
    ...         h.append(np.tanh(x @ U.T + h[-1] @ W.T))
    ...     dh, dU, dW = 2 * h[-1], 0, 0
    ...     for t in range(len(X), 0, -1):
    ...         da = dh * (1 - h[t] ** 2)
    ...         dU = dU + da.T @ X[t - 1]
    ...         dW = dW + da.T @ h[t]
    ...         dh = da @ W
    ...     return np.sum(h[-1] ** 2), {"U": dU, "W": dW}
    >>> data = {"X": rng.normal(size=(5, 4, 2)), "h_0": rng.normal(size=(4, 3))}
    >>> print(mark(student, f, {"U": U, "W": W}, **data))
    The loss is right.
    Right: U. Wrong: W.
        W is off by 130.1% of its norm.
    Why: h[t] instead of h[t - 1]. With this alone, all your numbers are reproduced.
        it should be    dW += da.T @ h[t - 1]
        it is as if     dW += da.T @ h[t]
        first seen      at t = 5, in dW
    """
    return Marker(program(f, wrt, backend="numpy", **inputs), inputs)(student)


@dataclass(frozen=True)
class Marker:
    """Marks many students' functions against one program, whose mistakes are run only once.

    Attributes
    ----------
    step : Program
    inputs : dict from str to array_like

    Examples
    --------
    >>> import numpy as np
    >>> from microgrrepresent import Tensor, program
    >>> from microgrrepresent.programs.marking import Marker
    >>> w = Tensor([3.0, 4.0], requires_grad=True, name="w")
    >>> def f(x):
    ...     return (x * w * w).sum()
    >>> marker = Marker(program(f, {"w": w}, x=[1.0, 2.0]), {"x": [1.0, 2.0]})
    >>> right = marker(lambda x, w: (np.sum(x * w * w), {"w": 2 * w * x}))
    >>> wrong = marker(lambda x, w: (np.sum(x * w * w), {"w": w * x}))
    >>> right.right, wrong.wrong
    (True, {'w': 'is 0.5 times the right one'})
    """

    step: Program
    inputs: Mapping[str, ArrayLike]
    broken: Broken | None = None

    def on(self, **inputs: ArrayLike) -> Marker:
        """A marker for other inputs, and the parameters as they are now; mistakes are shared."""
        return Marker(self.step, inputs, self.trials.broken)

    def __call__(self, student: Student, again: Again | None = None) -> Report:
        """Mark a function.

        Parameters
        ----------
        student : callable
        again : callable, optional
            Gives the function again, with what it changes in place done on copies; see
            `on_copies`.
        """
        report = self._marked(student)
        if not (report.forward_wrong or (report.wrong and not report.untouched)):
            return report
        others = iter(on_copies(student) if again is None else again())
        _, every = next(others, (None, None))
        if every is None or str(self._marked(every)) == str(report):
            return report
        for change, other in others:
            found = self._marked(other)
            better = report.loss or found.right or (found.reproduced and not report.ways)
            if better and not (found.error or found.loss):
                return replace(found, loss=report.loss.partition(":")[0], in_place=change)
        return report

    def _marked(self, student: Student) -> Report:
        arrays = dict(self.trials.arrays)
        letters = {**self.step.letters, **self.letters}
        arrays.update({name: self.trials.arrays[letter] for name, letter in letters.items()})
        try:
            loss, returned = called(student, arrays)
        except Exception as error:  # whatever the student's function raises is its result
            return Report(error=_raised(error, student))
        names = self._adjoints(returned)
        gradients = {str(n): value for n, value in returned.items() if n not in names}
        adjoints = {names[n]: value for n, value in returned.items() if n in names}
        words = Words({letter: n for n, letter in names.items() if n != letter})
        report = self._read(loss, gradients, adjoints)
        if report.wrong and report.other_order and not report.reproduced:
            other = self._read(loss, gradients, adjoints, farthest=True)
            report = other if other.reproduced else report
        said = tuple(map(words.line, report.adjoints))
        if report.ways:
            words = words_of(student, arrays, report, self.trials) or words
        return replace(report, adjoints=said, words=words)

    def _adjoints(self, returned: Mapping[str, Any]) -> dict[str, str]:
        """What is an adjoint by step, and which it is: dz may be da."""
        own = {f"d{n}" for pair in self.letters.items() for n in pair} | set(self.letters)
        known = [n for n in adjoint_names(self.trials.broken.code) if n not in own]
        found = {n: n for n in returned if n in known}
        for n, value in returned.items():
            if n not in found and _is_by_step(value):
                free = [m for m in known if m not in found.values()]
                letter = meant(value, free, self.trials.trace, self._tolerance())
                found |= {n: letter} if letter is not None else {}
        return found

    def _read(
        self,
        loss: Any,
        gradients: Mapping[str, Any],
        adjoints: Mapping[str, Any],
        farthest: bool = False,
    ) -> Report:
        right = dict(zip(self.letters, self.trials.right, strict=True))
        reading = read_gradients(gradients, right, self.letters, self.lengths, farthest)
        said, factor = read_loss(
            loss, self.trials.replay, self.lengths, self._initial(), self._tolerance()
        )
        if factor is not None and self._follows(reading, factor):
            reading = _divided(reading, factor)
            adjoints = {}
        report = self._report(said, reading, right, adjoints)
        return replace(report, forward_wrong=factor is None)

    def _follows(self, reading: Reading, factor: float) -> bool:
        """Whether gradients are rather those of a loss that is so many times the right one."""
        if factor == 1:
            return False
        tolerance = self._tolerance(*reading.gradients.values())
        wrong, other = (
            self.trials.differing(list(r.gradients.values()), tolerance).sum()
            for r in (reading, _divided(reading, factor))
        )
        return bool(other < wrong)

    @cached_property
    def trials(self) -> Trials:
        """The program, right and broken, on these inputs."""
        broken = self.broken or Broken(as_printed(self.step.code))
        inputs, leaves = broken.code.inputs, broken.code.leaves
        given = {letter: self.inputs[n] for n, letter in self.step.letters.items()}
        arrays = {n: np.array(given[n], dtype=dtype) for n, (_, dtype) in inputs.items()}
        return Trials(broken, {**arrays, **{n: leaf.value for n, leaf in leaves.items()}})

    @cached_property
    def letters(self) -> dict[str, str]:
        """The letter of each parameter in the program, by the name that `wrt` gives it."""
        of = {leaf: letter for letter, leaf in self.step.code.leaves.items()}
        wrt = self.step.wrt
        if isinstance(wrt, Mapping):
            return {name: of.get(node, name) for name, node in wrt.items()}
        listed: Sequence[Node] = [wrt] if isinstance(wrt, Node) else wrt
        return {of[node]: of[node] for node in listed}

    @cached_property
    def lengths(self) -> dict[str, int]:
        """T and B."""
        arrays = self.trials.arrays
        return {n: int(eval(where, dict(arrays))) for n, where in self.step.code.sizes}

    def _initial(self) -> list[str]:
        """The initial states that are inputs."""
        code = self.step.code
        return [n for steps in code.given.values() for _, n in steps if n in code.inputs]

    def _tolerance(self, *arrays: Array | None) -> float:
        types = [self.step.code.dtype, *(a.dtype for a in arrays if a is not None)]
        return 1e-3 if np.dtype(np.float32) in types else 1e-6

    def _report(
        self,
        loss: str,
        reading: Reading,
        right: Mapping[str, Array],
        adjoints: Mapping[str, Any],
    ) -> Report:
        given = list(reading.gradients.values())
        tolerance = self._tolerance(*given)
        bad = self._wrong(reading, right, tolerance)
        missing = tuple(n for n in right if reading.gradients[n] is None and n not in bad)
        correct = tuple(n for n in right if n not in bad and n not in missing)
        by_step = None
        if adjoints:
            by_step = GivenAdjoints.read(adjoints, self.trials.trace, tolerance)
        found = None
        differs = bool(self.trials.differing(given, tolerance).any())
        untouched = differs and not any(
            np.any(array) for array in (*given, *_arrays(by_step)) if array is not None
        )
        if differs and not untouched:
            found = self.trials.explained(given, tolerance, by_step)
        said = () if by_step is None else tuple(by_step.sentences(not (bad or missing)))
        remarks = tuple(reading.remarks)
        return Report(
            loss,
            correct,
            missing,
            bad,
            found,
            remarks,
            said,
            self.letters,
            steps=bool(adjoint_names(self.trials.broken.code)),
            untouched=untouched,
            other_order=reading.other_order,
        )

    def _wrong(
        self, reading: Reading, right: Mapping[str, Array], tolerance: float
    ) -> dict[str, str]:
        """What is wrong with each gradient, in the order of computation."""
        given = list(reading.gradients.values())
        wrong = self.trials.differing(given, tolerance)
        pieces = self.trials.pieces.all
        names = list(right)
        places = order_of(self.trials.broken.code)
        bad: dict[str, str] = {}
        for i in sorted(range(len(names)), key=lambda i: places[i]):
            name, value = names[i], given[i]
            mine = [k for k, piece in enumerate(pieces) if piece.gradient == i]
            off = [pieces[k].gate for k in mine if wrong[k]]
            said = [reading.faults[name]] if name in reading.faults else []
            if off and value is not None:
                part = len(off) < len(mine)
                said.append(how_far(value, right[name], tolerance, off if part else []))
            if said:
                bad[name] = ", and ".join(said)
        return bad


def _arrays(adjoints: GivenAdjoints | None) -> list[Array]:
    """Of all names and steps."""
    given = () if adjoints is None else adjoints.values.values()
    return [array for steps in given for array in steps.values()]


def _divided(reading: Reading, factor: float) -> Reading:
    """The gradients of the right loss, if these are of one that is so many times as large."""
    gradients = {n: None if g is None else g / factor for n, g in reading.gradients.items()}
    remark = "The gradients follow that loss; below, they are compared as if it were right."
    return replace(reading, gradients=gradients, remarks=[*reading.remarks, remark])


def _is_by_step(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(t, int | np.integer) for t in value)


class StudentError(RuntimeError):
    """What a student's function raised, in words, where it was run by somebody else."""


def _raised(error: Exception, student: Student) -> str:
    if isinstance(error, StudentError):
        return str(error)
    return described(
        error, getattr(inspect.unwrap(student), "__code__", _raised.__code__).co_filename
    )
