"""Zips of bundles: read as every other reader does, or refused; unpacked whole or not at all."""

import io
import os
import shutil
import stat
import struct
import subprocess
import tempfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.bundles.judgement.tree import FolderTree
from medseg.bundles.judgement.zips.zip_end import UnsafeZipError
from medseg.bundles.judgement.zips.zip_tree import ZipTree, extract
from medseg.errors import DataError, ExitCode, MachineError, UsageError, user_error
from tests.bundles.judgement.zips import LINK, Raw, raw_zip, zip_of

names = st.text("abcäλ0-_. ", min_size=1, max_size=8).filter(
    lambda name: name[0] not in " " and name[-1] not in " ."
)
paths = st.lists(names, min_size=1, max_size=3).map("/".join)


def test_the_files_in_the_folder_of_a_zip_have_paths_without_it(tmp_path):
    files = {"demo/LICENSE": b"free", "demo/configs/train.yaml": b"a: 1\n"}
    tree = ZipTree(zip_of(tmp_path / "a.zip", files))
    assert tree.folder == "demo"
    assert {path: entry.size for path, entry in tree.entries.items()} == {
        "LICENSE": 4,
        "configs/train.yaml": 5,
    }
    assert tree.read("configs/train.yaml", at_most=5) == b"a: 1\n"
    with pytest.raises(DataError, match=r"a.zip/configs/train.yaml: is larger than 4 bytes"):
        tree.read("configs/train.yaml", at_most=4)
    with pytest.raises(DataError, match=r"demo/LICENSE: is no regular file"):
        tree.read("demo/LICENSE", at_most=100)


@given(
    files=st.dictionaries(paths, st.binary(max_size=2000), min_size=1, max_size=5),
    method=st.sampled_from([0, 8]),
)
def test_what_pythons_library_zips_and_unpacks_is_read_and_unpacked_alike(files, method):
    with tempfile.TemporaryDirectory() as folder:
        path = zip_of(Path(folder, "a.zip"), {f"b/{n}": c for n, c in files.items()}, method=method)
        try:
            with zipfile.ZipFile(path) as file:
                file.extractall(Path(folder, "python"))
        except OSError:
            with pytest.raises(DataError):
                ZipTree(path)
            return
        tree = ZipTree(path)
        assert {name: tree.read(name, 2000) for name in tree.entries} == files
        extract(tree, Path(folder, "ours"))
        theirs, ours = FolderTree(Path(folder, "python/b")), FolderTree(Path(folder, "ours"))
        assert theirs.entries == ours.entries
        assert all(ours.read(name, 2000) == files[name] for name in files)


@pytest.mark.skipif(shutil.which("zip") is None, reason="Info-ZIP is not installed")
@pytest.mark.parametrize("level", ["-0", "-9"])
def test_a_zip_by_infozip_with_folders_times_and_owners_is_read(tmp_path, level):
    (tmp_path / "demo/configs").mkdir(parents=True)
    (tmp_path / "demo/configs/a.yaml").write_bytes(b"a: 1\n" * 100)
    (tmp_path / "demo/size.txt").write_bytes(b"")
    subprocess.run(["zip", "-qr", level, "a.zip", "demo"], cwd=tmp_path, check=True)
    tree = ZipTree(tmp_path / "a.zip")
    assert tree.read("configs/a.yaml", 500) == b"a: 1\n" * 100
    assert list(tree.entries) == ["configs/a.yaml", "size.txt"]


class Unseekable(io.RawIOBase):
    """A stream such as a pipe; what is zipped into it has its sizes after the data."""

    def __init__(self, file):
        self.file = file

    def writable(self):
        return True

    def write(self, content):
        return self.file.write(content)


@pytest.mark.parametrize("large", [False, True])
def test_a_zip_written_to_a_pipe_is_read(tmp_path, large):
    with (
        (tmp_path / "a.zip").open("wb") as file,
        zipfile.ZipFile(Unseekable(file), "w", zipfile.ZIP_DEFLATED) as written,
    ):
        with written.open("demo/a", "w", force_zip64=large) as entry:
            entry.write(b"x" * 100)
        written.writestr("demo/b", b"y")
    tree = ZipTree(tmp_path / "a.zip")
    assert (tree.read("a", 100), tree.read("b", 1)) == (b"x" * 100, b"y")


