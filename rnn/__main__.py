"""``python -m rnn``: see `rnn.command_line.commands`."""

import sys

if __name__ == "__main__":
    try:
        # Imported here, because Ctrl-C may come while it is.
        from rnn.command_line.commands import main

        status = main()
    except KeyboardInterrupt:
        print("python -m rnn: interrupted", file=sys.stderr)
        status = 130
    raise SystemExit(status)
