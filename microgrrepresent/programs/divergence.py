"""Where a printed program and the graph that it was made of part: the first variable that differs.

A gradient says only that something is wrong. Every variable of a program has a value in the
recording, too, so that the program can be run line by line and held against it, in the order of
computation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from microgrrepresent.equations.derivation import derive
from microgrrepresent.equations.terms import Adjoint, Equation, Value
from microgrrepresent.node import Node
from microgrrepresent.norms import euclidean_norm
from microgrrepresent.programs.building import names_of
from microgrrepresent.programs.code import Code
from microgrrepresent.programs.printing import helper_source, sections
from microgrrepresent.programs.recording import TwoRecordings


def divergence(code: Code, recordings: TwoRecordings, wrt: Sequence[Node]) -> str | None:
    """What is wrong first when a program runs on the recording that it was made of.

    Returns
    -------
    str or None
        ``dh at step 3 is not what the graph has``, or the line that raises; None if all is right,
        so that it is the function that does something else on other inputs.
    """
    recording = recordings.first
    derivation = derive(recording.loss, wrt, code=True)
    names = names_of(derivation, recordings)
    found: dict[str, Any] = {"np": np}
    for helper in code.helpers:
        exec(compile(helper_source(helper), "<program>", "exec"), found)
    found |= {n: node.value for n, node in (*recording.inputs.items(), *code.leaves.items())}
    text = "\n".join(line for section in sections(code) for line in section)
    with np.errstate(all="ignore"):
        try:
            exec(compile(text, "<program>", "exec"), found)
        except Exception as error:  # a program that is wrong may raise whatever Python does
            return f"its line `{failing_line(error, text)}` raises {type(error).__name__}: {error}"
    for left, t in (*_in_order(derivation.forward), *_in_order(derivation.backward)):
        name = f"{'d' if isinstance(left, Adjoint) else ''}{names(left.variable)}"
        right = derivation.values.get(type(left)(left.variable, t))
        value = found.get(name)
        value = value.get(t) if isinstance(value, dict) else value
        if right is None or value is None:  # what is read in place has no name of its own
            continue
        if not _near(value, right):
            return f"{name}{'' if t is None else f' at step {t}'} is not what the graph has"
    return None


def _in_order(equations: Sequence[Equation]) -> Iterator[tuple[Value | Adjoint, int | None]]:
    """What equations define, in the order of computation: what stands in one loop, by steps."""
    for timed, group in groupby(equations, key=lambda equation: bool(equation.steps)):
        together = list(group)
        if not timed:
            yield from ((equation.left, None) for equation in together)
            continue
        down = any(equation.steps[0] > equation.steps[-1] for equation in together)
        found = [(equation.left, t) for equation in together for t in equation.steps]
        yield from sorted(found, key=lambda place: -place[1] if down else place[1])


def failing_line(error: BaseException, text: str) -> str:
    """The line of a program that has raised an error."""
    number, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<program>":
            number = trace.tb_lineno
        trace = trace.tb_next
    lines = text.splitlines()
    return lines[number - 1].strip() if 0 < number <= len(lines) else ""


def _near(value: Any, right: Any) -> bool:
    tolerance = 1e-4 if right.dtype == np.float32 else 1e-9
    try:
        error = euclidean_norm(np.broadcast_to(value, right.shape) - right)
    except ValueError:
        return False
    return bool(error <= tolerance * (euclidean_norm(right) + np.finfo(float).tiny))
