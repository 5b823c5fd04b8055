r"""Elementwise operations and their derivatives: the table of every calculus course.

Read a row as: name, function, and for each input the rule that takes the adjoint ``g`` of the
output ``y`` to what it adds to the adjoint of that input. ``None``: no derivative passes. Then
follows what is said of the operation, its source, its derivative and so on, in the letters of the
rule; `Description` has the fields, and a test runs what they say.

At a kink there is no derivative, and the rule has to choose (a *subgradient*). The choices are
listed in `microgrrepresent.ops`.
"""

from __future__ import annotations

from types import NoneType
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from microgrrepresent.arrays import arrayed, data_type
from microgrrepresent.node import dtype_name
from microgrrepresent.place import running
from microgrrepresent.polymorphic import operation
from microgrrepresent.primitive import Primitive, primitive

# --- comparisons and logic: results are piecewise constant, so that no derivative passes ----------

NONE = (None, None)

equal = primitive("equal", np.equal, NONE, symbol="=", source="a == b")
not_equal = primitive("not_equal", np.not_equal, NONE, symbol="≠", source="a != b")
less = primitive("less", np.less, NONE, symbol="<", source="a < b")
less_equal = primitive("less_equal", np.less_equal, NONE, symbol="≤", source="a <= b")
greater = primitive("greater", np.greater, NONE, symbol=">", source="a > b")
greater_equal = primitive("greater_equal", np.greater_equal, NONE, symbol="≥", source="a >= b")
bitwise_and = primitive("bitwise_and", np.bitwise_and, NONE, symbol="∧", source="a & b")
bitwise_or = primitive("bitwise_or", np.bitwise_or, NONE, symbol="∨", source="a | b")
invert = primitive("invert", np.invert, (None,), symbol="¬", source="~x")

# --- arithmetic ----------------------------------------------------------------------------------

add = primitive(
    "add",
    np.add,
    (lambda g, y, a, b: g, lambda g, y, a, b: g),
    symbol="+",
    kind="linear",
    source="a + b",
    derivative=("1", "1"),
)
sub = primitive(
    "sub",
    np.subtract,
    (lambda g, y, a, b: g, lambda g, y, a, b: -g),
    symbol="−",
    kind="linear",
    source="a - b",
    derivative=("1", "-1"),
)
mul = primitive(
    "mul",
    np.multiply,
    (lambda g, y, a, b: g * b, lambda g, y, a, b: g * a),
    symbol="×",
    source="a * b",
    derivative=("b", "a"),
)
div = primitive(
    "div",
    np.true_divide,
    (lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b),
    symbol="÷",
    source="a / b",
    derivative=("1 / b", "-y / b"),
)
neg = primitive(
    "neg",
    np.negative,
    (lambda g, y, x: -g,),
    symbol="−",
    kind="linear",
    source="-x",
    derivative="-1",
)
pow = primitive(
    "pow",
    np.power,
    (
        # where keeps 0 * x^(0-1) = 0 * inf and 0 * log 0 from making NaN of a derivative that is 0
        lambda g, y, a, b: g * b * a ** where(a == 0, where(b == 0, 1, b - 1), b - 1),
        lambda g, y, a, b: g * y * log(where(a == 0, 1, a)),
    ),
    symbol="^",
    source="a ** b",
    derivative=("b * a ** (b - 1)", "y * np.log(a)"),
)

# --- functions of one variable -------------------------------------------------------------------

exp = primitive("exp", np.exp, (lambda g, y, x: g * y,), derivative="y")
log: Primitive = primitive(
    "log", np.log, (lambda g, y, x: g / x,), formula="ln(x)", derivative="1 / x"
)
log1p = primitive("log1p", np.log1p, (lambda g, y, x: g / (1 + x),), derivative="1 / (1 + x)")
sqrt = primitive(
    "sqrt",
    np.sqrt,
    (lambda g, y, x: where(y == 0, 0, 0.5 * g / where(y == 0, 1, y)),),
    symbol="√",
    derivative="np.where(y > 0, 1 / (2 * y), 0)",
)
sin = primitive(
    "sin",
    np.sin,
    (lambda g, y, x: g * cos(x),),
    kind="activation",
    derivative="np.cos(x)",
    steepest=1.0,
)
cos: Primitive = primitive(
    "cos",
    np.cos,
    (lambda g, y, x: -g * sin(x),),
    kind="activation",
    derivative="-np.sin(x)",
    steepest=1.0,
)
tanh = primitive(
    "tanh",
    np.tanh,
    # g (1 - y²) multiplied out: 1 - array is the slowest of NumPy's small operations
    (lambda g, y, x: g - g * y * y,),
    kind="activation",
    derivative="1 - y**2",
    steepest=1.0,
)


@np.errstate(over="ignore")  # exp(1000) is inf, and 1 / inf the right answer
def _sigmoid(x: Any) -> Any:
    x = np.asarray(x)
    y = np.asarray(-x if x.dtype.kind in "fc" else 0.0 - x)  # -x of unsigned integers wraps around
    np.exp(y, y)
    y += 1
    return np.reciprocal(y, y)


sigmoid = primitive(
    "sigmoid",
    _sigmoid,
    (lambda g, y, x: (gy := g * y) - gy * y,),  # 1 - array is slow, see tanh
    symbol="σ",
    kind="activation",
    source="1 / (1 + np.exp(-x))",
    formula="σ(x)",
    derivative="y * (1 - y)",
    meets="elementwise",
    steepest=0.25,
    doc="1 / (1 + exp(-x)), elementwise.",
)
softplus = primitive(
    "softplus",
    lambda x: np.logaddexp(0, x),
    (lambda g, y, x: g * sigmoid(x),),
    kind="activation",
    source="np.logaddexp(0, x)",
    formula="softplus(x)",
    derivative="1 / (1 + np.exp(-x))",
    meets="elementwise",
    steepest=1.0,
    analytic=False,
    doc="log(1 + exp(x)), elementwise and without overflow.",
)

