r"""How far back a gradient reaches: ``|dL/dh_t|`` over t, for several networks side by side.

    flow = gradient_flow({"RNN": RNNCell(4, 32), "LSTM": LSTMCell(4, 32)}, xs)
    print(flow)                 # a table
    flow.save("flow.svg")       # the figure (matplotlib)

Three things are read from the record of one run and its reverse sweep: the gradient of the loss
with respect to every state; the activations of the gates; and the *direct path* of the state, the
part of ds_t/ds_{t-1} that passes additions and gates only, with the gates held fixed. Of an LSTM's
cell it is the forget gate, dc_t/dc_{t-1} = f_t: its constant error carousel (C33).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from microgrrepresent import GradientError, Graph, Node, Tensor, grad
from microgrrepresent.arguments import one_node
from microgrrepresent.node import Array
from microgrrepresent.norms import euclidean_norm
from rnn.cells import Cell
from rnn.diagnosis.shown import Shown
from rnn.diagnosis.state_jacobian import made_since
from rnn.layers.recurrent import Recurrent
from rnn.layers.unrolling import unroll

if TYPE_CHECKING:
    from rnn.figures import Figure

STATES = ("h", "c")
GATES = ("i", "f", "o", "r", "z")


@dataclass(frozen=True)
class Trace(Shown):
    """What one network's run showed; one part of a `GradientFlow`.

    Attributes
    ----------
    gradients : dict
        ``{"h": {t: |dL/dh_t|}, "c": ...}``; the norm is taken over units and batch. States of
        several layers have their scope in front: ``lstm/layer1/h``.
    gates : dict
        ``{"f": array of shape (units, T)}``, the mean over the batch, in order of t.
    direct : dict
        ``{"c": {t: ...}}``: by what the direct path alone multiplies a gradient on its way from
        the last step to step t, as the root mean square over units and batch.
    units : dict
        ``{"h": array of shape (units, steps)}``: the gradients of each unit, the norm over the
        batch, in order of t.
    """

    gradients: dict[str, dict[int, float]] = field(default_factory=dict)
    gates: dict[str, Array] = field(default_factory=dict)
    direct: dict[str, dict[int, float]] = field(default_factory=dict)
    units: dict[str, Array] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Trace of {', '.join(self.gradients)}: a step back multiplies by {self.rate:.3g}>"

    @property
    def rate(self) -> float:
        """The factor by which ``|dL/dh_t|`` changes per step on its way back.

        Back is from the step that was computed last to the one computed first, which in a layer
        that runs from T to 1 is from 1 to T. Where the gradient ends before, because the graph is
        cut or the loss reads earlier outputs only, the steps that it reaches count. It is 0 if the
        gradient does not leave its step.
        """
        return _rate(next(iter(self.gradients.values())))

    def __str__(self) -> str:
        """A table of the norms by step; see `GradientFlow`."""
        return _table(self.gradients)

    def figure(self, title: str | None = None) -> Figure:
        """Draw gradients and gates as heat maps, a row a unit: each layer and direction apart.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        """
        from rnn.diagnosis.units_figure import figure

        return figure(self, title)


@dataclass(frozen=True)
class GradientFlow(Shown):
    """The gradient of every state of several networks. Made by `gradient_flow`.

    Attributes
    ----------
    traces : dict from str to Trace
        One for each network, by its label.
    """

    traces: dict[str, Trace]

    def __repr__(self) -> str:
        rates = ", ".join(f"{label} {trace.rate:.3g}" for label, trace in self.traces.items())
        return f"<GradientFlow: a step back multiplies by {rates}; print() shows a table>"

    def __getitem__(self, label: str) -> Trace:
        if label not in self.traces:
            raise KeyError(f"there is no network {label!r}; there are {', '.join(self.traces)}")
        return self.traces[label]

    def __str__(self) -> str:
        """A table: |dL/d state_t| of every network at some t, and the factor per step."""
        return _table(
            {
                f"{label} {state}" if len(trace.gradients) > 1 else label: norms
                for label, trace in self.traces.items()
                for state, norms in trace.gradients.items()
            }
        )

    def figure(self, title: str | None = None) -> Figure:
        """Draw ``|dL/dh_t|`` over t on a log axis, and beside it each network's gates as heat maps.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        """
        from rnn.diagnosis.flow_figure import figure

        return figure(self, title)


