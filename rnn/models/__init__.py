"""Models made of layers: encoder-decoder, attention, heads, trees, graphs, Hopfield, NARX."""
