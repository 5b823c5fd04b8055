"""The command line, ``python -m rnn``: what each command does.

Exit status: 0 if all went well; 1 if a training broke down or an exercise is not right; 2 if
something was asked for that cannot be done, with one line that says what; 130 after Ctrl-C, which
saves first.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from microgrrepresent import Tensor, backward, source_lines
from microgrrepresent.drawing import frames, save
from microgrrepresent.drawing.views.choices import MOST_STEPS
from microgrrepresent.errors import DrawingError, FileError, GraphError
from microgrrepresent.files import reason
from microgrrepresent.node import Array
from rnn.command_line.arguments import parser
from rnn.command_line.model_options import recorded
from rnn.command_line.models import Recorded
from rnn.command_line.task import Settings
from rnn.command_line.tasks import TASKS, LanguageTask, load_task
from rnn.errors import CheckpointError, DataError, NonFiniteError, StateDictError
from rnn.sequences.datasets import bundled_text
from rnn.sequences.decoding import sample, state_after
from rnn.sequences.tokens import tokenize
from rnn.sequences.vocabulary import UNK, Vocabulary
from rnn.training.checkpoint import load_checkpoint
from rnn.training.fit import fit
from rnn.training.optimizers import Adam
from rnn.training.report import Report
from rnn.training.resuming import Checkpoint, steps_in
from rnn.training.settings import differences
from rnn.training.validation import Validation

READ = 72
"""Tokens that `connectivity` reads of the bundled text."""

_REFUSALS = (CheckpointError, DataError, DrawingError, FileError, GraphError, StateDictError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, and return its exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default, those of the command line.
    """
    options = parser().parse_args(arguments)
    if options.command is None:
        parser().print_help()
        return 0
    try:
        # The products here are small: a second thread for them waits longer than it works.
        with threadpool_limits(limits=1), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # it is for those who program
            warnings.showwarning = lambda message, *_, **__: print(
                f"{options.prog}: {message}", file=sys.stderr
            )
            status = COMMANDS[options.command](options)
        sys.stdout.flush()
        return status
    except _REFUSALS as error:
        return _said(options, error, 2)
    except NonFiniteError as error:
        return _said(options, error, 1)
    except KeyboardInterrupt:
        return _said(options, "interrupted", 130)
    except BrokenPipeError:  # such as in `python -m rnn sample ... | head`
        sys.stderr.close()
        return 1
    except OSError as error:  # of standard output, such as a full disk behind it
        return _said(options, reason(error), 2)
    except UnicodeEncodeError as error:
        letter = error.object[error.start]
        return _said(
            options, f"this terminal cannot show {letter!r}; set PYTHONIOENCODING=utf-8", 2
        )
    except MemoryError as error:
        return _said(options, f"this takes more memory than there is: {error}", 2)


def _said(options: argparse.Namespace, message: object, status: int) -> int:
    line = " ".join(str(message).splitlines())
    print(f"{options.prog}: {line}", file=sys.stderr)
    return status


# --- the commands --------------------------------------------------------------------------------


def _demo(options: argparse.Namespace) -> int:
    from rnn.command_line.demo import demo

    return 0 if demo(options.out, options.steps, options.seed, not options.quiet) else 130


