"""A graph in words: what to call each node, and the listing that ``print(graph)`` shows.

    x: f64[2]                 # input
    w: f64[2]                 # parameter
    u(1): f64[] = matmul x w  # rnn, t=3
    ŷ: f64[] = sigmoid u(1)   # rnn, t=3, output

One line for each variable: its label, data type and shape, the operation and the labels of its
parents, and where it was made. Leaves stand first. A number in the code has no line of its own and
stands where it is used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any

import numpy as np

from microgrrepresent.node import Array, Node

_WIDEST = 72  # comments line up behind the longest line, but not behind one longer than this


def labels(nodes: Sequence[Node]) -> dict[Node, str]:
    """Name each node, uniquely but for equal numbers; see `Graph.label`."""
    found: dict[Node, str] = {}
    uses = Counter(map(_with_step, nodes))
    taken: set[str] = set()
    endings: dict[str, Iterator[int]] = {}
    for node in nodes:
        if node.name is not None:
            label = plain = _with_step(node)
            if uses[plain] > 1 and node.scope:
                label = plain = f"{node.scope}/{plain}"
            while label in taken:
                label = f"{plain}({next(endings.setdefault(plain, count(2)))})"
            taken.add(label)
            found[node] = label
    for node in nodes:
        if node.name is None:
            if is_bare_number(node):
                found[node] = repr(node.params["value"])
                continue
            kind = "u" if node.op else "parameter" if node.requires_grad else "input"
            label = kind
            while label == kind or label in taken:
                label = f"{kind}({next(endings.setdefault(kind, count(1)))})"
            taken.add(label)
            found[node] = label
    return found


def listing(nodes: Sequence[Node], outputs: Sequence[Node], labels: Mapping[Node, str]) -> str:
    """List the variables, leaves first."""
    rows = [node for node in nodes if not is_bare_number(node)]
    rows.sort(key=lambda node: node.op is not None)  # stable: each part keeps the graph's order
    results = set(outputs)
    texts = [equation(node, labels) for node in rows]
    remarks = [_remark(node, node in results, labels) for node in rows]
    return in_two_columns(list(zip(texts, remarks, strict=True)))


def in_two_columns(lines: Sequence[tuple[str, str]]) -> str:
    """Write texts with their remarks behind them, one below the other."""
    width = max((len(text) for text, remark in lines if remark and len(text) <= _WIDEST), default=0)
    return "\n".join(f"{text:<{width}}  # {remark}" if remark else text for text, remark in lines)


def _with_step(node: Node) -> str:
    """``h_3``, or ``""`` for a node without a name."""
    if node.name is None or node.step is None:
        return node.name or ""
    return f"{node.name}_{node.step}"


def is_bare_number(node: Node) -> bool:
    """Whether a node is a number in the code that nobody has named."""
    return node.is_number and node.name is None


def equation(node: Node, labels: Mapping[Node, str]) -> str:
    """One variable without its remark: ``h_3: f64[4,8] = tanh u(7)``."""
    left = f"{labels[node]}: {_type(node.value)}"
    if node.op is None:
        return left
    return f"{left} = {expression(node, [labels[parent] for parent in node.parents])}"


def expression(node: Node, parents: Sequence[str], params: Mapping[str, Any] | None = None) -> str:
    """How a result was made of parents that are called so: ``matmul x W``, ``X[0]``."""
    assert node.op is not None
    params = node.params if params is None else params
    if node.op.is_selection and node.op.index in params:
        index = params[node.op.index]
        parts = index if isinstance(index, tuple) else (index,)
        return f"{parents[0]}[{', '.join(map(_shown, parts))}]"
    shown = ", ".join(f"{key}={_shown(value)}" for key, value in params.items())
    return " ".join([node.op.name + (f"[{shown}]" if shown else ""), *parents])


def _remark(node: Node, is_output: bool, labels: Mapping[Node, str]) -> str:
    words = []
    if node.op is None:
        words.append("parameter" if node.requires_grad else "input")
    if node.scope:
        words.append(node.scope)
    if node.step is not None:
        words.append(f"t={node.step}")
    if node.derivative_of is not None:
        outside = _with_step(node.derivative_of) or "a node outside"
        words.append(f"backward of {labels.get(node.derivative_of, outside)}")
    if is_output:
        words.append("output")
    return ", ".join(words)


def _type(value: Array) -> str:
    """Data type and shape: ``f64[4,8]``."""
    kind = "bool" if value.dtype.kind == "b" else f"{value.dtype.kind}{8 * value.dtype.itemsize}"
    return f"{kind}[{','.join(map(str, value.shape))}]"


def _shown(value: Any) -> str:
    """A static argument, short: ``1:3``, ``...``, ``(0, 1)``, ``[2, 0]``, ``i64[35]``."""
    if isinstance(value, slice):
        ends = [value.start, value.stop] + ([value.step] if value.step is not None else [])
        return ":".join("" if end is None else str(end) for end in ends)
    if value is Ellipsis:
        return "..."
    if isinstance(value, tuple):
        return f"({', '.join(map(_shown, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, np.ndarray) and value.size > 4:
        return _type(value)
    return str(value.tolist()) if isinstance(value, (np.ndarray, np.generic)) else str(value)
