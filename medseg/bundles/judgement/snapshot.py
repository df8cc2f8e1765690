"""Snapshot of a bundle's files: what was judged is what is run.

Between a judgement and MONAI's reading a file could be replaced by another. So what is read while a
bundle is judged is kept, and its configs are parsed from these bytes; no file is opened again.
"""

import os
from collections.abc import Generator, Mapping
from pathlib import Path, PurePosixPath

from medseg.bundles.judgement.tree import BundleTree, Entry, FolderTree, read_regular
from medseg.errors import DataError

__all__ = ["MOST_BYTES", "LoneConfig", "Snapshot", "working_tree"]

# Of a config, which is some 10,000; manifests of large data sets have a million.
MOST_BYTES = 20_000_000
_STEP = 2**20
# Where trainings and evaluations write, if they are not told otherwise.
_OUTPUT = "eval"
_CODE = (".py", ".pyc", ".pyo", ".pyd", ".pyw", ".pth", ".so", ".dll", ".dylib", ".zip", ".egg")


class Snapshot:
    """A tree whose files have, once read, the same bytes for ever."""

    def __init__(self, tree: BundleTree) -> None:
        """Wraps a tree."""
        self._tree = tree
        self._read: dict[str, bytes] = {}

    @property
    def name(self) -> str:
        """See `BundleTree`."""
        return self._tree.name

    @property
    def entries(self) -> Mapping[str, Entry]:
        """See `BundleTree`."""
        return self._tree.entries

    def read(self, path: str, at_most: int) -> bytes:
        """See `BundleTree`."""
        content = self._read.get(path)
        if content is None:
            content = self._tree.read(path, at_most)
            # Weights and checkpoints are judged by their headers, and read as data alone.
            if len(content) <= MOST_BYTES:
                self._read[path] = content
        if len(content) > at_most:
            raise DataError(f"{self.name}/{path}: is larger than {at_most:,} bytes")
        return content

    def chunks(self, path: str) -> Generator[bytes]:
        """See `BundleTree`."""
        entry = self.entries.get(path)
        if entry is not None and entry.kind == "file" and entry.size <= MOST_BYTES:
            # By `read`, so that these bytes are kept.
            content = self.read(path, MOST_BYTES)
            yield from (content[start : start + _STEP] for start in range(0, len(content), _STEP))
        else:
            yield from self._tree.chunks(path)


class LoneConfig:
    """A YAML or JSON config outside any bundle, such as a recipe, as the only file of a tree."""

    def __init__(self, file: Path) -> None:
        """Takes the config's path.

        Raises:
            DataError: If there is no such file.
        """
        if not file.is_file():
            what = "is no regular file" if os.path.lexists(file) else "no such file"
            raise DataError(f"{file}: {what}; give a config's path")
        # A link that the user named is followed, as the user's own word.
        self._file = file.resolve()
        self.name = str(file)
        size = self._file.stat().st_size
        self.entries: Mapping[str, Entry] = {f"configs/{file.name}": Entry("file", size)}

    def read(self, path: str, at_most: int) -> bytes:
        """See `BundleTree`."""
        if path not in self.entries:
            raise DataError(f"{self.name}: has no {path}")
        return read_regular(self._file, at_most)

    def chunks(self, path: str) -> Generator[bytes]:
        """See `BundleTree`."""
        yield self.read(path, MOST_BYTES)


class _Working:
    """A bundle's folder without what its own runs have written."""

    def __init__(self, folder: Path) -> None:
        self._tree = FolderTree(folder)
        self.name = self._tree.name
        self.entries: Mapping[str, Entry] = {
            path: entry for path, entry in self._tree.entries.items() if not _is_output(path, entry)
        }

    def read(self, path: str, at_most: int) -> bytes:
        if path not in self.entries:
            raise DataError(f"{self.name}/{path}: is no regular file")
        return self._tree.read(path, at_most)

    def chunks(self, path: str) -> Generator[bytes]:
        if path not in self.entries:
            raise DataError(f"{self.name}/{path}: is no regular file")
        yield from self._tree.chunks(path)


def working_tree(folder: Path) -> BundleTree:
    """A bundle's folder, as it is judged before it runs: without checkpoints and scores in `eval/`.

    These grow with each run, and trust would end with it. Whatever there Python could import stays.

    Raises:
        DataError: If it is no folder.
    """
    return _Working(folder)


def _is_output(path: str, entry: Entry) -> bool:
    parts = PurePosixPath(path).parts
    code = parts[-1].lower().endswith(_CODE)
    return entry.kind == "file" and parts[0] == _OUTPUT and len(parts) > 1 and not code
