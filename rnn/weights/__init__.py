"""Weights in the layouts of other packages: PyTorch, Keras, ONNX."""
