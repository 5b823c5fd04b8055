r"""Training: forward pass, reverse sweep, one step of the optimizer, again and again.

    for each batch:
        L = loss(batch)              forward: record the graph
        L.backward()                 reverse sweep: gradients
        clip the gradients           so that one cliff does not undo the training
        optimizer.step()             move the parameters

This is `Run.step`, and `fit` is the loop around it. What surrounds a long training stands in parts
of its own: `Validation` with early stopping; `Checkpoint`, from which it goes on as if it had never
been stopped, because every random number comes from one Generator, whose state is saved with
everything else; and `Report`, progress and a log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from rnn.errors import DataError
from rnn.inputs import integer
from rnn.module import Module
from rnn.training.compiling import Compile, CompiledLoss
from rnn.training.history import History
from rnn.training.interrupts import interrupts_noticed
from rnn.training.optimizer import Optimizer
from rnn.training.report import Report
from rnn.training.resuming import Checkpoint
from rnn.training.run import Batches, Clip, Run
from rnn.training.schedules import Schedule
from rnn.training.validation import Validation

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
    validation: Validation | None = None,
    every: int | None = None,
    checkpoint: Checkpoint | None = None,
    report: Report | None = Report(),  # noqa: B008 (it is frozen)
    compile: bool | str | Compile = False,
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
        Takes a step after each step of the optimizer; `ReduceLROnPlateau` after each validation,
        with its loss.
    validation : Validation, optional
        The loss on data that are not trained on, and for how long it may fail to fall. The model
        ends with the parameters of the best validation.
    every : int, optional
        Validate and save after every so many steps; by default at the end of each epoch and, if
        only `steps` say when to stop, after every 100 steps of an epoch, which may never end.
    checkpoint : Checkpoint, optional
        Where to save, and whether to go on from there.
    report : Report, optional
        Progress and log; None shows nothing.
    compile : bool, {"numpy", "numba"} or Compile
        Make a program of the loss at the first batch, and run that instead of recording a graph
        at each step. The batches are arrays, or tuples, lists or dicts of them; they may differ in
        their lengths. Numbers that the loss reads besides are those of the first batch: what
        changes in training, such as the weight of a penalty, belongs into the batch, or into a
        Tensor that is assigned to. `Compile` also says how often to compare with the ordinary run,
        and whether a loss that is no loop (dropout, steps that depend on the data, a state that is
        carried on) is refused or run as it is.

    Returns
    -------
    History

    Raises
    ------
    NonFiniteError
        If the loss, a gradient or a step becomes NaN or infinite. The message says where that
        began; the parameters are those before the step.
    CheckpointError
        If the checkpoint is not one of this model, optimizer and schedule with these settings, or
        keeps a training that would be lost.
    DataError, ValueError
        For arguments that contradict each other or do not belong together, an epoch without
        batches, or a loss that is no scalar Tensor.
    FileError
        If a file cannot be written.

    Warns
    -----
    GrowthWarning
        If the graph behind the loss grows from batch to batch; see `GrowthWatch`.

    Examples
    --------
    >>> import numpy as np
    >>> from rnn import Adam, Linear, fit, mse_loss
    >>> rng = np.random.default_rng(0)
    >>> model, x = Linear(1, 1, rng=rng), np.linspace(-1, 1, 20)[:, None]
    >>> loss = lambda batch: mse_loss(model(batch), 3 * batch)
    >>> optimizer = Adam(model.parameters(), 0.1)
    >>> history = fit(model, [x], loss, optimizer, rng, steps=200, report=None)
    >>> history.losses[-1] < 1e-3 < history.losses[0]
    True
    """
    _check(batches, steps, epochs, every, schedule, validation, checkpoint, report)
    settings = Compile.of(compile)
    if settings is not None and carry:
        raise DataError(
            "fit: a program gives the loss and its gradients, and no state to carry on; leave out "
            "compile= or carry=True"
        )
    compiled = None if settings is None else CompiledLoss(loss, settings)
    run = Run(model, optimizer, schedule, rng)
    with ExitStack() as around:
        interrupted = around.enter_context(interrupts_noticed())
        if checkpoint is not None:
            checkpoint.begin(run)
        history = run.history
        model.train()
        following = (report or Report(progress=False)).following(
            history, lambda: _total(batches, steps, epochs, history)
        )
        add_to_report = around.enter_context(following)

        def stopped_early() -> bool:
            return validation is not None and validation.gives_up(history)

        def over() -> bool:
            return interrupted() or stopped_early() or (steps or np.inf) <= history.steps

        for batch, last in run.batches(batches, epochs, over):
            run.step(batch, last, loss, carry, clip, compiled)
            if _is_due(run, last, every, epochs):
                if validation is not None:
                    run.validate(validation.loss)
                if checkpoint is not None:
                    checkpoint.save(run.state_dict())
            add_to_report()
        history.stopped = "early" if stopped_early() else "interrupted" if interrupted() else "done"
        _finish(run, validation, checkpoint)
    return history


def _is_due(run: Run, last: bool, every: int | None, epochs: int | None) -> bool:
    """Whether to validate and save after this step."""
    if every:
        return run.history.steps % every == 0
    return last or (epochs is None and run.index % _LONG == 0)  # such an epoch may never end


def _finish(run: Run, validation: Validation | None, checkpoint: Checkpoint | None) -> None:
    """Save, validate once more, and let the model have its best parameters."""
    history, state = run.history, run.state_dict()
    if checkpoint is not None:
        checkpoint.save(state)
    if validation and history.stopped == "done" and history.steps not in history.validations:
        run.validate(validation.loss)
        if checkpoint is not None:  # a run that goes on from here would not have had this one
            checkpoint.save(state, run.best)
    if run.best is not None and history.stopped != "interrupted":
        run.model.load_state_dict(run.best)


def _total(batches: Batches, steps: int | None, epochs: int | None, history: History) -> int | None:
    """How many steps it will be at the most, if that can be said: by now, or beforehand."""
    an_epoch = len(batches) if isinstance(batches, Sequence) else history.steps_of_an_epoch
    if epochs is None or an_epoch is None:
        return steps
    return min(an_epoch * epochs, steps or an_epoch * epochs)


def _check(
    batches: Any,
    steps: int | None,
    epochs: int | None,
    every: int | None,
    schedule: Schedule | None,
    *parts: Validation | Checkpoint | Report | None,
) -> None:
    """Refuse arguments that contradict each other or are something else than they are taken for."""
    if steps is epochs is None:
        raise DataError("fit: give steps=, epochs= or both, so that it comes to an end")
    for name, n in (("steps", steps), ("epochs", epochs), ("every", every)):
        if n is not None:
            integer(n, 1, f"fit: {name}")
    if not (callable(batches) or isinstance(batches, Iterable)):
        raise DataError(
            "fit: batches must be a list, or a function of a Generator that gives them, "
            f"got {batches!r}"
        )
    for kind, part in zip((Validation, Checkpoint, Report), parts, strict=True):
        if not isinstance(part, (kind, type(None))):
            raise DataError(
                f"fit: {kind.__name__.lower()} must be a {kind.__name__}, got {part!r}; write "
                f"{kind.__name__}(...)"
            )
    if schedule is not None and schedule.after_validation and parts[0] is None:
        raise DataError(
            f"fit: {type(schedule).__name__} needs validation=, the loss that is to fall"
        )