END = b"PK\5\6"
IN_UTF8 = 1 << 11
FORGED = {
    "another name in its own header": {"entries": [Raw(local_name=b"demo/b")]},
    "a longer name in its own header": {"entries": [Raw(local_name=b"demo/../../a")]},
    "another size in its own header": {"entries": [Raw(local_size=4)]},
    "stored with two sizes": {"entries": [Raw(size=9, local_size=9)]},
    "two entries of the same bytes": {"entries": [Raw(), Raw(name=b"demo/b", offset=0)]},
    "one entry within another": {
        "entries": [Raw(content=Raw(b"demo/b").local()), Raw(b"demo/b", offset=36)]
    },
    "a name twice": {"entries": [Raw(), Raw()]},
    "bytes before the first file": {"before": b"MZ"},
    "bytes between files": {"between": b"x"},
    "a file that the directory does not list": {"between": Raw(b"demo/hidden").local()},
    "more entries than stated": {"entries": [Raw(), Raw(b"demo/b")], "count": 1},
    "fewer entries than stated": {"count": 2},
    "a part of a split zip": {"end": struct.pack("<4s4H2IH", END, 1, 1, 1, 1, 52, 41, 0)},
    "an entry in another part": {"entries": [Raw(disk=1)]},
    "an encrypted entry": {"entries": [Raw(flags=1)]},
    "a masked directory": {"entries": [Raw(flags=1 << 13)]},
    "an unusual method": {"entries": [Raw(method=12)]},
    "64-bit sizes where 32 suffice": {"entries": [Raw(extra=struct.pack("<2H2Q", 1, 16, 5, 5))]},
    "a 64-bit size that is missing": {"entries": [Raw(size=0xFFFFFFFF, local_size=0xFFFFFFFF)]},
    "an extra field with a link's target": {
        "entries": [Raw(extra=struct.pack("<2H4s", 0x000D, 4, b"/etc"))]
    },
    "a second name in an extra field": {
        "entries": [Raw(extra=struct.pack("<2HBI6s", 0x7075, 11, 1, 0, b"demo/b"))]
    },
    "a name in no known encoding": {"entries": [Raw(name="demo/ä".encode("latin-1"))]},
    "a folder by its attributes": {"entries": [Raw(attributes=0x10)]},
    "a folder that holds bytes": {"entries": [Raw(b"demo/sub/")]},
    "a folder that is a link": {
        "entries": [Raw(), Raw(b"demo/sub/", content=b"", attributes=LINK << 16)]
    },
    "two ends": {
        "comment": struct.pack("<4s4H2IH", END, 0, 0, 1, 1, 52, 41, 0),
    },
    "bytes after its end": {"end": struct.pack("<4s4H2IH", END, 0, 0, 1, 1, 52, 41, 0) + b"x"},
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_zip_that_readers_would_read_differently_is_refused(tmp_path, forged):
    entries = forged.get("entries", [Raw()])
    rest = {key: value for key, value in forged.items() if key != "entries"}
    path = raw_zip(tmp_path / "a.zip", *entries, **rest)
    with pytest.raises(UnsafeZipError, match=r"a\.zip: ") as caught:
        ZipTree(path)
    assert caught.value.exit_code == ExitCode.REFUSED
    assert "\n" not in str(caught.value)


def test_a_zip_made_by_hand_without_forgery_is_read(tmp_path):
    path = raw_zip(tmp_path / "a.zip", Raw(), Raw(b"demo/b", content=b""), comment=b"by hand")
    assert ZipTree(path).read("a", 5) == b"hello"


BAD_NAMES = [
    *("/etc/passwd", "../a", "demo/../../a", "demo/./a", "demo//a", "demo\\a", "C:/a", "demo/c:a"),
    *("demo/a\0b", "demo/a\nb", "demo/a\x1b[1A", "demo/a\u202egpj.exe", "demo/a\u200bb"),
    *("demo/a.", "demo/a ", "demo/ a", "demo/nul", "demo/CON.txt", "demo/com¹.yaml", "demo/aux /b"),
    *("demo/" + "x" * 151, "demo/" + "x/" * 17 + "x", "demo/a\u2215/..", "demo/a\u00a0b"),
    *("demo/..\uff0fa", "demo/\u2024\u2024/a", "demo/MODEL~1.SAF", "demo/a|b", "demo/a\ue000"),
    *("demo/e\u0301", "demo/\u212a"),
]


@pytest.mark.parametrize("name", BAD_NAMES, ids=ascii)
def test_a_name_that_leads_elsewhere_hides_or_is_a_devices_is_refused(tmp_path, name):
    path = raw_zip(tmp_path / "a.zip", Raw(name.encode(), flags=IN_UTF8), Raw(b"demo/b"))
    with pytest.raises(UnsafeZipError, match="entry ") as caught:
        ZipTree(path)
    assert str(caught.value).isprintable()


CLASHES = [
    ("demo/a", "demo/A"),
    ("demo/a/b", "demo/A/c"),
    ("demo/a", "demo/a/b"),
    ("demo/a/b", "demo/a"),
    ("demo/\ufb01le", "demo/file"),
    ("demo/straße", "demo/STRASSE"),
    ("demo/\u017fcript", "demo/script"),
    ("demo/a/", "demo/a"),
    ("demo/a", "demo/A/"),
]


@pytest.mark.parametrize("pair", CLASHES, ids=ascii)
def test_two_names_that_are_one_file_on_some_system_are_refused(tmp_path, pair):
    entries = [
        Raw(name.encode(), flags=IN_UTF8, content=b"" if name[-1] == "/" else b"x") for name in pair
    ]
    with pytest.raises(UnsafeZipError, match="on some systems, or is there twice"):
        ZipTree(raw_zip(tmp_path / "a.zip", *entries))


def test_links_and_devices_are_listed_as_such_and_never_unpacked(tmp_path):
    kinds = {
        LINK: "link",
        stat.S_IFCHR | 0o600: "special",
        stat.S_IFIFO | 0o600: "special",
        stat.S_IFREG | stat.S_ISUID | 0o755: "special",
        stat.S_IFREG | 0o755: "file",
    }
    for mode, kind in kinds.items():
        tree = ZipTree(zip_of(tmp_path / "a.zip", {"demo/a": b"/etc/passwd"}, mode=mode))
        assert tree.entries["a"].kind == kind
        if kind != "file":
            with pytest.raises(DataError, match="link or a special file"):
                extract(tree, tmp_path / "out")
            with pytest.raises(DataError, match="is no regular file"):
                tree.read("a", 100)
    assert not (tmp_path / "out").exists()


def test_unpacked_files_belong_to_their_owner_and_are_no_programs(tmp_path):
    path = zip_of(tmp_path / "a.zip", {"demo/a": b"x"}, mode=stat.S_IFREG | 0o777)
    extract(ZipTree(path), tmp_path / "out")
    assert not (tmp_path / "out/a").stat().st_mode & 0o133


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    zip_of(tmp_path / "a.zip", {"demo/a": bytes(2**27)})
    with pytest.raises(UnsafeZipError, match="unpacks to more than 100 times its size"):
        ZipTree(tmp_path / "a.zip")


def test_many_small_bombs_are_refused_as_one(tmp_path):
    zip_of(tmp_path / "a.zip", {f"demo/{n}": bytes(2**25) for n in range(5)})
    with pytest.raises(UnsafeZipError, match="more than a zip of its size may"):
        ZipTree(tmp_path / "a.zip")


def test_more_entries_than_any_bundle_has_are_refused(tmp_path):
    zip_of(tmp_path / "a.zip", {f"demo/{n}": b"" for n in range(10_001)}, method=0)
    with pytest.raises(UnsafeZipError, match="more than 10,000 entries"):
        ZipTree(tmp_path / "a.zip")


def test_a_file_that_unpacks_to_more_than_it_states_stops_at_what_it_states(tmp_path):
    bomb = zip_of(tmp_path / "a.zip", {"demo/a": bytes(2**26)}).read_bytes()
    # 64 MiB in both headers become 1000 bytes.
    forged = bomb.replace(struct.pack("<I", 2**26), struct.pack("<I", 1000))
    (tmp_path / "a.zip").write_bytes(forged)
    tree = ZipTree(tmp_path / "a.zip")
    tracemalloc.start()
    with pytest.raises(DataError, match="damaged"):
        tree.read("a", 2**20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20
    with pytest.raises(DataError, match="damaged"):
        extract(tree, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_bytes_after_the_end_of_packed_data_are_refused(tmp_path):
    raw = Raw(content=b"\x03\x00" + b"hidden", method=8, size=0, local_size=0)
    with pytest.raises(DataError, match="damaged"):
        ZipTree(raw_zip(tmp_path / "a.zip", raw)).read("a", 100)


@given(data=st.data())
def test_a_damaged_zip_is_refused_or_read_as_pythons_library_reads_it(data):
    with tempfile.TemporaryDirectory() as folder:
        files = {"demo/a": b"hello" * 9, "demo/b/c": b"more", "demo/\u00e4": b""}
        path = zip_of(Path(folder, "a.zip"), files)
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 3))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(content)
        try:
            tree = ZipTree(path)
            ours = {f"{tree.folder}/{name}": tree.read(name, 1000) for name in tree.entries}
        except DataError:
            return
        with zipfile.ZipFile(path) as file:
            assert ours == {name: file.read(name) for name in file.namelist()}


@pytest.mark.parametrize("cut", range(0, 200, 13))
def test_a_zip_that_is_cut_off_is_no_zip(tmp_path, cut):
    path = zip_of(tmp_path / "a.zip", {"demo/a": b"hello" * 9})
    path.write_bytes(path.read_bytes()[: -cut - 1])
    with pytest.raises(DataError, match=r"a\.zip: "):
        ZipTree(path)


def test_what_is_no_zip_of_one_folder_is_said(tmp_path):
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(DataError, match=r"a\.txt: is no zip") as caught:
        ZipTree(tmp_path / "a.txt")
    assert caught.value.exit_code == ExitCode.DATA
    with pytest.raises(DataError, match="holds a, b at its top; a bundle's zip has one folder"):
        ZipTree(zip_of(tmp_path / "a.zip", {"a/x": b"", "b/x": b""}))
    with pytest.raises(DataError, match="holds x at its top"):
        ZipTree(zip_of(tmp_path / "a.zip", {"x": b""}))
    with pytest.raises(DataError, match="holds nothing at its top"):
        ZipTree(zip_of(tmp_path / "a.zip", {}))
    with pytest.raises(DataError, match="cannot be read"):
        ZipTree(tmp_path / "absent.zip")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="is no regular file"):
        ZipTree(tmp_path / "pipe")


