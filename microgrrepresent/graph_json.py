"""A graph as JSON: every field of every node, in topological order, and back.

    {"format": "microgrrepresent graph 1",
     "nodes": [
       {"name": "x", "value": {"dtype": "float64", "shape": [2], "data": [1.0, 2.0]}},
       {"op": "tanh", "parents": [0], "step": 1, "value": {...}}],
     "outputs": [1],
     "sha256": "..."}

A node refers to others by their positions in the list, and only to earlier ones. Fields that hold
nothing are left out. Numbers survive exactly: Python writes a float with as many digits as it takes
to read it back, and NaN and infinity, for which JSON has no number, are written as strings. Static
arguments that JSON has no form for are objects with one key that tells what they are:
``{"slice": [0, 2, null]}``, ``{"tuple": [...]}``, ``{"array": {...}}``, ``{"ellipsis": true}``.

What is read is what was written: the checksum is that of "nodes" and "outputs", written with sorted
keys and without blanks, so that indenting a file anew does no harm. And each value is one that its
operation gives: it is computed again, and may differ by rounding only, which is not the same on
every machine.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from microgrrepresent.errors import GraphError, located
from microgrrepresent.node import Array, Node, make
from microgrrepresent.place import Place
from microgrrepresent.primitive import registry
from microgrrepresent.tensor import Tensor

_FORMAT = "microgrrepresent graph 1"


def write_json(
    nodes: Sequence[Node], outputs: Sequence[Node], index: Mapping[Node, int], indent: int | None
) -> str:
    """Write nodes that stand in topological order."""
    try:
        content = {
            "nodes": [_written_node(node, index) for node in nodes],
            "outputs": [index[output] for output in outputs],
        }
        graph = {"format": _FORMAT, **content, "sha256": _checksum(content)}
        return json.dumps(graph, ensure_ascii=False, allow_nan=False, indent=indent)
    except RecursionError:
        raise GraphError(f"this graph cannot be saved: {_TOO_DEEP}") from None


def read_json(text: str | bytes) -> list[Node]:
    """Make the nodes anew and return the outputs."""
    try:
        graph = json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise GraphError(f"this is not a saved graph, because it is not JSON: {error}") from None
    try:
        return _read_graph(graph)
    except RecursionError:
        raise GraphError(f"this is not a saved graph: {_TOO_DEEP}") from None


_TOO_DEEP = "a static argument of an operation is nested too deep, or holds itself"


def _read_graph(graph: Any) -> list[Node]:
    if not isinstance(graph, dict) or graph.get("format") != _FORMAT:
        given = graph.get("format") if isinstance(graph, dict) else None
        raise GraphError(
            f'this is JSON, but not a saved graph: its "format" should be {_FORMAT!r}; '
            f"got {given!r}"
        )
    nodes: list[Node] = []
    written = graph.get("nodes")
    for i, fields in enumerate(written if isinstance(written, list) else []):
        try:
            nodes.append(_read_node(fields, nodes))
        except GraphError as error:
            raise GraphError(f"saved graph, node {i}: {error}") from None
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            why = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise GraphError(f"saved graph, node {i} cannot be read: {why}") from error
    try:
        outputs = [_earlier(i, nodes, "outputs") for i in graph["outputs"]]
    except (KeyError, TypeError):
        raise GraphError('saved graph: "outputs" should be a list of positions of nodes') from None
    if graph.get("sha256") != _checksum({"nodes": written, "outputs": graph["outputs"]}):
        raise GraphError(
            "this saved graph was damaged or edited after it was written: its checksum is not "
            "that of its content; write it again with to_json()"
        )
    for i, node in enumerate(nodes):
        if node.op is not None and (fault := _disagreement(node)):
            place = located(node.op.name, node.scope, node.step)
            raise GraphError(f"saved graph, node {i}, {place}: {fault}")
    return outputs


def _checksum(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _disagreement(node: Node) -> str | None:
    """In what a recorded value is not that of its operation, or None where it is."""
    assert node.op is not None
    inputs, value = [parent.value for parent in node.parents], node.value
    try:
        with np.errstate(all="ignore"):
            again = np.asarray(node.op.forward(*inputs, **node.params))
    except Exception as error:  # an operation may refuse its operands in any way
        return f"the operation does not take its parents and params: {error}"
    if (again.shape, again.dtype) != (value.shape, value.dtype):
        return f"the operation gives {again.dtype} {again.shape}, not {value.dtype} {value.shape}"
    if value.dtype.kind not in "fc":
        near = np.array_equal(again, value)
    else:
        # Terms of a sum or a product may be far larger than what is left of them.
        largest = max(map(_largest, inputs), default=0.0)
        scale = max(_largest(value), largest, largest * largest)
        tolerance = float(np.finfo(value.dtype).eps) ** 0.5
        near = np.allclose(again, value, tolerance, tolerance * scale, equal_nan=True)
    return None if near else "the operation gives other numbers than those that are saved"


def _largest(array: Array) -> float:
    """The largest finite absolute value."""
    sizes = np.abs(array[np.isfinite(array)])
    return float(sizes.max()) if sizes.size else 0.0


# --- nodes ---------------------------------------------------------------------------------------


def _written_node(node: Node, index: Mapping[Node, int]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if node.op is not None:
        if registry.get(node.op.name) is not node.op:
            raise GraphError(
                f"{node.op!r} is not registered, or was declared anew since, so it cannot be "
                "saved; record the graph again with the primitive that has this name now"
            )
        fields["op"] = node.op.name
        fields["parents"] = [index[parent] for parent in node.parents]
    if node.params:
        fields["params"] = {key: _written(value) for key, value in node.params.items()}
    if node.name is not None:
        fields["name"] = node.name
    if node.scope:
        fields["scope"] = node.scope
    if node.step is not None:
        fields["step"] = node.step
    if node.derivative_of is not None and node.derivative_of in index:
        fields["derivative_of"] = index[node.derivative_of]
    if node.requires_grad:
        fields["requires_grad"] = True
    fields["value"] = _written_array(node.value)
    return fields


def _read_node(fields: dict[str, Any], earlier: Sequence[Node]) -> Node:
    op = None
    if "op" in fields:
        op = registry.get(fields["op"])
        if op is None:
            raise GraphError(
                f"made by the operation {fields['op']!r}, which this program does not know; "
                "import the module that declares it with primitive(...), then read the graph again"
            )
    parents = tuple(_earlier(i, earlier, "parents") for i in fields.get("parents", ()))
    if op is None and parents:
        raise GraphError('has "parents" but no "op" that was applied to them')
    if op is not None and isinstance(op.vjp, tuple) and len(op.vjp) != len(parents):
        raise GraphError(f"{op.name} takes {len(op.vjp)} inputs, got {len(parents)} parents")
    params = {key: _read(value) for key, value in fields.get("params", {}).items()}
    value = _read_array(fields["value"])
    name, scope, step = fields.get("name"), fields.get("scope", ""), fields.get("step")
    if not isinstance(name, (str, type(None))) or not isinstance(scope, str):
        raise GraphError(f'"name" and "scope" should be strings, got {name!r} and {scope!r}')
    if type(step) not in (int, type(None)):
        raise GraphError(f'"step" should be an integer, got {step!r}')
    primal = (
        _earlier(fields["derivative_of"], earlier, "derivative_of")
        if "derivative_of" in fields
        else None
    )
    node = make(Tensor, op, parents, params, value, fields.get("requires_grad") is True, name)
    node.place = Place(scope, step, primal)
    return node


def _earlier(i: Any, nodes: Sequence[Node], field: str) -> Node:
    if type(i) is not int or not 0 <= i < len(nodes):
        raise GraphError(
            f'"{field}" should name earlier nodes, by positions 0 to {len(nodes) - 1}, got {i!r}'
        )
    return nodes[i]


# --- values --------------------------------------------------------------------------------------


def _written_array(value: Array) -> dict[str, Any]:
    kind, flat = value.dtype.kind, value.ravel()
    if kind == "c":
        flat = np.stack([flat.real, flat.imag], -1).ravel()
    if kind in "fc":
        if flat.dtype.itemsize > 8:  # wider than a JSON reader's numbers
            data: list[Any] = [str(x) for x in flat]
        else:
            data = flat.tolist()
            if not np.isfinite(flat).all():
                data = [x if np.isfinite(x) else str(x) for x in data]
    else:
        data = flat.tolist()
    return {"dtype": value.dtype.name, "shape": list(value.shape), "data": data}


def _read_array(fields: dict[str, Any]) -> Array:
    dtype = np.dtype(fields["dtype"])
    if dtype.kind not in "biufc":
        raise GraphError(f"a graph holds numbers, got data of dtype {dtype}")
    part = np.zeros((), dtype).real.dtype
    data = fields["data"]
    if not all(isinstance(x, (bool, int, float, str)) for x in data):
        raise GraphError('"data" should be a flat list of numbers')
    if part.kind == "f":
        data = [part.type(x) if isinstance(x, str) else x for x in data]
    flat = np.array(data, dtype=part)
    if dtype.kind == "c":
        flat = flat.view(dtype)
    return flat.reshape(fields["shape"])


def _written(value: Any) -> Any:
    """A static argument as JSON."""
    if value is None or isinstance(value, (bool, str)) or type(value) is int:
        return value
    if type(value) is float:
        return value if np.isfinite(value) else {"float": str(value)}
    if type(value) is complex:
        return {"complex": [str(value.real), str(value.imag)]}
    if value is Ellipsis:
        return {"ellipsis": True}
    if isinstance(value, slice):
        return {"slice": [_written(end) for end in (value.start, value.stop, value.step)]}
    if type(value) is tuple:
        return {"tuple": [_written(part) for part in value]}
    if type(value) is list:
        return [_written(part) for part in value]
    if type(value) is dict and all(isinstance(key, str) for key in value):
        return {"dict": {key: _written(part) for key, part in value.items()}}
    if isinstance(value, np.dtype):
        return {"dtype": value.name}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        return {"array": _written_array(value)}
    if isinstance(value, np.generic) and value.dtype.kind in "biufc":
        return {"scalar": _written_array(np.asarray(value))}
    raise GraphError(f"a static argument of type {type(value).__name__} cannot be saved: {value!r}")


def _read(value: Any) -> Any:
    """The static argument that `_written` wrote."""
    if isinstance(value, list):
        return [_read(part) for part in value]
    if not isinstance(value, dict):
        return value
    if len(value) != 1:
        raise GraphError(f"a static argument should be an object with one key, got {value}")
    [(kind, content)] = value.items()
    if kind not in _READERS:
        raise GraphError(f"a static argument of an unknown kind {kind!r}")
    return _READERS[kind](content)


def _frozen(array: Array) -> Array:
    array.setflags(write=False)
    return array


_READERS: dict[str, Callable[[Any], Any]] = {
    "float": float,
    "complex": lambda parts: complex(*map(float, parts)),
    "ellipsis": lambda _: Ellipsis,
    "slice": lambda ends: slice(*map(_read, ends)),
    "tuple": lambda parts: tuple(map(_read, parts)),
    "dict": lambda parts: {key: _read(part) for key, part in parts.items()},
    "dtype": np.dtype,
    "array": lambda fields: _frozen(_read_array(fields)),
    "scalar": lambda fields: _read_array(fields)[()],
}
