"""Random recurrences: programs of a few states, each made from states, parameters and inputs.

A program is data, drawn by hypothesis, and can be run for any number of steps; run twice, it gives
isomorphic graphs. `Break` says in what one step is to differ from all others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st

from microgrrepresent import (
    Graph,
    Tensor,
    cos,
    exp,
    maximum,
    relu,
    scope,
    sigmoid,
    sin,
    softplus,
    stack,
    step,
    tanh,
)

SIZE = 3
UNARY = {
    "tanh": tanh, "sigmoid": sigmoid, "sin": sin, "cos": cos, "relu": relu,
    "softplus": softplus, "exp of minus": lambda u: exp(-relu(u)),
}  # fmt: skip
BINARY = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b, "maximum": maximum,
}  # fmt: skip
DTYPES = ("float32", "float64")
ORDERS = ((0, 1, 2), (2, 0, 1), (1, 2, 0), (0, 0, 2))


@dataclass(frozen=True)
class Term:
    """One operand of a state.

    Attributes
    ----------
    source : int
        The state that is read; -1 for a row of the input X, -2 for an input of its own, a leaf.
    lag : int
        How many steps before; 0 for a state that the step has made already.
    matrix : bool
        Whether it is multiplied by a parameter.
    slope, offset : int
        An input is X[slope * t + offset], or if the slope is negative, counted from the end.
    order : tuple of int or None
        An array by which the elements are picked.
    dtype : str or None
        What it is cast to.
    """

    source: int
    lag: int = 1
    matrix: bool = False
    slope: int = 1
    offset: int = 0
    order: tuple[int, ...] | None = None
    dtype: str | None = None


@dataclass(frozen=True)
class State:
    """A variable of the cell: its terms, joined two by two, and a function of them."""

    terms: tuple[Term, ...]
    joins: tuple[str, ...]
    function: str
    scope: str = ""
    is_named: bool = True


@dataclass(frozen=True)
class Program:
    """A cell, and what is made of its states: odd ends and all."""

    states: tuple[State, ...]
    ending: str  # of each state: "last", "sum", "sum after", "stack"
    reverse: bool = False
    start: int = 1
    apart: int = 1  # steps bear the numbers start, start + apart, ...
    one_start: bool = True  # the same initial value for all lags
    dtype: str = "float64"


@dataclass(frozen=True)
class Break:
    """What one step does differently."""

    kind: (
        str  # "dtype", "order", "index", "function", "join", "parameter", "edge", "lag", "leaf ..."
    )
    at: int  # the step, counted from 0
    state: int
    term: int


def run(program: Program, T: int, broken: Break | None = None) -> Graph:
    """Record the graph of a program over T steps."""
    parameters: dict[tuple[int, int, str], Tensor] = {}
    dtype = np.dtype(program.dtype)

    def parameter(i, j, tag=""):
        if (i, j, tag) not in parameters:
            value = np.eye(SIZE, dtype=dtype) / 2
            parameters[i, j, tag] = Tensor(value, requires_grad=True, name=f"W{i}{j}{tag}")
        return parameters[i, j, tag]

    for i, state in enumerate(program.states):
        for j, _ in enumerate(state.terms):
            parameter(i, j)
    reads = [
        abs(term.slope) * (T - 1)
        + term.offset
        + 1
        + (broken is not None and broken.kind == "index")
        for state in program.states
        for term in state.terms
        if term.source == -1
    ]
    rows = max(reads, default=1)
    X = Tensor(np.linspace(-1, 1, rows * SIZE).reshape(rows, SIZE).astype(dtype), name="X")
    starts = {
        (i, lag): Tensor(np.full(SIZE, 0.1 * (i + 1), dtype), name=f"h{i}_{-lag}")
        for i, _ in enumerate(program.states)
        for lag in range(1 if program.one_start else 4)
    }
    made: list[list[Tensor]] = [[] for _ in program.states]
    total = None
    stamps = [program.start + program.apart * n for n in range(T)]
    for n, stamp in enumerate(reversed(stamps) if program.reverse else stamps):
        now = broken if broken is not None and broken.at == n else None
        t = T - 1 - n if program.reverse else n
        with step(stamp):
            for i, state in enumerate(program.states):
                mine = now if now is not None and now.state == i else None
                with scope(state.scope):
                    made[i].append(
                        _state(program, state, i, n, t, T, made, starts, X, parameter, mine)
                    )
            if program.ending == "sum":
                for hs in made:
                    part = (hs[-1] * hs[-1]).sum()
                    total = part if total is None else total + part
    if program.ending == "sum after":
        for hs in zip(*made, strict=True):
            for h in hs:
                part = (h * h).sum()
                total = part if total is None else total + part
    if program.ending == "last":
        return Graph([hs[-1].sum() for hs in made])
    if program.ending == "stack":
        return Graph([stack(hs).sum() for hs in made])
    return Graph(total)


def _state(program, state, i, n, t, T, made, starts, X, parameter, broken):
    """One state at one step."""
    result = None
    for j, term in enumerate(state.terms):
        differs = broken.kind if broken is not None and broken.term == j else ""
        if differs == "edge" and (result is not None or len(state.terms) > 1):
            continue
        value = _read(term, n, t, T, made, starts, X, differs)
        if term.order is not None:
            value = value[np.array(ORDERS[-1] if differs == "order" else term.order)]
        if term.dtype is not None:
            other = DTYPES[1 - DTYPES.index(term.dtype)]
            value = value.astype(other if differs == "dtype" else term.dtype)
            value = value.astype(program.dtype)
        if term.matrix:
            value = value @ parameter(i, j, "x" if differs == "parameter" else "")
        if result is None:
            result = value
        else:
            join = state.joins[j % len(state.joins)]
            if differs == "join":
                join = "sub" if join != "sub" else "add"
            result = BINARY[join](result, value)
    function = state.function
    if broken is not None and broken.kind == "function":
        function = "cos" if function != "cos" else "tanh"
    result = UNARY[function](result)
    return result.named(f"h{i}") if state.is_named else result


def _read(term, n, t, T, made, starts, X, differs):
    if term.source == -2:
        size = 1 if differs == "leaf shape" else SIZE
        dtype = DTYPES[X.dtype == "float32"] if differs == "leaf dtype" else X.dtype
        return Tensor(np.full(size, t / T, dtype), differs == "leaf gradient", "x")
    if term.source == -1:
        at = t if term.slope > 0 else T - 1 - t
        return X[abs(term.slope) * at + term.offset + (differs == "index")]
    lag = term.lag + (differs == "lag")
    hs = made[term.source]
    # within a step, the states that are made already have one entry more
    k = n - lag
    if k >= 0:
        return hs[k]
    return starts[term.source, 0 if len(starts) <= len(made) else -k - 1]


# --- drawing them ---------------------------------------------------------------------------------


@st.composite
def programs(draw) -> Program:
    """A random program."""
    count = draw(st.integers(1, 3))
    ending = draw(st.sampled_from(("last", "sum", "sum after", "stack")))
    states = []
    for i in range(count):
        lag = draw(st.integers(1, 3)) if ending != "last" else 1  # else steps are left out
        terms = [Term(i, lag, matrix=draw(st.booleans()))]
        for _ in range(draw(st.integers(0, 3))):
            if draw(st.booleans()):
                terms.append(
                    Term(
                        draw(st.sampled_from((-1, -1, -2))),
                        slope=draw(st.sampled_from((1, 2, 3, -1, -2))),
                        offset=draw(st.integers(0, 2)),
                        matrix=draw(st.booleans()),
                    )
                )
            else:
                source = draw(st.integers(0, count - 1))
                least = 0 if source < i else 1
                terms.append(Term(source, draw(st.integers(least, 3)), matrix=draw(st.booleans())))
        terms = [
            replace(
                term,
                order=draw(st.none() | st.sampled_from(ORDERS[:3])),
                dtype=draw(st.none() | st.sampled_from(DTYPES)),
            )
            for term in terms
        ]
        states.append(
            State(
                tuple(terms),
                tuple(draw(st.lists(st.sampled_from(sorted(BINARY)), min_size=1, max_size=3))),
                draw(st.sampled_from(sorted(UNARY))),
                draw(st.sampled_from(("", "cell", f"layer{i}", "cell/inner"))),
                draw(st.booleans()),
            )
        )
    return Program(
        tuple(states),
        ending,
        reverse=draw(st.booleans()),
        start=draw(st.sampled_from((0, 1, 5))),
        apart=draw(st.sampled_from((1, 1, 10, 10**9))),
        one_start=draw(st.booleans()),
        dtype=draw(st.sampled_from(DTYPES)),
    )


@st.composite
def broken_programs(draw, T: int) -> tuple[Program, Break]:
    """A program, and one thing in the midst of time that is to be irregular."""
    program = draw(programs())
    i = draw(st.integers(0, len(program.states) - 1))
    terms = program.states[i].terms
    j = draw(st.integers(0, len(terms) - 1))
    term = terms[j]
    kinds = ["function"]
    kinds += ["dtype"] if term.dtype else []
    kinds += ["order"] if term.order else []
    kinds += ["index"] if term.source == -1 else ["lag"] if term.source >= 0 else []
    if term.source == -2:
        kinds += ["leaf gradient"]
        # where all that follows is the same, only the leaf tells
        kinds += ["leaf shape"] if j and not (term.matrix or term.order) else []
        kinds += ["leaf dtype"] if term.dtype else []
    kinds += ["parameter"] if term.matrix else []
    kinds += ["join"] if j else []
    kinds += ["edge"] if len(terms) > 1 else []
    return program, Break(draw(st.sampled_from(kinds)), draw(st.integers(4, T - 4)), i, j)
