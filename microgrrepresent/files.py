"""Files: written whole or not at all, and read with a sentence on what is wrong.

A file is written under a random name beside its own and then put in place in one move. Whoever
reads it, and however the writer was stopped, finds the old file or the new one, and two writers of
one path leave the file of one of them. (One that is killed leaves what it was writing beside it,
``.0123456789abcdef.tmp``.) Arrays are read only after the sizes that a file declares have been held
against the size that it has.
"""

from __future__ import annotations

import errno
import math
import os
import secrets
import stat
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy

from microgrrepresent.errors import FileError, shortened

if TYPE_CHECKING:
    from microgrrepresent.node import Array

PathLike = str | os.PathLike[str]

LARGEST = 1 << 31
"""Bytes: a larger file is not read."""


# --- writing -------------------------------------------------------------------------------------


def write_file(path: PathLike, content: bytes | memoryview) -> Path:
    """Write a file, or leave the one that is there as it is.

    Parameters
    ----------
    path : path
        Folders that are missing are made. A link is replaced, not followed; into a device or a
        pipe, where nothing can be replaced, the content is written as it is.
    content : bytes
        All of it.

    Returns
    -------
    Path
        The file that was written; who may read it is said by the umask.

    Raises
    ------
    FileError
        If the file cannot be written, or not to its end.
    """
    target = as_path(path)
    try:
        if not target.parent.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if _takes_what_comes(target):
            target.write_bytes(content)
        else:
            _replace(target, content)
    except (OSError, ValueError) as error:  # ValueError: a path with a null character
        raise FileError(f"cannot write {path}: {reason(error)}") from error
    return target


def append_to_file(path: PathLike, content: bytes) -> None:
    """Add a row to a file that `write_file` began, all of it or nothing.

    Raises
    ------
    FileError
        If it cannot be added.
    """
    try:
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            before = os.fstat(file)
            try:
                _write_all(file, content)
            except BaseException:
                if stat.S_ISREG(before.st_mode):
                    os.ftruncate(file, before.st_size)
                raise
        finally:
            os.close(file)
    except (OSError, ValueError) as error:
        raise FileError(f"cannot write {path}: {reason(error)}") from error


def write_arrays(path: PathLike, arrays: Mapping[str, Array]) -> Path:
    """Write an .npz file, as ``np.savez`` does, with `write_file`.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                npy.write_array(member, np.asanyarray(array), allow_pickle=False)
    return write_file(path, content.getbuffer())


def _replace(target: Path, content: bytes | memoryview) -> None:
    """Write under another name, see that it is on the disk, and move it into place."""
    temporary = target.parent / f".{secrets.token_hex(8)}.tmp"
    # O_EXCL: neither another writer's file nor a link that somebody has put there is opened.
    file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        try:
            _write_all(file, content)
            os.fsync(file)
        finally:
            os.close(file)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    with suppress(OSError):  # the file is in place; some file systems cannot sync a folder
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _write_all(file: int, content: bytes | memoryview) -> None:
    rest = memoryview(content).cast("B")
    while rest:
        rest = rest[os.write(file, rest) :]


def _takes_what_comes(target: Path) -> bool:
    """Whether there is a device or a pipe under this name, such as /dev/stdout."""
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return False
    return not stat.S_ISREG(mode)


def as_path(path: Any) -> Path:
    """A path, of a str or a Path.

    Raises
    ------
    FileError
        If it is neither.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise FileError(f"a path must be a str or a Path, got {shortened(path)}")
    return Path(path)


# --- reading -------------------------------------------------------------------------------------


def read_file(path: PathLike) -> bytes:
    """Read a file of at most `LARGEST` bytes.

    Raises
    ------
    FileError
        If it cannot be read or is too large.
    """
    source = as_path(path)
    try:
        with source.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            content = b"" if size > LARGEST else file.read(LARGEST + 1)  # a pipe has no size
    except (OSError, ValueError) as error:
        raise FileError(f"cannot read {path}: {reason(error)}") from error
    if max(size, len(content)) > LARGEST:
        raise FileError(f"cannot read {path}: it has more than {LARGEST:,} bytes")
    return content


def read_arrays(path: PathLike) -> dict[str, Array]:
    """Read an .npz file.

    Parameters
    ----------
    path : path
        What `write_arrays`, ``np.savez`` or ``np.savez_compressed`` wrote. Compressed arrays may
        take 20 times the file's size, or 64 MB if that is more.

    Raises
    ------
    FileError
        If it cannot be read, is anything but a whole file of numeric arrays, or says that it has
        arrays of other sizes than it has room for.
    """
    content = read_file(path)
    room = max(20 * len(content), 1 << 26)
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            members = archive.infolist()
            if len({member.filename for member in members}) < len(members):
                raise ValueError("a name is there twice")
            unpacked = sum(member.file_size for member in members)
            if unpacked > room:
                raise ValueError(f"it would unpack to {unpacked:,} bytes from {len(content):,}")
            return {
                member.filename.removesuffix(".npy"): _read_array(archive, member)
                for member in members
            }
    except Exception as error:  # of zip files, compression and NumPy: a damaged file can raise any
        raise FileError(
            f"{path} is damaged, or not an .npz file of numeric arrays: {error}"
        ) from error


def _read_array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Array:
    """Read one array, when its header fits the number of bytes that follow it."""
    with archive.open(info) as member:
        shape, dtype = _read_header(member)
        if dtype.kind not in "biufc":
            raise ValueError(f"{info.filename} has data of dtype {dtype}")
        if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != (
            info.file_size - member.tell()
        ):
            raise ValueError(f"{info.filename} has no room for an array of shape {shape}")
    with archive.open(info) as member:
        array: Array = npy.read_array(member, allow_pickle=False)
        if member.read(1):  # reading to the end is what compares the checksum
            raise ValueError(f"{info.filename} goes on after its array")
    return array


def _read_header(member: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = npy.read_magic(member)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(member)
    return shape, dtype


def reason(error: OSError | ValueError) -> str:
    """What the operating system says, to stand behind a colon."""
    return (getattr(error, "strerror", None) or str(error)).lower()
