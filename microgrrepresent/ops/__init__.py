r"""The operations: one declaration each, with the rule of its derivative.

Subgradients
------------
Where a function has a kink or a tie there is no derivative, and an engine has to choose. Ours:

==================================  ==========================================================
at                                  the derivative is taken to be
==================================  ==========================================================
``abs(x)``, x = 0                   0
``sign(x)``                         0 everywhere
``relu(x)``, x = 0                  0
``maximum(a, b)``, a = b            1/2 to each (and ``minimum``)
``max(x)`` with n equal maxima      1/n to each of them (and ``min``)
``clip(x, low, high)``, on a bound  1, as inside
``sqrt(x)``, x = 0                  0, where the one-sided limit is infinite
``norm(x)``, x = 0                  0
``std(x)``, all x equal             0
``pow(x, b)``, x = 0                b x^(b-1) for the base; 0 for the exponent
==================================  ==========================================================
"""

from microgrrepresent.ops.elementwise import (
    abs,
    add,
    astype,
    clip,
    cos,
    div,
    equal,
    exp,
    greater,
    greater_equal,
    invert,
    less,
    less_equal,
    log,
    log1p,
    maximum,
    minimum,
    mul,
    neg,
    not_equal,
    pow,
    relu,
    sigmoid,
    sign,
    sin,
    softplus,
    sqrt,
    stop_gradient,
    sub,
    tanh,
    where,
)
from microgrrepresent.ops.exponentials import (
    binary_cross_entropy,
    cross_entropy,
    log_softmax,
    logsumexp,
    softmax,
)
from microgrrepresent.ops.joining import concatenate, split, stack
from microgrrepresent.ops.linear_algebra import dot, linear, matmul
from microgrrepresent.ops.reductions import cumsum, max, mean, min, norm, prod, std, sum, var
from microgrrepresent.ops.selection import one_hot, take
from microgrrepresent.ops.shapes import (
    broadcast_to,
    expand_dims,
    flip,
    reshape,
    squeeze,
    swapaxes,
    transpose,
)

__all__ = [
    "abs",
    "add",
    "astype",
    "binary_cross_entropy",
    "broadcast_to",
    "clip",
    "concatenate",
    "cos",
    "cross_entropy",
    "cumsum",
    "div",
    "dot",
    "equal",
    "exp",
    "expand_dims",
    "flip",
    "greater",
    "greater_equal",
    "invert",
    "less",
    "less_equal",
    "linear",
    "log",
    "log1p",
    "log_softmax",
    "logsumexp",
    "matmul",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "mul",
    "neg",
    "norm",
    "not_equal",
    "one_hot",
    "pow",
    "prod",
    "relu",
    "reshape",
    "sigmoid",
    "sign",
    "sin",
    "softmax",
    "softplus",
    "split",
    "sqrt",
    "squeeze",
    "stack",
    "std",
    "stop_gradient",
    "sub",
    "sum",
    "swapaxes",
    "take",
    "tanh",
    "transpose",
    "var",
    "where",
]
