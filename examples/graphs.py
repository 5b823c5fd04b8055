"""Five small graphs of the textbook, drawn both ways, with their gradients checked.

In a computation graph nodes are operations, and arrows carry values; or nodes are variables, and
arrows say by which operation one comes from another. Here both are views of one graph.

    (a)  z = x y                                    dz/dx = y,  dz/dy = x
    (b)  yhat = sigma(x . w + b)                    dyhat/dw = yhat (1 - yhat) x
    (c)  H = max(0, X W + b)                        dL/db = column sums of the mask, for L = sum H
    (d)  yhat = x . w,  lambda sum_i w_i^2          w is used twice: its gradient is a sum
    (e)  s(t) = f(s(t-1); theta), t = 1, 2, 3       theta is used at every step: so is its gradient

(Goodfellow, Bengio and Courville 2016, figures 6.8 and 10.1.)

Measured, seed 0:

    graph: product              error of the gradient  0
    graph: logistic regression  error of the gradient  5.551e-17
    graph: relu layer           error of the gradient  0
    graph: two uses             error of the gradient  0
    graph: dynamic system       error of the gradient  0

    python examples/graphs.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from result import Result, run

from microgrrepresent import Node, Tensor, grad, maximum, sigmoid, step
from microgrrepresent.drawing import save
from rnn import dynamical_system


def product() -> tuple[list[Node], float]:
    """(a): a product of two numbers."""
    x, y = Tensor(2.0, True, "x"), Tensor(3.0, True, "y")
    z = (x * y).named("z")
    return [z], error(grad(z, [x, y]), [3.0, 2.0])


def logistic_regression() -> tuple[list[Node], float]:
    """(b): two intermediate values that have no name, u(1) and u(2)."""
    x, w = Tensor([1.0, -2.0, 0.5], name="x"), Tensor([0.3, 0.1, -0.4], True, "w")
    b = Tensor(0.2, True, "b")
    y = sigmoid(x @ w + b).named("ŷ")
    slope = float(y) * (1 - float(y))
    return [y], error(grad(y, [w, b]), [slope * x.numpy(), slope])


def relu_layer() -> tuple[list[Node], float]:
    """(c): a minibatch; b is added to every row, so its gradient is summed over the rows."""
    rng = np.random.default_rng(0)
    X, W = Tensor(rng.standard_normal((4, 3)), name="X"), Tensor(rng.standard_normal((3, 2)), True)
    b = Tensor(rng.standard_normal(2), True, "b")
    H = maximum(0.0, X @ W.named("W") + b).named("H")
    mask = X.numpy() @ W.numpy() + b.numpy() > 0
    return [H], error(grad(H.sum(), [W, b]), [X.numpy().T @ mask, mask.sum(0)])


def two_uses() -> tuple[list[Node], float]:
    """(d): a prediction and a penalty, both of w; the loss here is their sum."""
    x, w = Tensor([1.0, -2.0, 0.5], name="x"), Tensor([0.3, 0.1, -0.4], True, "w")
    lam = Tensor(0.1, name="λ")
    y = (x @ w).named("ŷ")
    penalty = lam * (w**2).sum()
    return [y, penalty], error([grad([y, penalty], w)], [x.numpy() + 0.2 * w.numpy()])


def dynamic_system() -> tuple[list[Node], float]:
    """(e): f(s; theta) = theta s, so ds(3)/dtheta = 2 theta s(1)."""
    theta = Tensor(0.5, True, "θ")
    with step(1):
        first = Tensor(3.0, name="s")
    s = dynamical_system(lambda s, theta: theta * s, first, theta, 3)
    return [s[-1]], error([grad(s[-1], theta)], [2 * 0.5 * 3.0])


def error(found: list[np.ndarray], expected: list[object]) -> float:
    """Largest difference between gradients and the formulas above."""
    return max(float(np.abs(a - b).max()) for a, b in zip(found, expected, strict=True))


def main(quick: bool, seed: int, out: Path) -> list[Result]:
    """Check and draw the five."""
    results = []
    for make in (product, logistic_regression, relu_layer, two_uses, dynamic_system):
        outputs, worst = make()
        name = make.__name__
        save(outputs, out / f"graphs_{name}_variables.svg", view="variables")
        picture = save(outputs, out / f"graphs_{name}_operations.svg", view="operations")
        system = f"graph: {name.replace('_', ' ')}"
        results.append(Result(system, "error of the gradient", worst, "<", 1e-12, picture))
    return results


if __name__ == "__main__":
    run(main)
