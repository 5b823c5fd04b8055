"""Reber's grammar, and the embedded one that asks for a long memory.

The grammar is an automaton: from each state, two arcs, each with a symbol. A string is a walk from
the first state to the last. In the *embedded* grammar (Hochreiter and Schmidhuber 1997, section
5.1) a string is B T <Reber string> T E or B P <Reber string> P E: the last letter but one repeats
the second one, and everything between the two says nothing about it.
"""

import numpy as np

SYMBOLS = "BTPSXVE"
GRAMMAR: dict[int, dict[str, int]] = {
    0: {"B": 1},
    1: {"T": 2, "P": 3},
    2: {"S": 2, "X": 4},
    3: {"T": 3, "V": 5},
    4: {"X": 3, "S": 6},
    5: {"P": 4, "V": 6},
    6: {"E": 7},
}


def reber(rng: np.random.Generator) -> tuple[str, list[str]]:
    """A string of the grammar, and for each symbol the set of those that could follow it."""
    state, string, following = 0, "", []
    while state in GRAMMAR:
        symbol = str(rng.choice(list(GRAMMAR[state])))
        state = GRAMMAR[state][symbol]
        string += symbol
        following.append("".join(GRAMMAR.get(state, {})))
    return string, following


def embedded(rng: np.random.Generator) -> tuple[str, list[str]]:
    """A string of the embedded grammar, and for each symbol the set of those that could follow."""
    inner, following = reber(rng)
    outer = str(rng.choice(["T", "P"]))
    return f"B{outer}{inner}{outer}E", ["TP", "B", *following[:-1], outer, "E", ""]
