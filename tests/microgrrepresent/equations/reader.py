"""Reads an explanation's plain text back, and computes what it says of matrices (2, 2)."""

import re

import numpy as np

SYMBOL = r"(?:∂L/∂)?[A-Za-z][A-Za-z0-9_]*'*(?:\^\(\d+\))?"
NUMBER, FUNCTION = r"\d+(?:\.\d+)?(?:e[+-]?\d+)?", r"[A-Za-zσ]\w*\("
SIGN = r"[-+⊙·/^²ᵀ()\[\]⌊⌋,=≠<≤>≥∧∨¬Σ𝟏]"
TOKEN = re.compile(rf"\s*({NUMBER}|{FUNCTION}|{SYMBOL}|{SIGN})")
RELATIONS = {
    "=": np.equal, "≠": np.not_equal, "<": np.less, "≤": np.less_equal,
    ">": np.greater, "≥": np.greater_equal, "∧": np.logical_and, "∨": np.logical_or,
}  # fmt: skip
FUNCTIONS = {
    "ln": np.log, "σ": lambda x: 1 / (1 + np.exp(-x)), "ReLU": lambda x: np.maximum(x, 0),
    "cut": lambda x: x, "softplus": lambda x: np.logaddexp(0, x),
}  # fmt: skip


def computed(text, given):
    """The values of all left sides of an explanation, from those of the leaves."""
    known = dict(given)
    for line in text.partition("Forward\n")[2].splitlines():
        left, equals, right = line.strip().partition(" = ")
        if equals and not left.startswith("y"):  # not a local derivative
            known[left] = Reader(right, known).read()
    return known


class Reader:
    """One right side. What stands side by side, with · or with / binds alike, and before ⊙."""

    def __init__(self, text, known):
        self.tokens, self.known = TOKEN.findall(text), known
        assert "".join(self.tokens) == re.sub(r"\s", "", text), text

    def read(self):
        value = self.sum()
        assert not self.tokens, self.tokens
        return value

    def take(self, *wanted):
        return self.tokens.pop(0) if self.tokens and self.tokens[0] in wanted else None

    def expect(self, value, closing):
        assert self.take(closing), (closing, self.tokens)
        return value

    def sum(self):
        value = -self.summand() if self.take("-") else self.summand()
        while sign := self.take("+", "-"):
            other = self.summand()
            value = value + other * (1 if sign == "+" else -1)
        return value

    def summand(self):
        if self.take("Σ"):
            return np.sum(self.summand())
        value = self.product()
        while self.take("⊙"):
            value = value * self.product()
        return value

    def product(self):
        value = self.factor()
        while self.tokens and self.tokens[0] not in {*RELATIONS, *"+-⊙)],⌋"}:
            sign = self.take("·", "/")
            other = self.factor()
            value = value / other if sign == "/" else beside(value, other)
        return value

    def factor(self):
        value = self.atom()
        while sign := self.take("²", "^", "ᵀ"):
            if sign == "ᵀ":
                value = np.transpose(value)
            else:
                minus = -1 if sign == "^" and self.take("-") else 1
                value = value ** (2 if sign == "²" else minus * self.atom())
        return value

    def atom(self):
        token = self.tokens.pop(0)
        if token == "(":
            return self.expect(self.claim(), ")")
        if token == "⌊":
            return np.floor(self.expect(self.sum(), "⌋"))
        if token == "[":
            return self.expect(self.claim(), "]") * 1.0
        if token == "𝟏":
            return np.ones((2, 2))
        if token[0].isdigit():
            return float(token)
        if token.endswith("("):
            arguments = [self.sum()]
            while self.take(","):
                arguments.append(self.sum())
            function = FUNCTIONS.get(token[:-1]) or getattr(np, token[:-1])
            return self.expect(function(*arguments), ")")
        return self.known[token]

    def claim(self):
        value = np.logical_not(self.atom()) if self.take("¬") else self.sum()
        while sign := self.take(*RELATIONS):
            both = sign in "∧∨"
            value = RELATIONS[sign](value, self.claim() if both else self.sum())
        return value


def beside(a, b):
    """Two things side by side: a product of matrices, unless one of them is a number."""
    return a * b if np.ndim(a) == 0 or np.ndim(b) == 0 else a @ b
