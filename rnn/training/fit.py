r"""Training: forward pass, reverse sweep, one step of the optimiser, again and again.

    for each batch:
        L = loss(batch)              forward: record the graph
        L.backward()                 reverse sweep: gradients
        clip the gradients           so that one cliff does not undo the training
        optimizer.step()             move the parameters

Around this loop `fit` does what a long training needs: a progress bar, a log, validation and early
stopping, and checkpoints from which it goes on as if it had never been stopped: every random
number comes from one Generator, whose state is saved with everything else.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from microgrrepresent.node import Array
from rnn.errors import DataError
from rnn.module import Module
from rnn.training.checkpoint import save_checkpoint
from rnn.training.history import History, More, log_to, shown
from rnn.training.optim import Optimizer
from rnn.training.run import Batches, Clip, Run
from rnn.training.schedules import Schedule

_LONG = 100  # steps


def fit(
    model: Module,
    batches: Batches,
    loss: Callable[..., Any],
    optimizer: Optimizer,
    rng: np.random.Generator,
    *,
    steps: int | None = None,
    epochs: int | None = None,
    carry: bool = False,
    clip: Clip | None = None,
    schedule: Schedule | None = None,
    validate: Callable[[], float] | None = None,
    patience: int | None = None,
    every: int | None = None,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    extra: Mapping[str, Any] | None = None,
    log: str | Path | None = None,
    show: More | None = None,
    progress: bool = True,
) -> History:
    """Train a model.

    Parameters
    ----------
    model : Module
        What is trained; saved and restored with checkpoints.
    batches : sequence, or callable
        The batches of an epoch; or a function of a Generator that gives them, called at the start
        of every epoch. It may go on for ever, if `steps` are given.
    loss : callable
        ``loss(batch) -> L``, a scalar Tensor.
    optimizer : Optimizer
        Of the model's parameters.
    rng : numpy Generator
        The one source of random numbers. Give it to the model's dropout too.
    steps, epochs : int, optional
        When to stop: at the latest after so many steps, or so often through the batches.
    carry : bool
        Hand a state on from batch to batch (truncated BPTT): ``loss(batch, state) -> (L, state)``,
        where the state of an epoch's first batch is None. The state is passed on without its
        history, so that no gradient flows back into the batch before.
    clip : float or callable, optional
        The largest norm of the gradient; or a function of the list of parameters, such as
        ``lambda parameters: clip_grad_value(parameters, 5)``.
    schedule : Schedule, optional
        Takes a step after each step of the optimiser; `ReduceLROnPlateau` after each validation,
        with its loss.
    validate : callable, optional
        Gives the loss on data that are not trained on; called without recording.
    patience : int, optional
        Stop when so many validations in a row have brought no new best loss. Whenever there is
        validation, the best parameters are those that the model ends with.
    every : int, optional
        Validate and save after every so many steps; by default at the end of each epoch and, if
        only `steps` say when to stop, after every 100 steps of an epoch, which may never end.
    checkpoint : path, optional
        Where to save, also at the end and at Ctrl-C. If there is no such file yet, it is written
        before the first step, so that a place that cannot be written is known at once.
    resume : bool
        Go on from that file, if it is there, with the settings that it was made with.
    extra : mapping, optional
        Anything to be kept in the checkpoint, such as what is needed to make the model again.
    log : path, optional
        A CSV file with one row a step.
    show : mapping of str to callable, optional
        More numbers for progress bar and log, as functions of the loss, such as `perplexity`.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    History

    Raises
    ------
    NonFiniteError
        If the loss, a gradient or a step becomes NaN or infinite. The message says where that
        began; the parameters are those before the step.
    CheckpointError
        If the checkpoint is not one of this model, optimiser and schedule with these settings.
    DataError
        For arguments that contradict each other or do not belong together, an epoch without
        batches, a loss that is no scalar Tensor, or a file that cannot be written.

    Examples
    --------
    >>> import numpy as np
    >>> from rnn import Adam, Linear, fit, mse_loss
    >>> rng = np.random.default_rng(0)
    >>> model, x = Linear(1, 1, rng=rng), np.linspace(-1, 1, 20)[:, None]
    >>> loss = lambda batch: mse_loss(model(batch), 3 * batch)
    >>> optimizer = Adam(model.parameters(), 0.1)
    >>> history = fit(model, [x], loss, optimizer, rng, steps=200, progress=False)
    >>> history.losses[-1] < 1e-3 < history.losses[0]
    True
    """
    from tqdm.auto import tqdm  # here, because it takes a fifth as long to import as all of rnn

    counts = {"steps": steps, "epochs": epochs, "every": every, "patience": patience}
    if steps is epochs is None:
        raise DataError("fit: give steps=, epochs= or both, so that it comes to an end")
    for name, n in counts.items():
        if n is not None and (not isinstance(n, (int, np.integer)) or n < 1):
            raise DataError(f"fit: {name} must be an integer >= 1, got {n!r}")
    if not (callable(batches) or isinstance(batches, Iterable)):
        raise DataError(
            "fit: batches are a list, or a function of a Generator that gives them; "
            f"given {batches!r}"
        )
    watching = patience is not None or (schedule is not None and schedule.after_validation)
    if watching and validate is None:
        what = "patience" if patience is not None else type(schedule).__name__
        raise DataError(f"fit: {what} needs validate=, the loss that is to fall")
    if resume and checkpoint is None:
        raise DataError("fit: resume needs checkpoint=, the file to go on from")
    run = Run(model, optimizer, schedule, rng)

    def save(state: dict[str, Any], result: dict[str, Array] | None = None) -> None:
        if checkpoint is not None:
            save_checkpoint(checkpoint, {**state, "result": result, "extra": dict(extra or {})})

    is_new = checkpoint is None or not Path(checkpoint).exists()
    if resume and checkpoint is not None and not is_new:
        run.load(checkpoint)
    history, more = run.history, dict(show or {})
    total = steps
    if isinstance(batches, Sequence) and epochs is not None:
        total = min(len(batches) * epochs, steps or len(batches) * epochs)

    def hopeless() -> bool:
        return patience is not None and history.since_best >= patience

    def due(last: bool) -> bool:
        if every:
            return history.steps % every == 0
        return last or (epochs is None and run.index % _LONG == 0)  # such an epoch may never end

    model.train()
    with _interrupts_noticed() as interrupted:
        if is_new:
            save(run.state_dict())
        write_row = log_to(log, history, more)
        with tqdm(total=total, initial=history.steps, unit="step", disable=not progress) as bar:
            for batch, last in () if hopeless() else run.batches(batches, steps, epochs):
                run.step(batch, last, loss, carry, clip)
                if due(last):
                    if validate is not None:
                        run.validate(validate)
                    save(run.state_dict())
                write_row()
                bar.set_postfix_str(shown(history, more), refresh=False)
                bar.update()
                if interrupted() or hopeless():
                    break
        history.stopped = "early" if hopeless() else "interrupted" if interrupted() else "done"
        save(state := run.state_dict())
        if history.stopped == "done" and validate and history.steps not in history.validations:
            run.validate(validate)  # a run that goes on from here would not have had this one
            save(state, result=run.best)
    if run.best is not None and history.stopped != "interrupted":
        model.load_state_dict(run.best)
    return history


@contextmanager
def _interrupts_noticed() -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C wait for the end of the step; a second one interrupts at once."""
    pressed: list[int] = []

    def note(number: int, _: object) -> None:
        if pressed:
            raise KeyboardInterrupt
        pressed.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False  # signals are delivered to the main thread only
        return
    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, before)
