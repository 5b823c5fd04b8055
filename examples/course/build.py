"""Build the course: notebooks, reference, gallery and index, as static pages.

    pip install -e ".[docs]"
    python examples/course/build.py              pages into examples/course/_build/html
    python examples/course/build.py --out DIR

The pages need no network once they are built: MathJax is fetched with ``npm`` and served with them.
Every notebook is executed; warnings are errors. Beside the pages stand the notebooks for a class,
as .ipynb: as they are handed out, and with answers.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import sys
from pathlib import Path

from generated import write_pages
from handout import write_notebooks
from npm import npm_file
from sphinx.cmd.build import build_main

HERE = Path(__file__).parent

MATHJAX = "mathjax@3.2.2", "es5/tex-svg-full.js"


def build(out: Path) -> int:
    """Build the site into ``out/html``; return the exit status."""
    source = out / "source"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(HERE, source, ignore=shutil.ignore_patterns("_build", "*.py", "__pycache__"))
    shutil.copy(HERE / "conf.py", source)
    npm_file(*MATHJAX, source / "static")
    write_pages(source)
    write_notebooks(HERE / "notebooks", source / "static" / "notebooks")
    use_profile(out / "ipython")
    return build_main(["-W", "--keep-going", "-q", "-E", "-b", "html", str(source), f"{out}/html"])


def use_profile(folder: Path) -> None:
    """Let kernels have settings of their own, not the builder's; of messages, errors alone."""
    profile = folder / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    settings = {"IPKernelApp": {"log_level": logging.ERROR}}
    (profile / "ipython_kernel_config.json").write_text(json.dumps(settings))
    os.environ["IPYTHONDIR"] = str(folder)


def main() -> int:
    """Read the arguments, and build."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=HERE / "_build", help="where to build")
    out = parser.parse_args().out.resolve()
    status = build(out)
    if not status:
        print(f"Built: {out / 'html' / 'index.html'}")
    return status


if __name__ == "__main__":
    sys.exit(main())
