"""One file of a package of npm's registry."""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
from pathlib import Path


def npm_file(package: str, name: str, folder: Path) -> Path:
    """Fetch a file of a package, such as ``mathjax@3.2.2``, into a folder."""
    with tempfile.TemporaryDirectory() as scratch:
        command = ["npm", "pack", "--silent", "--pack-destination", scratch, package]
        archive = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        with tarfile.open(Path(scratch) / archive) as packed:
            content = packed.extractfile(f"package/{name}")
            assert content is not None
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / Path(name).name
            path.write_bytes(content.read())
    return path
