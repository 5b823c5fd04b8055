"""Weights in the layouts of other packages: PyTorch, Keras, ONNX."""

from rnn.weights.pytorch import to_torch

__all__ = ["to_torch"]
