"""Layers: a cell run over time, stacked, in one or two directions."""
