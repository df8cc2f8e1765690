"""Kinds of plain data that a bundle may hold, by the ending of the name and the first bytes."""

from collections.abc import Mapping

from medseg.bundles.judgement.files.word_list import words

__all__ = ["ARCHIVES", "BEGINNINGS", "PICTURES", "TEXTS", "content_kind", "suffix_of"]

PICTURES = ("png", "jpg", "jpeg", "gif", "tif", "tiff")
_PICTURE_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")
# 348 and 540 in both orders of bytes: the length of the header.
_NIFTI = (b"\\\1\0\0", b"\0\0\1\\", b"\x1c\2\0\0", b"\0\0\2\x1c")

# Files whose first bytes say what they are, by ending; pictures may be named for one another.
BEGINNINGS: Mapping[str, tuple[bytes, ...]] = {
    **dict.fromkeys(PICTURES, _PICTURE_MAGIC),
    "nii": _NIFTI,
    "nii.gz": (b"\x1f\x8b\x08",),
    "mha": (b"ObjectType", b"NDims", b"Comment"),
    "nrrd": (b"NRRD",),
    "sqlite": (b"SQLite format 3\0",),
}
# Texts; those without an ending are LICENSE and the like. A signature, model.sig, is JSON.
TEXTS = words("md txt csv tsv jsonl bib cff sha256 log rst sig")
ARCHIVES = words("zip tar gz tgz bz2 xz zst 7z rar lz4 whl egg nemo mar iso cab")

_KINDS = (
    *((magic, "a picture") for magic in _PICTURE_MAGIC),
    (b"PK", "a zip"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"7z\xbc\xaf", "7-zip"),
    (b"Rar!", "RAR"),
    (b"\x93NUMPY", "a numpy array"),
    (b"%PDF", "a PDF"),
    (b"\x89HDF", "HDF5"),
    *((b"\x80%c" % protocol, "a pickle") for protocol in range(2, 6)),
)


def suffix_of(path: str) -> str:
    """The ending of a file's name in small letters, without its dot; `nii.gz` is one."""
    name = path.rpartition("/")[2].lower()
    return "nii.gz" if name.endswith(".nii.gz") else name.rpartition(".")[2] if "." in name else ""


def content_kind(head: bytes) -> str | None:
    """What a file is by its first bytes, in words; None if they say nothing."""
    return next((kind for magic, kind in _KINDS if head.startswith(magic)), None)
