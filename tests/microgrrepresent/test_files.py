"""Files: whole or not at all, whoever writes, and however many; and what is no whole file."""

import errno
import multiprocessing
import os
import re
import stat
import struct
import threading
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

import microgrrepresent
import rnn
from microgrrepresent import FileError, Tensor, draw
from microgrrepresent.drawing import save
from microgrrepresent.files import (
    append_to_file,
    read_arrays,
    read_file,
    write_arrays,
    write_file,
)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# --- writing -------------------------------------------------------------------------------------


def test_a_file_is_made_with_its_folders_and_replaced(tmp_path):
    path = tmp_path / "a" / "b" / "file"
    assert write_file(path, b"old") == path
    write_file(str(path), memoryview(b"new"))
    assert path.read_bytes() == b"new" and names(path.parent) == ["file"]


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_permissions_are_those_of_the_umask(tmp_path, mask):
    before = os.umask(mask)
    try:
        write_file(tmp_path / "file", b"x")
        save(draw(Tensor(1.0) * 2), tmp_path / "drawing.svg")
    finally:
        os.umask(before)
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask


def test_links_are_replaced_and_not_followed(tmp_path):
    (tmp_path / "target").write_bytes(b"somebody else's")
    (tmp_path / "link").symlink_to("target")
    (tmp_path / "dangling").symlink_to("nowhere")
    for name in ("link", "dangling"):
        write_file(tmp_path / name, b"new")
        assert (tmp_path / name).read_bytes() == b"new" and not (tmp_path / name).is_symlink()
    assert (tmp_path / "target").read_bytes() == b"somebody else's"
    assert names(tmp_path) == ["dangling", "link", "target"]


def test_the_temporary_file_is_new_beside_its_own_and_never_a_link(tmp_path, monkeypatch):
    opened = []
    real = os.open

    def watched(path, flags, *mode):
        opened.append((Path(path), flags))
        return real(path, flags, *mode)

    monkeypatch.setattr(os, "open", watched)
    for _ in range(3):
        write_file(tmp_path / "file", b"x")
    temporary = [(path, flags) for path, flags in opened if flags & os.O_WRONLY]
    assert len({path for path, _ in temporary}) == 3
    for path, flags in temporary:
        assert path.parent == tmp_path and flags & os.O_EXCL and flags & os.O_CREAT
    monkeypatch.setattr(microgrrepresent.files.secrets, "token_hex", lambda n: "known")
    (tmp_path / ".known.tmp").symlink_to(tmp_path / "file")
    with pytest.raises(FileError, match="file exists"):
        write_file(tmp_path / "other", b"through the link")
    assert (tmp_path / "file").read_bytes() == b"x"


def test_file_and_folder_are_on_the_disk_before_it_is_done(tmp_path, monkeypatch):
    done = []
    real_sync, real_move = os.fsync, Path.replace

    def sync(file):
        done.append("folder" if stat.S_ISDIR(os.fstat(file).st_mode) else "file")
        real_sync(file)

    def move(self, target):
        done.append("move")
        return real_move(self, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", move)
    write_file(tmp_path / "file", b"x")
    assert done == ["file", "move", "folder"]


@pytest.mark.parametrize("where", ["write", "fsync"])
def test_a_full_disk_is_a_sentence_and_the_old_file_stays(tmp_path, monkeypatch, where):
    path = tmp_path / "file"
    write_file(path, b"old")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, where, full)
    with pytest.raises(FileError) as error:
        write_file(path, b"new")
    assert str(error.value) == f"cannot write {path}: no space left on device"
    assert path.read_bytes() == b"old" and names(tmp_path) == ["file"]


