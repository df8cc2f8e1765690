"""Folder of a mended data set: its files linked, copied or written anew.

What is unchanged is linked hard, which takes no space, or copied where the disk cannot link. A
symbolic link would not do: it breaks as soon as the folder is moved or shared.
"""

import os
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from numpy.typing import NDArray

from medseg._files import write_atomically
from medseg.data.case_files import Digest
from medseg.data.digest import path_sha256
from medseg.data.images.naming import DETACHED_SUFFIXES, image_format, image_stem
from medseg.data.manifest import Case
from medseg.data.walk import walk_tree
from medseg.inference.save import save_label
from medseg.mending.case import Mended
from medseg.mending.three_axes import extra_axes, write_three_axes

__all__ = ["bring_case"]

Way = Literal["linked", "copied"]

# Suffixes that labels can be written in; others become NIfTI.
_WRITTEN = (".nii", ".nii.gz", ".nrrd", ".mha", ".png", ".tif")


def bring_case(
    case: Case, mended: Mended, source: Path, target: Path, taken: Collection[str]
) -> tuple[Case, set[Way]]:
    """Bring the files of a case into the new folder.

    Args:
        case: As in the manifest.
        mended: What was done for it.
        source: Folder of the data set.
        target: The new folder.
        taken: Paths that a label in another format must not get: those of the manifest.

    Returns:
        The case as the new manifest has it, and in which ways unchanged files came there.
    """
    ways: set[Way] = set()
    kinds = {(change.where, change.kind) for change in mended.fix.changes}
    digests = dict(case.sha256)
    for name in case.images:
        if extra_axes(source / name):
            write_three_axes(source / name, target / name)
        else:
            ways |= _bring(source / name, target / name)
    if ("image", "three axes") in kinds:
        digests["image"] = _image_digest(case, target)
    if case.label is None:
        return case.model_copy(update={"sha256": digests}), ways
    label = case.label
    if mended.label is not None:
        label = _label_path(case.label, taken)
        save_label(target / label, _pixels(label, mended.label.array), mended.label.affine)
    elif ("label", "three axes") in kinds:
        write_three_axes(source / label, target / label)
    else:
        ways |= _bring(source / label, target / label)
        return case.model_copy(update={"sha256": digests}), ways
    digests["label"] = path_sha256(target / label)
    among = PurePosixPath(label).parents
    if "image" in digests and any(PurePosixPath(name) in among for name in case.images):
        # A folder of slices has the label among them, and is digested as a whole.
        digests["image"] = _image_digest(case, target)
    return case.model_copy(update={"label": label, "sha256": digests}), ways


def _image_digest(case: Case, folder: Path) -> Digest:
    """Of a file, or of each channel's."""
    each = tuple(path_sha256(folder / name) for name in case.images)
    return each[0] if len(each) == 1 else each


def _pixels(label: str, array: NDArray[Any]) -> NDArray[Any]:
    """The label as it is written: of a picture without the axis of one slice."""
    known = image_format(label)
    return array[:, :, 0] if known is not None and known.kind == "picture" else array


def _label_path(label: str, taken: Collection[str]) -> str:
    """Where a mended label is: its own path, or of a format that is not written, as NIfTI."""
    path = PurePosixPath(label)
    if path.name.lower().endswith(_WRITTEN):
        return label
    known = image_format(path.name)
    stem = image_stem(path.name) if known else path.name.removesuffix(".dcm")
    suffix = ".png" if known is not None and known.kind == "picture" else ".nii.gz"
    name = str(path.with_name(stem + suffix))
    return name if name not in taken else str(path.with_name(f"{stem}_label{suffix}"))


def _bring(source: Path, target: Path) -> set[Way]:
    ways: set[Way] = set()
    for file in _files(source):
        below = target / file.relative_to(source) if source.is_dir() else target.parent / file.name
        ways.add(_bring_file(file, below))
    return ways


def _files(source: Path) -> Iterator[Path]:
    """The files of an image: of a folder all, of a header that of its voxels as well."""
    if source.is_dir():
        yield from walk_tree(source).files
        return
    yield source
    if source.name.lower().endswith(DETACHED_SUFFIXES):
        # Named like it, or by it; what is too much does no harm.
        stem = image_stem(source.name)
        others = (one for one in source.parent.iterdir() if one.is_file() and one != source)
        yield from sorted(one for one in others if one.name.startswith(f"{stem}."))


def _bring_file(source: Path, target: Path) -> Way:
    original = source.resolve()
    if target.exists():
        if target.samefile(original):
            return "linked"
        target.unlink()
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(original, target)
    except OSError:
        # Another disk, or one that has no links.
        write_atomically(target, lambda temporary: shutil.copyfile(original, temporary))
        return "copied"
    return "linked"
