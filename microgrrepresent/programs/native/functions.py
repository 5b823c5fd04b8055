"""exp and tanh for compiled loops.

The compiler turns a loop over elements into vector instructions, but not where the library's exp or
tanh is called. These are made of products and sums alone, so that it can:

    exp(x) - 1 = 2ⁿ (exp(r) - 1) + 2ⁿ - 1,   x = n log 2 + r,   |r| <= log(2) / 2,

with the series of exp(r) - 1 (W. J. Cody, W. Waite: Software Manual for the Elementary Functions,
1980, chapter 6), and tanh(x) = e / (e + 2), where e = exp(2x) - 1. They are exact to a few units in
the last place, near 0, too. They are printed with a program, so that its file stands alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

FLAGS = '{"contract", "nsz"}'
"""The order of terms matters here: what is nearly equal is subtracted first."""


@dataclass(frozen=True)
class Format:
    """A floating-point format.

    Attributes
    ----------
    terms : int
        Of the series of exp(r) - 1, so that what is left out is lost in rounding.
    high : str
        log 2, in so few bits that n log 2 is exact; `low` is the rest.
    bias, bits : int
        Of the exponent, and of what stands behind it.
    least, most : float
        Where exp is 0 and infinite.
    """

    real: str
    integer: str
    terms: int
    high: str
    low: str
    bias: int
    bits: int
    least: float
    most: float


FORMATS = {
    "float32": Format(
        "np.float32", "np.int32", 7, "0.693359375", "-2.12194440e-4", 127, 23, -87.3, 88.7
    ),
    "float64": Format(
        "np.float64",
        "np.int64",
        13,
        "6.93145751953125e-1",
        "1.42860682030941723212e-6",
        1023,
        52,
        -708.3,
        709.7,
    ),
}

TEXT = '''
@numba.njit(fastmath={flags}, error_model="numpy")
def {parts}(x):
    """The power of 2 in exp(x), and the rest less 1, for x between bounds."""
    n = np.floor(x * {real}(1.4426950408889634) + {real}(0.5))
    r = x - n * {real}({high}) - n * {real}({low})
    p = {real}({last})
{series}
    return {integer}(({integer}(n) + {integer}({bias})) << {integer}({bits})).view({real}), p * r


@numba.njit(fastmath={flags}, error_model="numpy")
def {exp}(x):
    """exp(x), as a loop over elements can compute it."""
    low, high = {real}({least}), {real}({most})
    inside = x if x > low else low
    power, rest = {parts}(inside if inside < high else high)
    y = {real}(0) if x < low else power * rest + power
    y = {real}(np.inf) if x > high else y
    return y if x == x else x


@numba.njit(fastmath={flags}, error_model="numpy")
def {tanh}(x):
    """tanh(x), as a loop over elements can compute it."""
    bound = {real}(40)
    twice = x + x
    inside = twice if twice > -bound else -bound
    power, rest = {parts}(inside if inside < bound else bound)
    e = power * rest + (power - {real}(1))
    y = e / (e + {real}(2))
    return y if x == x else x
'''


def functions_source(dtype: np.dtype[Any], exp: str, tanh: str, parts: str) -> str:
    """The text of exp and tanh for a data type, under names that nothing else has."""
    f = FORMATS[dtype.name]
    series = "\n".join(
        f"    p = p * r + {f.real}(1 / {math.factorial(n)})" for n in range(f.terms - 1, 0, -1)
    )
    return TEXT.format(
        flags=FLAGS,
        exp=exp,
        tanh=tanh,
        parts=parts,
        real=f.real,
        integer=f.integer,
        high=f.high,
        low=f.low,
        last=f"1 / {math.factorial(f.terms)}",
        series=series,
        bias=f.bias,
        bits=f.bits,
        least=f.least,
        most=f.most,
    ).strip()
