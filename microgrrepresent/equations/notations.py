r"""The letters of the courses: one table.

The courses write the same networks with other letters, and the same letters for other things:

===========  =============  =========  =========  ==================  ========================
notation     state          W x        U h        candidate           update gate of a GRU
===========  =============  =========  =========  ==================  ========================
pytorch      h_t, c_t       W_i·       W_h·       g_t, n_t            z_t keeps the state
nndl         h_t, c_t       W, W_·     U, U_·     c̃_t, h̃_t            z_t keeps the state
ng           a<t>, c<t>     W_a, W_· of [a<t-1>, x<t>]    c̃<t>        Γ_u<t> writes the candidate
nankai       h_t, c_t       U, U_·     W, W_·     c̃_t, h̃_t            z_t keeps the state
task05       s_t, c_t       U, U_·     W, W_·     c̃_t, s̃_t            z_t keeps the state
d2l          H_t, C_t       X_t W_x·   H_{t-1} W_h·       C̃_t, H̃_t    Z_t keeps the state
===========  =============  =========  =========  ==================  ========================

nndl is "Neural Networks and Deep Learning" (Qiu), ng Andrew Ng's "Sequence Models", nankai the
lecture of Nankai University, task05 DataWhale's chapter on computation graphs, and d2l "Dive into
Deep Learning", whose letters are those of many interview notes.

A letter is written as the program would name it, ``W_ih``; a ᵀ behind it says that the course's
matrix is the transpose of the program's. To add a course, add a row to `NOTATIONS`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from microgrrepresent.letters import in_layer, layer_marks, stem_of

NotationName = Literal["pytorch", "nndl", "ng", "nankai", "task05", "d2l"]


@dataclass(frozen=True)
class Notation:
    r"""Letters and habits of one course.

    Attributes
    ----------
    name : str
        What to call it.
    columns : bool
        Whether a state is a column, as in W h, instead of a row, as in h Wᵀ. Programs compute with
        rows, one for each sequence of a batch; on paper most write columns.
    letters : dict from str to str
        Another letter for a variable's name; both as in ``W_hh``.
    beside : dict from str to dict
        Letters that hold where there is a variable of this name, too: a GRU is what has an ``n``.
    cell : dict from str to str
        Letters that hold in the equations of one cell, where there is no other layer beside it.
    time : {"subscript", "angle"}
        h_t, or h<t>.
    adjoint : {"bar", "partial", "d"}
        A bar over the letter, ∂L/∂ before it, or a d before it, as in programs.
    deltas : frozenset of str
        Variables whose adjoint is called δ.
    loss : str
        The letter of the loss.
    unwritten : frozenset of str
        Variables that stand inside of other equations where a step is written: the sum a of
        h = tanh(a).
    first : frozenset of str
        Weights whose product is the first of a sum: U h + W x.
    joined : str
        Where a step is written with one matrix for state and input, W_a [a<t-1>, x<t>]: its letter.
    update : {"keep", "write"}
        What an update gate near 1 does: keep the state, or write the candidate.
    """

    name: str = "rows"
    columns: bool = False
    letters: Mapping[str, str] = field(default_factory=dict)
    beside: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    cell: Mapping[str, str] = field(default_factory=dict)
    time: Literal["subscript", "angle"] = "subscript"
    adjoint: Literal["bar", "partial", "d"] = "bar"
    deltas: frozenset[str] = frozenset()
    loss: str = "L"
    unwritten: frozenset[str] = frozenset({"a"})
    first: frozenset[str] = frozenset()
    joined: str = ""
    update: Literal["keep", "write"] = "keep"

    def fitted(self, names: Collection[str]) -> Notation:
        """The notation for variables of these names.

        A course writes U for the ``W_hh_l1`` of a layer, too, with the number that the layer's
        states have. It gives W away to a cell only where there is one: else W stays W.
        """
        letters, known = dict(self.letters), self.stems(names)
        if not {"W_ih", "W_hh"} & known:
            letters.pop("W", None)
        for name, more in self.beside.items():
            if name in known:
                letters |= more
        if self.name != "PyTorch":  # whose letters are the program's own
            layers = {name: layer for name in names if (layer := in_layer(name)) and layer.stem}
            for name, mark in layer_marks(layers).items():
                letter = letters.get(layers[name].stem, layers[name].stem)
                stem = letter.removesuffix("ᵀ")
                letters[name] = stem + (mark and f"^{mark}") + letter[len(stem) :]
        return replace(self, letters=letters)

    def stems(self, names: Collection[str]) -> set[str]:
        """The names, and those of layers' parameters without the layer."""
        return {*names, *map(stem_of, names)}


