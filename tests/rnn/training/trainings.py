"""Small trainings, for the tests of what `fit` reaches and of what a checkpoint keeps."""

import numpy as np

from rnn import (
    Adam,
    Checkpoint,
    Dropout,
    ExponentialLR,
    LanguageModel,
    Linear,
    Module,
    Report,
    Validation,
    fit,
    language_model_batches,
    mse_loss,
)

TEXT = np.random.default_rng(5).integers(0, 6, 120)


def grouped(**settings):
    """The settings of a training, those of its parts in their objects."""

    def taken(*names):
        return {name: settings.pop(name) for name in names if name in settings}

    settings.setdefault("report", Report(**taken("log", "show"), progress=False))
    if "validate" in settings:
        settings["validation"] = Validation(settings.pop("validate"), **taken("patience"))
    if "checkpoint" in settings:
        settings["checkpoint"] = Checkpoint(
            settings["checkpoint"], **taken("resume", "overwrite", "extra")
        )
    return settings


class Thinned(Module):
    """Vectors of symbols, of which dropout takes a part."""

    def __init__(self, table, dropout):
        self.table, self.dropout = table, dropout

    def forward(self, x):
        return self.dropout(self.table(x))


class Setup:
    """A small training with everything that has a memory: dropout, Adam, a schedule, a state."""

    def __init__(self, seed=0, hidden=5):
        self.rng = np.random.default_rng(seed)
        self.model = LanguageModel(6, hidden, rng=self.rng)
        self.model.dropout = Dropout(0.2, rng=self.rng)
        self.model.embedding = Thinned(self.model.embedding, self.model.dropout)
        self.optimizer = Adam(self.model.parameters(), 0.02)
        self.schedule = ExponentialLR(self.optimizer, 0.99)

    def fit(self, **settings):
        return fit(
            self.model,
            lambda rng: language_model_batches(TEXT, 3, 7, rng),
            lambda batch, state: self.model.loss(*batch, state),
            self.optimizer,
            self.rng,
            schedule=self.schedule,
            carry=True,
            clip=0.5,
            **grouped(**settings),
        )


def line(x, slope=3.0):
    return slope * x + 1


def linear_fit(steps=300, rng=None, **settings):
    rng = np.random.default_rng(0) if rng is None else rng
    model = Linear(1, 1, rng=np.random.default_rng(0))
    xs = np.linspace(-1, 1, 32)[:, None]
    optimizer = settings.pop("optimizer", Adam)(model.parameters(), settings.pop("lr", 0.05))
    history = fit(
        model,
        settings.pop("batches", [xs[:16], xs[16:]]),
        settings.pop("loss", lambda x: mse_loss(model(x), line(x))),
        optimizer,
        rng,
        steps=steps,
        **grouped(**settings),
    )
    return model, history
