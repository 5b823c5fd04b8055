"""Sequences: vocabularies, batches, decoding."""
