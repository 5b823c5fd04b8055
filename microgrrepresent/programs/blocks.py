"""Lines for all steps at once run a few steps at a time: what one writes, the next finds cached.

multiply(h[1:T + 1], h[1:T + 1], k[0:T])        for h_block, k_block in blocks_1:
subtract(1, k[0:T], k[0:T])               is        multiply(h_block, h_block, k_block)
subtract(1, k_block, k_block)
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from itertools import groupby

from microgrrepresent.programs.expressions import Expr, name, replaced, text

ELEMENTS = 2**14
"""Of an array in a block: so few that a dozen arrays stay in the cache of a core."""


def in_blocks(
    lines: Sequence[str],
    elements: str,
    stands_in: Mapping[str, str],
    made: Container[str],
    fresh: Callable[[str], str],
) -> tuple[list[str], list[str]]:
    """Lines that make the blocks, once, and lines that run over them.

    Parameters
    ----------
    lines : sequence of str
        Calls that write into arrays over the steps, ``f(a[0:T], b, out[0:T])``, and others, which
        stay as they are.
    elements : str
        How many elements an array has at a step.
    stands_in : mapping of str to str
        Variables that have the array of another one.
    made : container of str
        Variables whose arrays are made once; inputs come anew at each call, and have no blocks.
    fresh : callable
        Gives a new name.
    """
    prepared: list[str] = []
    body: list[str] = []

    def can_be(line: str) -> bool:
        return _is_elementwise(line) and all(n in made for n, _ in _slices([line]))

    for elementwise, group in groupby(lines, can_be):
        run = list(group)
        if not elementwise or len(run) < 2 or not _at_one_step(run, stands_in):
            body += run
            continue
        names: dict[str, str] = {}

        def block(node: Expr, names: dict[str, str] = names) -> Expr | None:
            variable = _over_time(node)
            if variable is None:
                return None
            whole = text(node)
            if whole not in names:
                plain = f"{variable}_block"
                names[whole] = fresh(plain) if plain in names.values() else plain
            return name(names[whole])

        calls = [ast.unparse(replaced(ast.parse(line), block)) for line in run]
        size, blocks = fresh("size"), fresh("blocks")
        wholes = list(names)
        rows = "".join(f"{whole}[begin_:begin_ + {size}], " for whole in wholes)
        prepared += [
            f"{size} = max(1, {ELEMENTS} // ({elements}))",
            f"{blocks} = [({rows}) for begin_ in range(0, len({wholes[0]}), {size})]",
        ]
        head = f"for ({', '.join(names.values())},) in {blocks}:"
        body.append("\n".join([head, textwrap.indent("\n".join(calls), "    ")]))
    return prepared, body


def _is_elementwise(line: str) -> bool:
    """Whether a line is a call that writes into an array element by element."""
    match ast.parse(line).body:
        case [ast.Expr(ast.Call(function, arguments, keywords))]:
            given = [*arguments, *(k.value for k in keywords)]
            plain = all(isinstance(x, (ast.Name, ast.Constant)) or _over_time(x) for x in given)
            return plain and text(function) not in ("dot", "copyto") and bool(_over_time(given[-1]))
    return False


def _over_time(node: Expr) -> str | None:
    """The variable of ``h[1:T + 1]`` or of a part, ``h[1:T + 1][:, :, 0:4]``."""
    match node:
        case ast.Subscript(ast.Name(n), ast.Slice()):
            return n
        case ast.Subscript(ast.Subscript(ast.Name(n), ast.Slice()), ast.Tuple()):
            return n
    return None


def _at_one_step(lines: Sequence[str], stands_in: Mapping[str, str]) -> bool:
    """Whether no line reads another step of an array than the one that is written."""
    rows: dict[str, set[str]] = {}
    for variable, index in _slices(lines):
        rows.setdefault(stands_in.get(variable, variable), set()).add(index)
    written = {_over_time(_out(line)) or "" for line in lines}
    return all(len(rows[stands_in.get(n, n)]) == 1 for n in written)


def _slices(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        for node in ast.walk(ast.parse(line)):
            match node:
                case ast.Subscript(ast.Name(n), ast.Slice() as index):
                    yield n, text(index)


def _out(line: str) -> Expr:
    statement = ast.parse(line).body[0]
    assert isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
    call = statement.value
    return call.keywords[-1].value if call.keywords else call.args[-1]
