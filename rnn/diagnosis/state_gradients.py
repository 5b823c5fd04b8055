"""The gradient of the loss with respect to every state: dL/dh_t for every t."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from microgrrepresent import GradientError, Graph, Node, grad
from microgrrepresent.arguments import one_node
from microgrrepresent.node import Array
from microgrrepresent.norms import euclidean_norm
from rnn.diagnosis.trajectory import trajectory


@dataclass(frozen=True)
class StateGradients:
    """dL/dh_t, and dL/dc_t, for every t. Made by `state_gradients`.

    Attributes
    ----------
    parts : dict from str to dict from int to ndarray
        ``{"h": {t: dL/dh_t}, ...}``.
    """

    parts: dict[str, dict[int, Array]]

    def __getitem__(self, name: str) -> dict[int, Array]:
        return self.parts[name]

    def __repr__(self) -> str:
        steps = len(next(iter(self.parts.values())))
        return f"<StateGradients of {', '.join(self.parts)} at {steps} steps; print() shows norms>"

    def norms(self, name: str | None = None) -> dict[int, float]:
        """``{t: |dL/dh_t|}``, the Euclidean norm over everything, the batch included.

        By default of the first part of the state, h.
        """
        part = self.parts[next(iter(self.parts)) if name is None else name]
        return {t: euclidean_norm(g) for t, g in part.items()}

    def __str__(self) -> str:
        """A table of the norms."""
        columns = {name: self.norms(name) for name in self.parts}
        head = "".join(f"  {'|dL/d' + name + '_t|':>12}" for name in columns)
        rows = [
            f"{t:>4}" + "".join(f"  {norms[t]:>12.3e}" for norms in columns.values())
            for t in next(iter(columns.values()))
        ]
        return "\n".join([f"{'t':>4}{head}", *rows])


def state_gradients(loss: Node, unrolled: Any) -> StateGradients:
    """The gradient of the loss with respect to every state, the initial one included.

    Parameters
    ----------
    loss : Tensor
        A scalar.
    unrolled
        See `trajectory`.

    Returns
    -------
    StateGradients
        A state on which the loss does not depend, such as one before a cut, has a gradient of 0.

    Raises
    ------
    GradientError
        If the loss does not depend on any of the states.

    Examples
    --------
    >>> from microgrrepresent import Tensor, steps
    >>> from rnn.diagnosis import state_gradients
    >>> states = [Tensor(1.0, name="h")]
    >>> for t, x in steps(range(3)):
    ...     states.append((0.5 * states[-1]).named("h"))
    >>> state_gradients(states[-1], states).norms()
    {0: 0.125, 1: 0.25, 2: 0.5, 3: 1.0}
    """
    states = trajectory(unrolled)
    nodes = [node for state in states.values() for node in state.values()]
    behind = Graph(one_node(loss, "state_gradients", "the loss"))
    if not any(node in behind for node in nodes):
        raise GradientError(
            "state_gradients: the loss does not depend on any of these states; they are of another "
            "run, or were computed under no_grad"
        )
    found = dict(zip(nodes, grad(loss, nodes, unconnected="zeros"), strict=True))
    names = next(iter(states.values()))
    return StateGradients(
        {name: {t: found[state[name]] for t, state in states.items()} for name in names}
    )