def test_a_zip_that_changes_while_it_is_read_is_noticed(tmp_path):
    path = zip_of(tmp_path / "a.zip", {"demo/a": b"one"})
    tree = ZipTree(path)
    zip_of(path, {"demo/a": b"another"})
    with pytest.raises(DataError, match="has changed since it was opened"):
        tree.read("a", 100)


def test_nothing_is_unpacked_over_a_folder_that_is_there(tmp_path):
    tree = ZipTree(zip_of(tmp_path / "a.zip", {"demo/a": b"x"}))
    (tmp_path / "out").mkdir()
    (tmp_path / "dangling").symlink_to(tmp_path / "elsewhere")
    for target in ("out", "dangling"):
        with pytest.raises(UsageError, match="exists already"):
            extract(tree, tmp_path / target)
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    tree = ZipTree(zip_of(tmp_path / "a.zip", {"demo/a": b"x", "demo/b": b"y"}))
    opened = Path.open

    def open_on_a_full_disk(path, mode="r"):
        return opened(Path("/dev/full") if path.name == "b" else path, mode.replace("x", "w"))

    monkeypatch.setattr(Path, "open", open_on_a_full_disk)
    with pytest.raises(OSError, match="No space left on device") as caught:
        extract(tree, tmp_path / "out")
    monkeypatch.undo()
    assert isinstance(user_error(caught.value), MachineError)
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_a_folder_is_copied_as_a_zip_is_unpacked(tmp_path):
    (tmp_path / "demo/configs").mkdir(parents=True)
    (tmp_path / "demo/configs/a.yaml").write_bytes(b"a: 1\n")
    extract(FolderTree(tmp_path / "demo"), tmp_path / "copy")
    assert (tmp_path / "copy/configs/a.yaml").read_bytes() == b"a: 1\n"
    (tmp_path / "demo/link").symlink_to("/etc/passwd")
    with pytest.raises(DataError, match="link: is a link"):
        extract(FolderTree(tmp_path / "demo"), tmp_path / "second")
