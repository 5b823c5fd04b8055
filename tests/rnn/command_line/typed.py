"""What is typed, and what comes of it."""

from rnn.command_line.commands import main


def run(capsys, *arguments):
    """Exit status, what was printed, and what was said on the error stream."""
    try:
        status = main(list(arguments))
    except SystemExit as error:
        status = error.code
    out, err = capsys.readouterr()
    return status, out, err


def refused(capsys, *arguments):
    """The one line of a refusal."""
    status, out, err = run(capsys, *arguments)
    assert status == 2
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("python -m rnn")
    assert "Traceback" not in err
    return err