def gradient_flow(
    models: Any,
    batch: Any,
    loss: Callable[[Tensor], Tensor] | None = None,
) -> GradientFlow:
    """Run networks on a batch, differentiate, and compare what arrives at every step.

    Parameters
    ----------
    models : Cell, callable, or mapping from label to those
        A cell is unrolled over the batch. Anything else is called with the batch, and gives a
        loss, or its outputs, or a pair of outputs (time first) and states as layers do.
    batch : Tensor or array, shape (T, B, I) or (T, I)
        The inputs, time first.
    loss : callable, optional
        From the outputs, (T, B, H), to a scalar. By default, the sum of the last output divided
        by the root of its size, so that ``|dL/dh_T|`` is 1 and ``|dL/dh_t|`` the factor by which
        the gradient has changed on its way from T to t.

    Returns
    -------
    GradientFlow

    Raises
    ------
    TypeError
        If a model is neither a cell nor callable, or gives no Tensor.
    GradientError
        If the loss is no scalar, or a network records no states: nodes named h, or c, that know
        their step.

    Examples
    --------
    >>> import numpy as np
    >>> from rnn import LinearRecurrentCell, RNNCell
    >>> from rnn.diagnosis import gradient_flow
    >>> cells = {"RNN": RNNCell(1, 8, rng=0), "h + g(x)": LinearRecurrentCell(1, 8, rng=0)}
    >>> flow = gradient_flow(cells, np.ones((50, 1)))
    >>> print(f"{flow['RNN'].rate:.2f} {flow['h + g(x)'].rate:.2f}")
    0.64 1.00
    """
    named = models if isinstance(models, Mapping) else {type(models).__name__: models}
    if not named or not all(callable(model) for model in named.values()):
        wrong = [type(model).__name__ for model in named.values() if not callable(model)]
        raise TypeError(
            "gradient_flow: wants a cell, a function of the batch, or {label: cell or function}, "
            f"got {', '.join(wrong) or 'none'}"
        )
    return GradientFlow(
        {
            label: _traced(label, _run(label, model, batch, loss), _letters(model))
            for label, model in named.items()
        }
    )


def _run(label: str, model: Any, batch: Any, loss: Callable[[Tensor], Tensor] | None) -> Node:
    outputs = unroll(model, batch).stacked() if isinstance(model, Cell) else model(batch)
    if isinstance(outputs, tuple):
        outputs = outputs[0]
    one_node(outputs, "gradient_flow", f"what {label} gives")
    if loss is not None:
        value = one_node(loss(outputs), "gradient_flow", "what loss= gives")
        if value.size != 1:
            raise GradientError(
                f"gradient_flow: loss= gives one number, such as a sum, got shape {value.shape}"
            )
        return value
    if outputs.size == 1 and not outputs.ndim:
        return outputs
    last = outputs[-1]
    return last.sum() / np.sqrt(last.size)  # type: ignore[no-any-return]


def _letters(model: Any) -> tuple[str, ...]:
    """What the parts of a state are called."""
    cell = model.cells[0] if isinstance(model, Recurrent) else model
    return tuple(cell.state_sizes()) if isinstance(cell, Cell) else STATES


def _traced(label: str, loss: Node, letters: tuple[str, ...]) -> Trace:
    """Read one run's record."""
    graph = Graph(loss)
    states = _series(graph, letters)
    if not states:
        raise GradientError(
            f"gradient_flow: {label} records no states; name them with h.named('h') inside "
            "'with step(t):' or 'for t, x in steps(xs):', as the cells of rnn do"
        )
    nodes = [node for series in states.values() for node in series.values()]
    found = dict(zip(nodes, grad(loss, nodes, unconnected="zeros"), strict=True))
    gradients = {
        name: {t: euclidean_norm(found[node]) for t, node in series.items()}
        for name, series in states.items()
    }
    gates = {
        name: np.stack([_mean_over_batch(series[t].value) for t in sorted(series)], axis=1)
        for name, series in _series(graph, GATES).items()
        if len({node.shape for node in series.values()}) == 1
    }
    memories = {name: s for name, s in states.items() if name.endswith("c")} or states
    direct = {
        name: dict(zip(series, direct_path(list(series.values())), strict=True))
        for name, series in memories.items()
    }
    units = {
        name: np.stack([_by_unit(found[series[t]]) for t in sorted(series)], axis=1)
        for name, series in states.items()
    }
    return Trace(gradients, gates, direct, units)


