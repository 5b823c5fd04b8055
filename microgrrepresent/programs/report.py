"""What is right and wrong in a backward pass, in sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from microgrrepresent.node import Array
from microgrrepresent.programs.copies import Change
from microgrrepresent.programs.mistakes import Mistake
from microgrrepresent.programs.trial import Found, Way

SHOWN = 3
"""So many explanations are printed, if several give the same numbers."""

HINT = (
    'Return adjoints, too, by step, such as {..., "dh": {t: dh, ...}}: they tell where it begins.'
)

UNTOUCHED = (
    "Every gradient is 0, as before the first line of the way back.",
    "If there are lines: many mistakes give 0, so that none is named.",
)


@dataclass(frozen=True)
class Words:
    """How printed lines are said to a student.

    Attributes
    ----------
    names : dict from str to str
        For a variable of the program, the student's that has its values.
    meanings : tuple of str
        What the other letters stand for, which the student does not use.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    meanings: tuple[str, ...] = ()

    def line(self, line: str) -> str:
        """A line in the student's names, or several; without those that then say nothing."""
        lines = _NAME.sub(lambda found: self.names.get(found[0], found[0]), line).splitlines()
        said = lines if len(lines) == 1 else [one for one in lines if not _says_nothing(one)]
        return "\n".join(said)

    def sentence(self, says: str) -> str:
        """A sentence; names of one letter may be words there, such as a."""
        names = {n: own for n, own in self.names.items() if len(n) > 1}
        return Words(names).line(says)


def _says_nothing(line: str) -> bool:
    """Whether it is ``dh = dh``."""
    left, equal, right = line.partition(" = ")
    return bool(equal) and left == right


_NAME = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True)
class Report:
    """What is right and wrong in a backward pass. Made by `mark`; print it.

    Attributes
    ----------
    loss : str
        What is wrong with the loss; empty if it is right.
    correct, missing : tuple of str
        The parameters whose gradients are right, and those whose are not there.
    wrong : dict from str to str
        What is wrong with each other gradient, in the order of computation.
    found : Found or None
        The mistakes that give these numbers.
    remarks : tuple of str
        How the gradients were read.
    adjoints : tuple of str
        What the adjoints of each step tell, if any were given.
    letters : dict from str to str
        What each parameter is called in the printed lines.
    steps : bool
        Whether the way back is a loop over steps.
    untouched : bool
        Whether every gradient is 0, and should not be.
    forward_wrong : bool
        Whether the loss is wrong in a way that no factor explains.
    other_order : bool
        Whether weights that are side by side could be read in another order, too.
    in_place : Change or None
        A line that changes in place what the forward pass made. All else is said of the function
        with that line done on a copy.
    words : Words
        The student's names for those in the printed lines.
    error : str
        What the function raised.
    """

    loss: str = ""
    correct: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    wrong: dict[str, str] = field(default_factory=dict)
    found: Found | None = None
    remarks: tuple[str, ...] = ()
    adjoints: tuple[str, ...] = ()
    letters: dict[str, str] = field(default_factory=dict)
    steps: bool = True
    untouched: bool = False
    forward_wrong: bool = False
    other_order: bool = False
    in_place: Change | None = None
    words: Words = field(default_factory=Words)
    error: str = ""

    @property
    def right(self) -> bool:
        """Whether the loss and all gradients that were asked for are right."""
        wrong = self.error or self.loss or self.in_place or self.wrong or self.missing
        return not wrong

    @property
    def first_wrong(self) -> str | None:
        """The parameter whose gradient is the first wrong one, in the order of computation."""
        return next(iter(self.wrong), None)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The mistakes that give these numbers; if there are several, any of them, or pairs."""
        return tuple(dict.fromkeys(mistake for way in self.ways for mistake in way))

    @property
    def ways(self) -> tuple[Way, ...]:
        """What gives these numbers, each one mistake or two; the first three are printed."""
        return () if self.found is None else self.found.ways

    @property
    def why(self) -> str:
        """The mistake in a few words; empty if there is none, or it is not known."""
        causes = [self.in_place.says] if self.in_place else []
        return ", and ".join([*causes, *map(_what, self.ways[:1])])

    @property
    def reproduced(self) -> bool:
        """Whether mistakes were found that give all these numbers."""
        return bool(self.ways) and self.found is not None and self.found.everywhere

    @property
    def printed_names(self) -> list[str]:
        """All names that stand in the lines that are printed."""
        lines = (line for way in self.ways[:SHOWN] for m in way for line in (m.right, m.wrong))
        return list(dict.fromkeys(name for line in lines for name in _NAME.findall(line)))

    def __str__(self) -> str:
        if self.error:
            end = "" if self.error.endswith((".", "?")) else "."
            return f"Not marked: {self.error}{end}"
        if self.forward_wrong and not self.correct:
            return f"{self.loss}\nThe gradients cannot be compared before the loss is right."
        said = [self.loss or "The loss is right.", *self.remarks]
        if self.in_place is not None:
            what = f"{self.in_place.says}. {self.in_place.why}"
            known = f"{self.loss}: {what}" if self.loss else f"The loss is right, but {what}"
            said = [known, "With a copy, this is found:", *self.remarks]
        if self.untouched:
            return "\n".join([*said, *UNTOUCHED])
        said.append(self._counted())
        if self.wrong:
            if len(self.wrong) > 1:
                said.append("In the order of computation:")
            said += [f"    {name} {what}." for name, what in self.wrong.items()]
        said += self.adjoints
        if self.found is not None and (self.found.ways or not self.loss or self.in_place):
            said += _why(self.found, self.letters, self.words)
            if self.steps and not self.found.ways and not self.adjoints:
                said.append(HINT)
        return "\n".join(line for line in said if line)

    def _counted(self) -> str:
        if not (self.wrong or self.missing):
            return f"All gradients are right: {', '.join(self.correct)}."
        kinds = {"Right": self.correct, "Wrong": tuple(self.wrong), "Missing": self.missing}
        return " ".join(f"{kind}: {', '.join(names)}." for kind, names in kinds.items() if names)

    def __repr__(self) -> str:
        what = "right" if self.right else f"{len(self.correct)} right, {len(self.wrong)} wrong"
        return f"<Report: {what}>"


def _why(found: Found, letters: Mapping[str, str], words: Words) -> list[str]:
    tried = f"{found.tried} mistakes" + (f" and {found.pairs} pairs of them" * bool(found.pairs))
    if not found.ways:
        return [f"Why: unknown; none of {tried} gives these numbers."]
    said: list[str] = []
    ways = {"\n".join(_said(way, seen, words)): None for way, seen in _shown(found, words)}
    for text in ways:
        said += f"{'Or' if said else 'Why'}: {text}".splitlines()
    more = len(found.ways) - SHOWN
    if more > 0:
        said.append(f"Or one of {more} more that come to the same.")
    said[0] += (
        f" With {'this' if len(found.ways[0]) == 1 else 'these two'} alone, all your numbers are "
        "reproduced."
        if found.everywhere
        else " This gives your numbers where they are wrong; elsewhere you have it right."
    )
    printed = set(re.findall(r"\w+", "\n".join(said)))
    other = [f"{letter} is {name}" for name, letter in letters.items() if name != letter]
    other = [o for o in other if printed & {o.split()[0], f"d{o.split()[0]}"}]
    other += words.meanings
    return [*said, f"In these lines, {'; '.join(other)}."] if other else said


def _shown(found: Found, words: Words) -> Iterator[tuple[Way, tuple[int, str] | None]]:
    """Those that are printed; of the others, those that are something else in a student's names."""
    for k, (way, seen) in enumerate(zip(found.ways[:SHOWN], found.seen, strict=False)):
        if not k or any(words.line(m.right) != words.line(m.wrong) for m in way):
            yield way, seen