def test_an_interrupt_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupted(file):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_file(tmp_path / "file", b"x")
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("file/x", "not a directory"),
        ("file/deeper/x", "not a directory"),
        (".", "is a directory"),
        ("/proc/x", "no such file"),
        ("n" * 300, "file name too long"),
        ("null\0character", "null"),
    ],
)
def test_places_that_cannot_be_written(tmp_path, monkeypatch, path, why):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    for write in (write_file, append_to_file):
        if (write, path) != (append_to_file, "file/deeper/x"):
            with pytest.raises(FileError, match=f"cannot write .*{why}"):
                write(path, b"x")
    with pytest.raises(FileError, match="cannot write"):
        rnn.save_checkpoint(path, {})
    with pytest.raises(FileError, match="cannot write"):
        rnn.Vocabulary.of("ab").save(path)
    assert names(tmp_path) == ["file"]


def test_devices_and_pipes_take_what_comes(tmp_path):
    write_file("/dev/null", b"x")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    with pytest.raises(FileError, match="cannot write /dev/full: no space left"):
        write_file("/dev/full", b"x")
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(read_file(pipe)))
    reader.start()
    write_file(pipe, b"through")
    reader.join(10)
    assert read == [b"through"] and stat.S_ISFIFO(pipe.stat().st_mode)


def test_rows_are_added_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "log"
    write_file(path, b"1\n")
    append_to_file(path, b"2\n")
    assert path.read_bytes() == b"1\n2\n"
    write = os.write

    def half(file, content):
        if len(content) < 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, content[:2])

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(FileError, match="no space left on device"):
        append_to_file(path, b"3333\n")
    assert path.read_bytes() == b"1\n2\n"


def _writer(path, k, rounds):
    for _ in range(rounds):
        rnn.save_checkpoint(path, {"a": np.full(2000 + 30000 * k, float(k))})


def test_two_writers_of_one_path_never_leave_a_damaged_file(tmp_path):
    path, context = tmp_path / "run.npz", multiprocessing.get_context("spawn")
    _writer(path, 0, 1)
    writers = [context.Process(target=_writer, args=(path, k, 60)) for k in (0, 1)]
    for process in writers:
        process.start()
    seen, loads = set(), 0
    while any(process.is_alive() for process in writers):
        a = rnn.load_checkpoint(path)["a"]
        assert len(a) == 2000 + 30000 * a[0] and (a == a[0]).all()
        seen.add(float(a[0]))
        loads += 1
    assert [process.exitcode for process in writers] == [0, 0] and loads > 5 and seen == {0.0, 1.0}
    assert names(tmp_path) == ["run.npz"]


def test_nothing_else_in_the_packages_writes_files():
    writes = re.compile(
        r"""\.write_(text|bytes)\(|\bopen\([^)]*["'][wax]b?\+?["']|np\.save|\.tofile\(|mkstemp"""
        r"|NamedTemporary|os\.open\(|(json|pickle|np)\.dump\("
    )
    found = {
        str(path.relative_to(Path(package.__file__).parents[1]))
        for package in (microgrrepresent, rnn)
        for path in Path(package.__file__).parent.rglob("*.py")
        if writes.search(path.read_text("utf-8"))
    }
    # A student's file runs in a process of its own; its result is handed over in a scratch folder.
    assert found == {"microgrrepresent/files.py", "microgrrepresent/programs/student.py"}


# --- reading -------------------------------------------------------------------------------------


def test_arrays_come_back_as_they_were(tmp_path):
    arrays = {
        "file": np.arange(6.0).reshape(2, 3),  # a name that np.savez has a meaning for
        "layers.0.weight": np.asfortranarray(np.ones((2, 3), np.float32)),
        "none": np.zeros((0, 3), np.int16),
        "scalar": np.array(1 + 2j),
        "true": np.array([True, False]),
        "big-endian": np.arange(3, dtype=">i4"),
    }
    path = write_arrays(tmp_path / "a.npz", arrays)
    np.savez_compressed(tmp_path / "c.npz", **{k: a for k, a in arrays.items() if k != "file"})
    with np.load(path, allow_pickle=False) as theirs:
        assert set(theirs.files) == set(arrays)
    for read in (read_arrays(path), read_arrays(tmp_path / "c.npz")):
        for name, array in read.items():
            assert array.dtype == arrays[name].dtype and array.shape == arrays[name].shape
            np.testing.assert_array_equal(array, arrays[name])
            assert array.flags.writeable
    assert read_arrays(path)["layers.0.weight"].flags.f_contiguous
    write_arrays(tmp_path / "again.npz", arrays)
    assert (tmp_path / "again.npz").read_bytes() == path.read_bytes()