def _train(options: argparse.Namespace) -> int:
    settings = Settings(
        options.cell, options.hidden, options.length, options.batch,
        options.text, options.csv, options.column,
    )  # fmt: skip
    rng = np.random.default_rng(options.seed)
    task = TASKS[options.task](settings, rng)
    optimizer = Adam(task.model.parameters(), options.lr)
    training = {"lr": options.lr, "clip": options.clip, "seed": options.seed}
    out, extra = Path(options.out), task.extra() | {"training": training}
    if options.resume or (out.exists() and not options.overwrite):
        _check_training(out, extra, options.resume)
    history = fit(
        task.model,
        task.batches,
        task.loss,
        optimizer,
        rng,
        steps=options.steps,
        carry=task.carry,
        clip=options.clip,
        validation=Validation(task.validate, options.patience),
        every=options.every,
        checkpoint=Checkpoint(out, options.resume, options.overwrite, extra),
        report=Report(options.log, task.show, not options.quiet),
    )
    ended = {"done": "", "early": ", stopped early", "interrupted": ", interrupted"}
    print(f"{task.name}, {history.steps} steps{ended[history.stopped]}: {task.verdict()}")
    again = f"python -m rnn train {task.name} ... --out {out} --resume"
    if history.stopped == "interrupted":
        print(f"Saved: {out}. To go on, add --resume to the same command: {again}")
        return 130
    more = f"; try: python -m rnn sample {out}" if isinstance(task, LanguageTask) else ""
    print(f"Saved: {out}{more}")
    return 0


def _check_training(out: Path, extra: dict[str, Any], resume: bool) -> None:
    """See that no other training is gone on with, and that none is lost."""
    before = load_checkpoint(out).get("extra")
    if before != extra:
        raise CheckpointError(
            f"{out} is a checkpoint of another training ({_differences(before, extra)}); give the "
            "arguments that it was made with, another --out, or --overwrite to start anew"
        )
    if not resume and (steps := steps_in(out)):
        raise CheckpointError(
            f"{out} keeps this training after {steps} steps; give --resume to go on from there, "
            "or --overwrite to start anew"
        )


def _differences(before: object, now: object) -> str:
    """In what two trainings differ, in a few words."""
    if not isinstance(before, dict) or not isinstance(now, dict):
        return "not made by `python -m rnn train`"
    a, b = (
        {"task": d.get("task")} | d.get("settings", {}) | d.get("training", {})
        for d in (before, now)
    )
    return differences(a, b) or "the file it learns from was another"


def _sample(options: argparse.Namespace) -> int:
    task = _language_task(options)
    vocabulary, model = task.vocabulary, task.model
    opening = _opening(vocabulary) if options.prompt is None else options.prompt
    words = tokenize(opening, vocabulary.unit)
    if not words:
        raise DataError("--prompt needs at least one character or word to go on from")
    _say_unknown(options, words, vocabulary)
    read = vocabulary.encode(words)[:, None]

    def step(tokens: Any, state: Any) -> tuple[Array, Any]:
        logits, state = model.step(tokens, state)
        scores = logits.numpy().copy()
        scores[..., vocabulary.unk] = -np.inf  # it stands for a token, but is none to write
        return scores, state

    rng = np.random.default_rng(options.seed)
    state = state_after(step, read[:-1])
    drawn = sample(
        step, read[-1], options.length, rng, state=state, temperature=options.temperature
    )[0]
    text = vocabulary.decode(drawn.tokens)
    print(opening + text if vocabulary.unit == "character" else f"{opening} {text}")
    return 0


def _language_task(options: argparse.Namespace) -> LanguageTask:
    task = load_task(options.checkpoint)
    if not isinstance(task, LanguageTask):
        raise CheckpointError(
            f"{options.checkpoint} is a model of the task {task.name!r}, which writes no text; "
            "train one of characters or words"
        )
    return task


def _say_unknown(options: argparse.Namespace, words: Sequence[str], vocabulary: Vocabulary) -> None:
    if unknown := [word for word in dict.fromkeys(words) if word not in vocabulary]:
        listed = ", ".join(map(repr, unknown))
        print(f"{options.prog}: unknown to this model, read as {UNK}: {listed}", file=sys.stderr)


def _opening(vocabulary: Vocabulary) -> str:
    """What a text begins with if nothing is said: The, or a letter or word that is known."""
    if all(token in vocabulary for token in tokenize("The", vocabulary.unit)):
        return "The"
    return next((token for token in vocabulary.tokens if token.isalpha()), vocabulary.tokens[-1])


