"""``python -m rnn``, or ``microgrrepresent`` once installed: see `rnn.command_line.commands`."""

import sys


def main() -> int:
    """Run the command that was typed, and return its exit status."""
    try:
        # Imported here, because Ctrl-C may come while it is.
        from rnn.command_line.commands import main as run

        return run()
    except KeyboardInterrupt:
        print("python -m rnn: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
