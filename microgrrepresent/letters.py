"""Letters of mathematics by the names that programs give them: ``alpha`` is α, ``yhat`` is ŷ.

And what a name says of a layer: ``W_hh_l1_reverse`` is W_hh of layer 1, backwards in time.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from typing import NamedTuple, TypeVar

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ",
    "eta": "η", "theta": "θ", "kappa": "κ", "lambda": "λ", "lam": "λ", "mu": "μ", "nu": "ν",
    "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ", "chi": "χ",
    "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ",
    "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip
"""Greek letters by name; ``lam`` because ``lambda`` is a word of Python."""

GREEK_NAMES = {letter: name for name, letter in GREEK.items() if name != "lam"}
"""The name of each Greek letter, which is also its command in TeX."""

ACCENTS = {"hat": "\u0302", "tilde": "\u0303", "bar": "\u0304"}
"""Accents by name: the combining characters that stand behind the letter."""

K = TypeVar("K", bound=Hashable)


class InLayer(NamedTuple):
    """What a name says of a layer, as ``torch.nn`` writes it."""

    stem: str
    number: int
    reverse: bool


_IN_LAYER = re.compile(r"(?:(\w+?)_)?l(\d+)(_reverse)?")


def in_layer(name: str) -> InLayer | None:
    """Read the layer at the end of a name, of a parameter or of a scope.

    Examples
    --------
    >>> in_layer("W_hh_l1_reverse")
    InLayer(stem='W_hh', number=1, reverse=True)
    >>> in_layer("l0"), in_layer("W_hh_left")
    (InLayer(stem='', number=0, reverse=False), None)
    """
    found = _IN_LAYER.fullmatch(name)
    return InLayer(found[1] or "", int(found[2]), bool(found[3])) if found else None


def stem_of(name: str) -> str:
    """The name of a parameter without its layer: ``W_hh`` of ``W_hh_l1``."""
    layer = in_layer(name)
    return layer.stem if layer and layer.stem else name


def layer_marks(layers: Mapping[K, InLayer]) -> dict[K, str]:
    """What tells the layers apart: the number if there are several, an arrow if both directions."""
    stacked = len({layer.number for layer in layers.values()}) > 1
    both = len({layer.reverse for layer in layers.values()}) > 1
    return {
        key: (str(number + 1) if stacked else "") + (("←" if reverse else "→") if both else "")
        for key, (_, number, reverse) in layers.items()
    }
