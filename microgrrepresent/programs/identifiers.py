"""What variables are called in a program: their letters, as far as Python takes them."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from microgrrepresent.equations.terms import Variable

TAKEN = frozenset(
    {
        *dir(builtins),
        *keyword.kwlist,
        *("np", "numba", "t", "k", "loss_and_gradients", "prepare", "dot", "copyto"),
        *(n for n, function in vars(np).items() if isinstance(function, np.ufunc)),
    }
)
"""Names that mean something else in one form of a program or another."""


def letters_of(inputs: Iterable[str]) -> dict[str, str]:
    """What each input is called in the program: by its name, unless that is taken."""
    names = list(inputs)
    letters: dict[str, str] = {}
    for n in names:
        letter = _identifier(n)
        while letter in TAKEN or (letter != n and letter in {*names, *letters.values()}):
            letter = f"{letter}_"
        letters[n] = letter
    return letters


class Names:
    """Identifiers for variables.

    Parameters
    ----------
    variables : sequence of Variable
    reserved : iterable of str
        What no variable may be called.
    known : mapping from Variable to str
        What some are called already: the inputs.
    """

    def __init__(
        self, variables: Sequence[Variable], reserved: Iterable[str], known: Mapping[Variable, str]
    ) -> None:
        taken = {*TAKEN, *reserved}
        for letter in known.values():
            taken |= {letter, f"d{letter}"}
        self._names: dict[tuple[str, str, int], str] = {}
        for variable in variables:
            found = known.get(variable)
            if found is None:
                mark = variable.mark.replace("→", "f").replace("←", "b").replace("'", "_")
                between = "" if not mark or mark.startswith("_") else "_"
                base = f"{_identifier(variable.name)}{between}{mark}"
                found, i = base, 2
                while found in taken or f"d{found}" in taken:
                    found, i = f"{base}_{i}", i + 1
                taken |= {found, f"d{found}"}
            self._names[variable.name, variable.mark, variable.key] = found

    def __call__(self, variable: Variable) -> str:
        """The identifier of a variable."""
        return self._names[variable.name, variable.mark, variable.key]


def _identifier(letter: str) -> str:
    """A letter as an identifier that is none of those that a program makes, as ``dh_next``."""
    found = re.sub(r"\W", "_", letter) or "u"
    if found[0].isdigit():
        found = f"u_{found}"
    return f"{found}_" if re.search(r"_next$|^total_\d+$", found) else found
