"""Run the function of a student's file on given arrays; a program of its own, on NumPy only.

python run_student.py FILE GIVEN.npz FOUND.npz
"""

import inspect
import runpy
import sys
import traceback

import numpy as np


def run(file: str, given: str, found: str) -> None:
    """Call ``loss_and_gradients`` with the arrays that it names, and write what it returns."""
    with np.load(given) as arrays:
        function = runpy.run_path(file)["loss_and_gradients"]
        asked = [name for name in inspect.signature(function).parameters if name in arrays]
        result = function(**{name: arrays[name] for name in asked})
    if not (isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], dict)):
        raise TypeError("it must return the loss and a dict of gradients, {'W': dW}")
    loss, gradients = result
    np.savez(found, **{"loss of the student": loss}, **gradients)


if __name__ == "__main__":
    try:
        run(*sys.argv[1:])
    except BaseException as error:  # what a student's file raises is its result
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == sys.argv[1]]
        where = f", in line {lines[-1]}" if lines else ""
        print(f"{type(error).__name__}: {error}{where}".replace("\n", " "), file=sys.stderr)
        raise SystemExit(1) from None
