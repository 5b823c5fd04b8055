"""The loop that trains most examples: loss, gradient, clip, step.

    for i, loss in descent(loss_of, Adam(model.parameters(), lr=2e-3), 1000):
        if i % 100 == 0 and solved():
            break

It is the inside of `rnn.fit`, without progress bar, log and checkpoints, for data that are made
anew for every step. For how a set of data is trained on by `rnn.fit`, see sequential_digits.py and,
with sentences that are held out, word_model.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from microgrrepresent import Tensor
from rnn import Optimizer, clip_grad_norm


def descent(
    loss_of: Callable[[int], Tensor], optimizer: Optimizer, iterations: int, clip: float = 1.0
) -> Iterator[tuple[int, float]]:
    """Take gradient steps, and yield (iteration, loss) after each, counted from 1.

    Parameters
    ----------
    loss_of : callable
        Gives the loss of iteration i; a new graph every time.
    optimizer : Optimizer
        Holds the parameters that are trained.
    iterations : int
        How many steps; a caller that is content earlier leaves the loop.
    clip : float
        Largest norm of all gradients together.
    """
    for i in range(1, iterations + 1):
        loss = loss_of(i)
        optimizer.zero_grad()
        loss.backward()
        clip_grad_norm(optimizer.parameters, clip)
        optimizer.step()
        yield i, float(loss)
