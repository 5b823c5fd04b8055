"""Training: losses, optimizers, schedules, clipping, truncated BPTT, fit, checkpoints."""

from rnn.training.checkpoint import load_checkpoint, save_checkpoint
from rnn.training.clipping import (
    Clipping,
    clip_grad_norm,
    clip_grad_value,
    clip_tensor_norms,
    grad_norm,
)
from rnn.training.compiling import Compile
from rnn.training.fit import fit
from rnn.training.graph_growth import GrowthWatch
from rnn.training.history import History
from rnn.training.losses import bits_per_character, mse_loss, perplexity, sequence_loss
from rnn.training.optimizer import Optimizer
from rnn.training.optimizers import SGD, Adagrad, Adam, AdamW, RMSprop
from rnn.training.report import Report
from rnn.training.resuming import Checkpoint
from rnn.training.schedules import (
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    ReduceLROnPlateau,
    Schedule,
    StepLR,
)
from rnn.training.truncated import Window, detach, tbptt
from rnn.training.validation import Validation

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Checkpoint",
    "Clipping",
    "Compile",
    "CosineAnnealingLR",
    "ExponentialLR",
    "GrowthWatch",
    "History",
    "LambdaLR",
    "LinearLR",
    "Optimizer",
    "RMSprop",
    "ReduceLROnPlateau",
    "Report",
    "Schedule",
    "StepLR",
    "Validation",
    "Window",
    "bits_per_character",
    "clip_grad_norm",
    "clip_grad_value",
    "clip_tensor_norms",
    "detach",
    "fit",
    "grad_norm",
    "load_checkpoint",
    "mse_loss",
    "perplexity",
    "save_checkpoint",
    "sequence_loss",
    "tbptt",
]
