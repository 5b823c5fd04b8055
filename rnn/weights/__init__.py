"""Weights in the layouts of other packages: PyTorch, Keras, ONNX."""

from rnn.weights.keras import KerasLayers, load_keras, to_keras
from rnn.weights.onnx import OnnxNode, load_onnx, to_onnx
from rnn.weights.pytorch import to_torch

__all__ = [
    "KerasLayers",
    "OnnxNode",
    "load_keras",
    "load_onnx",
    "to_keras",
    "to_onnx",
    "to_torch",
]
