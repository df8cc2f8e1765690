"""Files of a bundle in memory, to be judged before they are written."""

from collections.abc import Generator, Mapping

from medseg.bundles.judgement.tree import Entry
from medseg.errors import DataError

__all__ = ["BytesTree"]


class BytesTree:
    """A `BundleTree` of bytes.

    Args:
        name: What messages call it.
        files: Contents by path, with `/`.
    """

    def __init__(self, name: str, files: Mapping[str, bytes]) -> None:
        self.name = name
        self._files = dict(sorted(files.items()))
        self.entries: Mapping[str, Entry] = {
            path: Entry("file", len(content)) for path, content in self._files.items()
        }

    def read(self, path: str, at_most: int) -> bytes:
        """See `medseg.bundles.judgement.tree.BundleTree`."""
        content = self._files.get(path)
        if content is None:
            raise DataError(f"{self.name}/{path}: is no regular file")
        if len(content) > at_most:
            raise DataError(f"{self.name}/{path}: is larger than {at_most:,} bytes")
        return content

    def chunks(self, path: str) -> Generator[bytes]:
        """See `medseg.bundles.judgement.tree.BundleTree`."""
        yield self.read(path, self.entries[path].size)
