"""Verification of a packed bundle: every file against the list of digests, and the signature."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path

from medseg.bundles.judgement.tree import BundleTree, FolderTree
from medseg.bundles.judgement.zips.zip_tree import ZipTree
from medseg.errors import DataError
from medseg.sharing.digests import Digests, read_digests
from medseg.sharing.layout import DIGESTS, SIGNATURE, UNLISTED
from medseg.sharing.signing.file_digests import FolderDigests, Reread, content_sha256
from medseg.sharing.signing.signature import Signature, check_signature
from medseg.sharing.signing.trusted_keys import trusted_keys

__all__ = [
    "Verification",
    "file_digests",
    "list_differences",
    "listed_digests",
    "open_tree",
    "verify",
    "verify_tree",
]

# A file has some 100 bytes in a list, and 300 in a signature.
_MOST_LIST_BYTES = 16_000_000


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What a packed bundle is, and whether it is as it was packed and signed.

    Attributes:
        name: Of the bundle, by its list of digests.
        version: As `name`.
        sha256: Digest of the whole bundle: that of its list.
        files: How many files are listed.
        changed: Files, by path, with another content than listed or signed, or that are links.
        missing: Files that are listed or signed, and not there.
        added: Files that are there, and neither listed nor signed.
        signature: Who signed, and whether that counts.
    """

    name: str
    version: str
    sha256: str
    files: int
    changed: tuple[str, ...]
    missing: tuple[str, ...]
    added: tuple[str, ...]
    signature: Signature

    @property
    def complete(self) -> bool:
        """Whether every file is as it was packed and signed, and no other is there."""
        return not (self.changed or self.missing or self.added)

    @property
    def signer(self) -> str | None:
        """Name of the trusted key that signed the bundle as it is; None if none did."""
        known = self.complete and self.signature.state == "known"
        return self.signature.signer if known else None

    @property
    def intact(self) -> bool:
        """Whether it is complete, and its signature, if it has one, is no wrong one."""
        return self.complete and self.signature.state not in ("broken", "other content")


@dataclass(frozen=True, kw_only=True)
class Differences:
    """Paths of files that are other than they should be."""

    changed: Set[str]
    missing: Set[str]
    added: Set[str]

    def joined(self, other: "Differences") -> "Differences":
        """Those of both."""
        return Differences(
            changed=self.changed | other.changed,
            missing=self.missing | other.missing,
            added=self.added | other.added,
        )


def verify(path: str | Path, *, reread: Reread = "changed") -> Verification:
    """Verify a packed bundle: a zip, or the folder that one was unpacked to.

    Args:
        path: The zip or the folder.
        reread: Of a folder that was verified before, `changed` reads what has changed since.

    Raises:
        DataError: If it cannot be read or was not packed by medseg.
    """
    path = Path(path)
    return verify_tree(open_tree(path), FolderDigests(path, reread) if path.is_dir() else None)


def open_tree(path: str | Path) -> FolderTree | ZipTree:
    """The files of a bundle, by its folder or zip.

    Raises:
        DataError: If there is none, or it cannot be read.
    """
    if not Path(path).exists():
        raise DataError(f"{path}: not found; give a bundle's zip or folder")
    return FolderTree(path) if Path(path).is_dir() else ZipTree(path)


def verify_tree(tree: BundleTree, known: FolderDigests | None) -> Verification:
    """Verify a packed bundle that is open, see `verify`.

    Args:
        tree: The bundle.
        known: Digests of its files' last reading; None reads all.
    """
    listed = listed_digests(tree)
    actual = file_digests(tree, listed, known)
    signature = Signature(state="none")
    if SIGNATURE in tree.entries:
        content = tree.read(SIGNATURE, _MOST_LIST_BYTES)
        signature = check_signature(content, actual, trusted_keys())
    if known:
        known.keep()
    differences = list_differences(listed, actual)
    if signature.signed is not None:
        signed = _differences(actual, signature.signed)
        differences = differences.joined(signed)
    return Verification(
        name=listed.name,
        version=listed.version,
        sha256=listed.bundle_sha256,
        files=len(listed.files),
        changed=tuple(sorted(differences.changed)),
        missing=tuple(sorted(differences.missing)),
        added=tuple(sorted(differences.added)),
        signature=signature,
    )


def listed_digests(tree: BundleTree) -> Digests:
    """The list of digests of a packed bundle.

    Raises:
        DataError: If there is none, or it is none.
    """
    if DIGESTS not in tree.entries:
        raise DataError(
            f"{tree.name}: has no {DIGESTS}, so it was not packed by `medseg bundle pack`"
        )
    return read_digests(tree.read(DIGESTS, _MOST_LIST_BYTES), tree.name)


def file_digests(
    tree: BundleTree, listed: Digests, known: FolderDigests | None = None
) -> Mapping[str, str]:
    """SHA-256 in hexadecimal of all files but the signature, by path.

    Empty for what cannot be right, which is not read: links, files of another size than listed,
    and files that are not listed.
    """
    digests: dict[str, str] = {}
    for path, entry in tree.entries.items():
        if path == SIGNATURE and path not in listed.files:
            continue
        listed_size = listed.files[path].size if path in listed.files else None
        right = entry.size == listed_size or path == DIGESTS
        if entry.kind != "file" or not right:
            digests[path] = ""
        else:
            digests[path] = known.sha256(tree, path) if known else content_sha256(tree, path)
    return digests


def list_differences(listed: Digests, actual: Mapping[str, str]) -> Differences:
    """What is other than listed, of the digests that `file_digests` gives."""
    expected = {path: file.sha256 for path, file in listed.files.items()}
    unlisted = UNLISTED - expected.keys()
    return _differences({p: d for p, d in actual.items() if p not in unlisted}, expected)


def _differences(actual: Mapping[str, str], expected: Mapping[str, str]) -> Differences:
    return Differences(
        changed={p for p in actual.keys() & expected.keys() if actual[p] != expected[p]},
        missing=expected.keys() - actual.keys(),
        added=actual.keys() - expected.keys(),
    )
