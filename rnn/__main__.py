"""``python -m rnn``: see `rnn.command_line`."""

from rnn.command_line import main

if __name__ == "__main__":
    raise SystemExit(main())