_GATES = "ifogrzn"
_SUMS = frozenset({"a", *(f"a_{gate}" for gate in _GATES)})


def _by_gate(subscripts: Mapping[str, str], **patterns: str) -> dict[str, str]:
    """The letters of every gate: ``W="U_·"`` makes of the program's ``W_f`` a ``U_f``.

    A candidate's weights have the subscript of the state that it is a candidate for.
    """
    return {
        f"{program}_{gate}": letter.replace("·", subscripts.get(gate, gate))
        for program, letter in patterns.items()
        for gate in _GATES
    }


_LSTM = {"c": {"g": "c̃"}}
_STATES = {"g": "c", "n": "h"}
_NG = {"i": "u", "z": "u", "g": "c", "n": "c"}

NOTATIONS: dict[str, Notation] = {
    "pytorch": Notation(
        "PyTorch",
        letters=_by_gate({}, W="W_i·", U="W_h·", b_i="b_i·", b_h="b_h·"),
        unwritten=frozenset({"a", "b"}),  # a cell has two biases
    ),
    "nndl": Notation(
        "NNDL",
        columns=True,
        adjoint="partial",
        deltas=_SUMS,
        loss="ℒ",
        letters={"W_ih": "W", "W_hh": "U", "W": "V", "a": "z", "n": "h̃"}
        | {"b_i_n": "b_h", "b_h_n": "d_h"}
        | _by_gate(_STATES, W="W_·", U="U_·", b="b_·", V="V_·", a="z_·"),
        beside=_LSTM,
        unwritten=frozenset(),
        first=frozenset({"W_hh"}),
    ),
    "ng": Notation(
        "Ng",
        columns=True,
        time="angle",
        adjoint="d",
        letters={"W_ih": "W_ax", "W_hh": "W_aa", "W": "W_ya", "h": "a", "a": "z", "ŷ": "ŷ"}
        | {"i": "Γ_u", "f": "Γ_f", "o": "Γ_o", "r": "Γ_r", "z": "Γ_u"}
        | {"n": "c̃", "b_i_n": "b_c", "b_h_n": "d_c"}
        | _by_gate(_NG, W="W_·x", U="W_·a", b="b_·", V="V_·", a="z_·"),
        beside={**_LSTM, "n": {"h": "c", "W_n": "W_cx", "U_n": "W_cc"}},
        cell={"b": "b_a"},
        joined="W_a",
        update="write",
    ),
    "nankai": Notation(
        "Nankai",
        columns=True,
        adjoint="partial",
        letters={"W_ih": "U", "W_hh": "W", "W": "V", "n": "h̃"}
        | {"b_i_n": "b_h", "b_h_n": "d_h"}
        | _by_gate(_STATES, W="U_·", U="W_·", b="b_·", V="V_·", a="a_·"),
        beside=_LSTM,
        cell={"b": "b_h"},
        first=frozenset({"W_hh"}),
    ),
    "task05": Notation(
        "Task05",
        columns=True,
        adjoint="partial",
        letters={"W_ih": "U", "W_hh": "W", "W": "V", "h": "s", "y": "o", "n": "s̃"}
        | {"b_i_n": "b_s", "b_h_n": "d_s"}
        | _by_gate({"g": "c", "n": "s"}, W="U_·", U="W_·", b="b_·", V="V_·", a="a_·"),
        beside={**_LSTM, "o": {"y": "y"}},  # where o is the output gate
        cell={"b": "b_s"},
    ),
    "d2l": Notation(
        "D2L",
        adjoint="partial",
        letters={"W_ih": "W_xhᵀ", "W_hh": "W_hhᵀ", "W": "W_hqᵀ", "b_i_n": "b_h", "b_h_n": "d_h"}
        | {letter: letter.upper() for letter in "xhcifrz"}
        | {"o": "O", "y": "O", "g": "G", "n": "H̃", "a": "A"}
        | _by_gate(_STATES, W="W_x·ᵀ", U="W_h·ᵀ", b="b_·", V="V_·", a="A_·"),
        beside={"c": {"g": "C̃"}, "o": {"y": "Y"}},
        cell={"b": "b_h"},
    ),
}
"""Every course, by the name that `explain` and a layer's ``equations`` know it by."""


def notation_named(name: str, who: str) -> Notation:
    """The notation of that name.

    Raises
    ------
    ValueError
        If there is none.
    """
    if not isinstance(name, str) or name not in NOTATIONS:
        known = ", ".join(map(repr, NOTATIONS))
        raise ValueError(f"{who}: notation must be one of {known}, got {name!r}")
    return NOTATIONS[name]