def _draw(options: argparse.Namespace) -> int:
    in_full = not options.window and options.time != "folded" and options.view != "layers"
    if in_full and options.steps and options.steps > MOST_STEPS:
        raise DrawingError(  # before the graph is built, which takes long for so many steps
            f"a picture can show {MOST_STEPS:,} steps, got --steps {options.steps}; draw the first "
            "and last ones with --window 3,2, or one step for all with --time folded"
        )
    if options.words and options.time != "unrolled":
        raise DrawingError(
            f"--words names each step's word, and --time {options.time} shows one step for all; "
            "leave out one of the two"
        )
    to_look_around = Path(options.out).suffix == ".html" and not options.frames
    with source_lines() if to_look_around else nullcontext():
        model, run = recorded(options)
    chosen = {
        "view": options.view or model.view,
        "rails": options.rails,
        "values": options.values,
        "theme": options.theme,
        "size": options.size,
        "direction": options.direction,
        "font_size": options.font_size,
        "title": options.title,
        "labels": options.labels,
        "legend": not options.no_legend,
        "loss": not options.no_loss,
        "targets": not options.no_targets,
        "highlight": options.highlight,
        "emphasis": options.emphasis,
        "gate_colors": options.gate_colors,
        "equations": options.equations,
    }
    if options.frames:
        save(frames(_loss_of(options, run), **chosen), options.out)
    else:
        flow = backward(_loss_of(options, run)) if options.gradients else None
        save(
            run.loss,
            options.out,
            gradients=flow,
            time=options.time,
            window=options.window,
            **chosen,
        )
    print(f"Written: {options.out}")
    return 0


def _bptt(options: argparse.Namespace) -> int:
    from microgrrepresent.drawing.page.stepper_page import stepper

    _, run = recorded(options)
    name = options.model if options.model != "cell" else (options.cell or "lstm").upper()
    loss = _loss_of(options, run)
    stepper(loss, options.out, title=f"{name}: backpropagation through time")
    print(f"Written: {options.out}")
    return 0


def _loss_of(options: argparse.Namespace, run: Recorded) -> Tensor:
    """The loss to go back from."""
    if not isinstance(run.loss, Tensor):
        raise DataError(f"--model {options.model} has no loss to go back from; draw it as it is")
    return run.loss


def _equations(options: argparse.Namespace) -> int:
    from rnn.command_line.formulas import print_equations

    return print_equations(options)


def _explain(options: argparse.Namespace) -> int:
    from rnn.command_line.formulas import print_explanation

    return print_explanation(options)


def _flow(options: argparse.Namespace) -> int:
    from rnn.command_line.flows import flow

    return flow(options)


def _connectivity(options: argparse.Namespace) -> int:
    from rnn.command_line.listening import connectivity_of_text

    task = _language_task(options)
    words = tokenize(options.text or bundled_text(), task.vocabulary.unit)
    words = words if options.text else words[:READ]
    if len(words) < 2:
        raise DataError("--text needs two characters or words: one to read, one to predict")
    _say_unknown(options, words, task.vocabulary)
    heard = connectivity_of_text(task.model, task.vocabulary, words)
    print(heard)
    try:
        heard.save(options.out)
    except ModuleNotFoundError as error:
        raise DrawingError(str(error)) from error
    print(f"Written: {options.out}")
    return 0


def _code(options: argparse.Namespace) -> int:
    from rnn.command_line.loops import code

    return code(options)


def _exercise(options: argparse.Namespace) -> int:
    from rnn.command_line.exercises import exercise

    return exercise(options)


def _mark(options: argparse.Namespace) -> int:
    from rnn.command_line.marks import mark

    return mark(options)


def _systems(options: argparse.Namespace) -> int:
    from rnn.command_line.systems import list_systems

    return list_systems(options)


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "demo": _demo,
    "train": _train,
    "sample": _sample,
    "draw": _draw,
    "flow": _flow,
    "connectivity": _connectivity,
    "bptt": _bptt,
    "equations": _equations,
    "explain": _explain,
    "code": _code,
    "exercise": _exercise,
    "mark": _mark,
    "systems": _systems,
}
