"""The command line: ``python -m rnn``."""
