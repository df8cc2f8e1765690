"""Folder of a bundle that may be a zip, for what needs one: unpacked for a while."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from medseg.bundles.judgement.zips.zip_tree import ZipTree, extract
from medseg.errors import DataError

__all__ = ["unpacked"]


@contextmanager
def unpacked(bundle: str | Path) -> Generator[Path]:
    """The folder of a bundle: itself, or a temporary one that a zip is unpacked to.

    Raises:
        DataError: If there is nothing, or no zip of a bundle.
    """
    bundle = Path(bundle)
    if not bundle.exists():
        raise DataError(f"{bundle}: not found; give a bundle's zip or folder")
    if bundle.is_dir():
        yield bundle
        return
    tree = ZipTree(bundle)
    with TemporaryDirectory(prefix="medseg-") as folder:
        # The config language gives some letters of paths a meaning; the folder's name has none.
        extract(tree, Path(folder) / "bundle")
        yield Path(folder) / "bundle"