def test_every_single_bit_matters_or_is_refused(tmp_path):
    path = tmp_path / "linear.npz"
    layer = rnn.Linear(2, 1, rng=0)
    layer.save(path)
    good, want = path.read_bytes(), layer.state_dict()
    other = rnn.Linear(2, 1, rng=1)
    untouched, refused = other.state_dict(), 0
    for bit in range(0, 8 * len(good)):
        raw = bytearray(good)
        raw[bit // 8] ^= 1 << bit % 8
        path.write_bytes(raw)
        other.load_state_dict(untouched)
        try:
            other.load(path)
            expected = want
        except rnn.StateDictError:
            expected, refused = untouched, refused + 1
        for name, value in other.state_dict().items():
            assert value.tobytes() == expected[name].tobytes(), (bit, name)
    assert refused > 4 * len(good)


def npz(**members):
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return content.getvalue()


def npy(shape, data=b"", descr="<f8"):
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


DAMAGED = {
    "too many elements": (npz(a=npy((1 << 40,))), "no room for an array of shape"),
    "a size beyond 64 bits": (npz(a=npy((1 << 62, 1 << 62))), "no room for an array of shape"),
    "a negative size": (npz(a=npy((-1,), b"12345678")), "no room for an array of shape"),
    "two negative sizes": (npz(a=npy((-1, -1), b"12345678")), "no room for an array of shape"),
    "more data than the shape": (
        npz(a=npy((1,), b"12345678" + b"more")),
        "no room for an array of shape",
    ),
    "objects": (npz(a=npy((1,), b"12345678", "|O")), "data of dtype object"),
    "bytes": (npz(a=npy((1,), b"12345678", "|S8")), r"data of dtype \|S8"),
    "no array": (npz(a=b"hello"), "magic string"),
    "unpacks to much": (
        npz(a=npy((1 << 24,), bytes(1 << 27))),
        "unpack to 134,217,8.. bytes from 13",
    ),
    "empty": (b"", "not a zip file"),
    "cut": (b"PK\x03\x04 cut", "not a zip file"),
}


# The ids are the keys: a zip file holds the time, and so differs between two collections.
@pytest.mark.parametrize(("content", "why"), list(DAMAGED.values()), ids=list(DAMAGED))
def test_sizes_are_checked_before_memory_is_taken(tmp_path, content, why):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(FileError, match=rf"a\.npz is damaged, or not an \.npz file.*{why}"):
        read_arrays(tmp_path / "a.npz")
    with pytest.raises(rnn.StateDictError, match=why):
        rnn.Linear(1, 1).load(tmp_path / "a.npz")
    with pytest.raises(rnn.CheckpointError, match=why):
        rnn.load_checkpoint(tmp_path / "a.npz")


def test_names_that_are_there_twice_are_refused(tmp_path):
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("a.npy", npy((1,), b"12345678"))
        archive.writestr("a.npy", npy((1,), b"87654321"))
    (tmp_path / "a.npz").write_bytes(content.getvalue())
    with pytest.raises(FileError, match="a name is there twice"):
        read_arrays(tmp_path / "a.npz")


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(FileError, match="more than 2,147,483,648 bytes"):
        read_file(tmp_path / "sparse")
    with pytest.raises(FileError, match="more than 2,147,483,648 bytes"):
        rnn.read_text(tmp_path / "sparse")