def _said(way: Way, seen: tuple[int, str] | None, words: Words) -> list[str]:
    said = [f"{words.sentence(_what(way))}."]
    for mistake in way:
        wrong = words.line(mistake.wrong) or "(nothing stood there)"
        said += _beside("it should be    ", words.line(mistake.right))
        said += _beside("it is as if     ", wrong)
    if seen is not None:
        said += _beside("first seen      ", f"at t = {seen[0]}, in {words.line(seen[1])}")
    return said


def _what(way: Way) -> str:
    says = list(dict.fromkeys(mistake.says for mistake in way))
    return ", and ".join(says) + ", twice" * (len(says) < len(way))


def _beside(label: str, lines: str) -> list[str]:
    first, *rest = lines.splitlines()
    return [f"    {label}{first}", *(f"    {' ' * len(label)}{line}" for line in rest)]


def how_far(value: Array, right: Array, tolerance: float, gates: Sequence[str]) -> str:
    """By how much a gradient is wrong, and in which gates' rows."""
    norm = float(np.linalg.norm(right))
    if gates:
        return f"is wrong in the rows of {_listed(gates)}, and right in the others"
    if not np.any(value):
        return "is 0"
    scale = float(np.vdot(value, right)) / norm**2 if norm else 0.0
    if norm and np.linalg.norm(value - scale * right) <= tolerance * np.linalg.norm(value):
        return f"is {scale:.4g} times the right one"
    if not norm:
        return "is no 0"
    off = np.linalg.norm(value - right) / norm
    return f"is off by {f'{off:.1%}' if off >= 0.0005 else f'{off:.0e}'} of its norm"


def _listed(gates: Sequence[str]) -> str:
    if len(gates) == 1:
        return f"the gate {gates[0]}"
    return f"the gates {', '.join(gates[:-1])} and {gates[-1]}"
