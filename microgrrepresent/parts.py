"""Parts of an adjoint that are no arrays yet: what a rule gives where adding it up can be cheaper.

``x[index]`` hands back zeros with a few numbers in them; only these need be added. A weight that is
used at each of T steps gets the sum of T products gᵀ x; that is one product of taller matrices.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from microgrrepresent.node import Array


class Selected(tuple[Callable[..., None], Array, tuple[Array, ...], dict[str, Any]]):
    """What a selection ``y = x[...]`` hands back to x: how to add g to some of its elements.

    It is ``(scatter, g, inputs, params)``; see `Primitive`. Called as a rule, it gives itself.
    """

    __slots__ = ()

    def __call__(self, *_: Any) -> Selected:
        """What the rule of the selection gives: this."""
        return self


class Outer(tuple[Array, Array]):
    """The matrix product ``left.T @ right`` of ``(left, right)``, which has not been taken yet.

    It is the sum over the rows of both of their outer products.
    """

    __slots__ = ()
