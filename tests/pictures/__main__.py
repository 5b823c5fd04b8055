"""Measure the standard pictures on a slide of 1600 x 900: ``python -m tests.pictures [FOLDER]``.

Prints a table; in a folder, the pictures are written, too. `--only WORD` takes those whose names
have a word.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from microgrrepresent.drawing import save
from tests.pictures.measures import measure
from tests.pictures.standard import STANDARD

HEAD = f"{'picture':26} {'text':>5} {'aspect':>6} {'empty':>5} {'cross':>5} {'slant':>5} "
HEAD += f"{'over':>4} {'out':>3} {'contrast':>8}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.pictures")
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--size", default=None, help="slide or paper")
    options = parser.parse_args()
    print(HEAD)
    for name, make in STANDARD.items():
        if options.only.lower() not in name.lower():
            continue
        drawing = make(size=options.size)
        m = measure(drawing)
        print(
            f"{name:26} {m.text:5.1f} {m.aspect:6.2f} {m.empty:5.2f} {m.crossings:5} "
            f"{m.slanted:5} {m.overlaps:4} {m.outside:3} {m.contrast:8.1f}",
            flush=True,
        )
        if options.folder:
            options.folder.mkdir(parents=True, exist_ok=True)
            save(drawing, options.folder / (re.sub(r"\W+", "-", name.lower()) + ".svg"))


if __name__ == "__main__":
    main()