def _series(graph: Graph, names: tuple[str, ...]) -> dict[str, dict[int, Node]]:
    """The nodes of these names by step, in the order of computation; one series for each scope."""
    found: dict[tuple[str, str], dict[int, Node]] = {}
    for name in names:
        for node in graph.find(name=name):
            if node.step is not None and node.derivative_of is None:
                found.setdefault((name, node.scope), {})[node.step] = node
    several = {name for name, _ in found if sum(key[0] == name for key in found) > 1}
    return {
        f"{scope}/{name}" if name in several and scope else name: series
        for (name, scope), series in found.items()
    }


def direct_path(states: list[Node]) -> list[float]:
    """By what the direct path alone multiplies a gradient from the last state to each of them.

    It is the product of the factors of all steps on the way; each is a vector, because additions
    and elementwise products let unit j of the state depend on unit j only.
    """
    product = np.ones(states[-1].shape)
    factors = [1.0]
    for before, now in zip(states[-2::-1], states[:0:-1], strict=True):
        product = product * elementwise_derivative(now, before)
        factors.append(euclidean_norm(product) / math.sqrt(product.size))
    return factors[::-1]


def elementwise_derivative(now: Node, before: Node) -> Array:
    """The derivative of one state by the one before, along additions and elementwise products."""
    derivative: dict[Node, Array] = {before: np.ones(before.shape)}
    for node in made_since(before, now):
        for i, parent in enumerate(node.parents):
            if parent not in derivative or not _is_elementwise_product(node, i):
                continue
            assert node.op is not None
            rule = node.op.vjp[i]
            assert rule is not None
            values = [p.value for p in node.parents]
            part = rule(derivative[parent], node.value, *values, **node.params)
            derivative[node] = derivative.get(node, 0) + part
    return derivative.get(now, np.zeros(now.shape))


def _is_elementwise_product(node: Node, i: int) -> bool:
    """Whether a result is its i-th parent, times something and plus something, element by element.

    Not so an activation: a peephole looks at the state through one, and is no direct path.
    """
    op = node.op
    return (
        op is not None
        and node.shape == node.parents[i].shape
        and op.vjp[i] is not None
        and bool(op.meets)
        and op.said("meets", node, i, by="flow") == "elementwise"
        and op.is_linear(node, [i])
    )


def _rate(norms: dict[int, float]) -> float:
    """The factor per step between the ends of what is not 0; the norms in order of computation."""
    reached = [(t, norm) for t, norm in norms.items() if norm]
    if len(reached) < 2:
        return 0.0 if len(norms) > 1 else 1.0
    (first, arrived), (last, sent) = reached[0], reached[-1]
    return float((arrived / sent) ** (1 / abs(last - first)))


def _table(columns: dict[str, dict[int, float]]) -> str:
    """Norms at some of the steps, and the factor per step."""
    widths = [max(len(name), 9) for name in columns]
    times = sorted({t for norms in columns.values() for t in norms})
    shown = sorted({times[round(i)] for i in np.linspace(0, len(times) - 1, 12)})
    lines = [f"{'t':>8}" + _row(list(columns), widths)]
    for t in shown:
        cells = [f"{norms[t]:.3e}" if t in norms else "" for norms in columns.values()]
        lines.append(f"{t:>8}" + _row(cells, widths))
    rates = [f"{_rate(norms):.5f}" for norms in columns.values()]
    lines.append("per step" + _row(rates, widths))
    if not all(math.isfinite(norm) for norms in columns.values() for norm in norms.values()):
        lines.append("rnn.diagnosis.find_nonfinite(loss) names where NaN or inf begins")
    return "\n".join(lines)


def _row(cells: list[str], widths: list[int]) -> str:
    return "".join(f"  {cell:>{width}}" for cell, width in zip(cells, widths, strict=True))


def _mean_over_batch(value: Array) -> Array:
    mean: Array = value.mean(axis=tuple(range(value.ndim - 1)))
    return mean


def _by_unit(gradient: Array) -> Array:
    """The norm over the batch for each unit, however small it is."""
    sizes = np.abs(gradient.reshape(-1, gradient.shape[-1] if gradient.ndim else 1))
    largest = sizes.max(axis=0)
    shares = np.divide(sizes, largest, where=largest > 0, out=np.zeros_like(sizes))
    norm: Array = largest * np.sqrt((shares**2).sum(axis=0))
    return norm