# --- functions with kinks ------------------------------------------------------------------------

sign = primitive("sign", np.sign, (None,), derivative="0", analytic=False)
abs = primitive(
    "abs",
    np.abs,
    (lambda g, y, x: g * sign(x),),
    symbol="|·|",
    source="np.abs(x)",
    derivative="np.sign(x)",
    steepest=1.0,
    analytic=False,
)
relu = primitive(
    "relu",
    lambda x: np.maximum(x, 0),
    (lambda g, y, x: g * (y != 0),),  # so that NaN passes g on, as it does in maximum
    kind="activation",
    source="np.maximum(x, 0)",
    formula="ReLU(x)",
    derivative="x > 0",
    meets="elementwise",
    steepest=1.0,
    analytic=False,
    doc="max(x, 0), elementwise.",
)
maximum = primitive(
    "maximum",
    np.maximum,
    (
        lambda g, y, a, b: _share(g, a < b, a == b),
        lambda g, y, a, b: _share(g, b < a, a == b),
    ),
    symbol="max",
    derivative=("(a > b) + (a == b) / 2", "(b > a) + (a == b) / 2"),
    steepest=1.0,
    analytic=False,
)
minimum = primitive(
    "minimum",
    np.minimum,
    (
        lambda g, y, a, b: _share(g, a > b, a == b),
        lambda g, y, a, b: _share(g, b > a, a == b),
    ),
    symbol="min",
    derivative=("(a < b) + (a == b) / 2", "(b < a) + (a == b) / 2"),
    steepest=1.0,
    analytic=False,
)


def _share(g: Any, loses: Any, ties: Any) -> Any:
    """Nothing of g where an operand loses, half of it where it ties, so that both share it.

    Beside NaN nobody loses: the result is NaN, and each operand gets g.
    """
    return where(ties, 0.5 * g, where(loses, 0, g))


# --- choosing ------------------------------------------------------------------------------------

where: Primitive = primitive(
    "where",
    lambda condition, a, b: np.where(condition, a, b),
    (
        None,
        lambda g, y, condition, a, b: where(condition, g, 0),
        lambda g, y, condition, a, b: where(condition, 0, g),
    ),
    source="np.where(condition, a, b)",
    derivative=("0", "np.where(condition, 1, 0)", "np.where(condition, 0, 1)"),
    meets="elementwise",
    vjp_source=("0", "np.where(condition, g, 0)", "np.where(condition, 0, g)"),
    doc="where(condition, a, b): elements of a where the condition holds, of b elsewhere.",
)
_astype = primitive(
    "astype",
    lambda x, dtype: x.astype(dtype),
    (lambda g, y, x, dtype: g,),  # the sweep casts back to the input's type, on the edge
    kind="moves",
    source="x.astype(dtype)",
    formula="x",
    derivative="1",
    meets="elementwise",
    analytic=False,
)
_truncate = primitive(
    "truncate",
    lambda x, dtype: x.astype(dtype),
    (None,),
    source="x.astype(dtype)",
    derivative="0",
    meets="elementwise",
    analytic=False,
)
stop_gradient = primitive(
    "stop_gradient",
    lambda x: x,
    (None,),
    symbol="✂",
    kind="cut",
    source="x",
    formula="cut(x)",
    derivative="0",
    meets="elementwise",
    analytic=False,
    doc="x itself, through which no derivative passes: a cut that stays visible in the graph.",
)


copied = primitive(
    "copy",
    lambda x: x.copy(),
    (lambda g, y, x: g,),
    kind="moves",
    source="x.copy()",
    formula="x",
    derivative="1",
    meets="elementwise",
    doc="The same numbers in a node of their own, which an assign() to x leaves as they are.",
)
_clip = primitive(
    "clip",
    lambda x, low, high: np.clip(x, low, high),
    (lambda g, y, x, low, high: where(x == y, g, 0),),
    source="np.clip(x, low, high)",
    derivative="y == x",
    meets="elementwise",
    steepest=1.0,
    analytic=False,
)


@operation
def astype(x: Any, dtype: DTypeLike) -> Any:
    """The same numbers in another data type; no derivative passes through integers or booleans.

    Examples
    --------
    >>> from microgrrepresent import Tensor, astype
    >>> astype(Tensor([0.5, 2.5]), "float32").dtype.name
    'float32'
    """
    x = arrayed(x)
    to = data_type(dtype)
    return (_astype if to.kind in "fc" else _truncate)(x, dtype=dtype_name(to))


@operation
def floats(x: Any) -> Any:
    """An operand of floating-point or complex numbers: integers and booleans become float64."""
    x = arrayed(x)
    return x if x.dtype.kind in "fc" else astype(x, "float64")


@operation
def clip(x: Any, low: float | None = None, high: float | None = None) -> Any:
    """Limit x to the interval [low, high], elementwise; either bound may be None.

    Examples
    --------
    >>> from microgrrepresent import Tensor, clip
    >>> clip(Tensor([-3.0, 0.5, 3.0]), -1, 1).numpy().tolist()
    [-1.0, 0.5, 1.0]
    """
    for bound in (low, high):
        if not isinstance(bound, (int, float, np.number, NoneType)):
            raise TypeError(
                f"{running('clip')}: a bound is a number or None, got {type(bound).__name__}; "
                "maximum and minimum take Tensors, and differentiate with respect to both"
            )
    return copied(x) if low is high is None else _clip(x, low=low, high=high)
