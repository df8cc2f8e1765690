"""Golden case of a bundle: its image labelled once by torch in fp32, and kept for the next time."""

import base64
import hashlib
import json
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg._files import cache_dir, write_atomically
from medseg.data.digest import voxels_sha256
from medseg.errors import DataError
from medseg.sharing.golden.golden import GoldenCase, least_dsc, write_golden
from medseg.sharing.golden.golden_images import GoldenImage, nifti_bytes
from medseg.sharing.layout import CASE, GOLDEN

__all__ = ["golden_files"]

_PACKAGES = ("medseg", "monai", "numpy", "torch")


def golden_files(
    files: Mapping[str, bytes], name: str, weights_sha256: str, image: GoldenImage
) -> dict[str, bytes]:
    """Image, expected label and `case.json` of a bundle.

    Args:
        files: All other files of the packed bundle, which is judged safe: it is run.
        name: Of the bundle.
        weights_sha256: Digest of its tensors.
        image: The image.

    Raises:
        DataError: If nothing in the image is labelled.
        MedsegError: If the bundle does not predict.
    """
    kept = cache_dir() / "golden" / f"{_key(files, weights_sha256, image)}.json"
    found = _read(kept)
    if found is None:
        found = _run(files, name, image)
        text = json.dumps(found)
        write_atomically(kept, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    label = base64.b64decode(found["label"])
    label_name = "label.png" if image.name.endswith(".png") else "label.nii.gz"
    case = GoldenCase(
        image=image.name,
        image_sha256=hashlib.sha256(image.content).hexdigest(),
        label=label_name,
        label_sha256=hashlib.sha256(label).hexdigest(),
        voxels_sha256=found["voxels_sha256"],
        label_kind=found["label_kind"],
        classes=tuple(found["classes"]),
        weights_sha256=weights_sha256,
        made_with=_versions(),
        least_dsc=least_dsc(),
        origin=image.origin,
        licence=image.licence,
    )
    return {
        f"{GOLDEN}/{image.name}": image.content,
        f"{GOLDEN}/{label_name}": label,
        CASE: write_golden(case),
    }


def _versions() -> dict[str, str]:
    return {package: version(package).partition("+")[0] for package in _PACKAGES}


def _key(files: Mapping[str, bytes], weights_sha256: str, image: GoldenImage) -> str:
    digest = hashlib.sha256(json.dumps([weights_sha256, _versions(), image.name]).encode())
    digest.update(image.content)
    for path, content in sorted(files.items()):
        if path.startswith("configs/"):
            digest.update(json.dumps([path, hashlib.sha256(content).hexdigest()]).encode())
    return digest.hexdigest()


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _run(files: Mapping[str, bytes], name: str, image: GoldenImage) -> dict[str, Any]:
    # torch and MONAI take seconds to import, and a label that is kept needs neither.
    from medseg.bundles.image_reading import read_bundle_image
    from medseg.bundles.predictor import open_predictor

    with tempfile.TemporaryDirectory(prefix="medseg-golden-") as folder:
        bundle, source = Path(folder) / name, Path(folder) / image.name
        for path, content in files.items():
            target = bundle / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        source.write_bytes(image.content)
        plain = {"engine": "torch", "precision": "fp32", "device": "cpu"}
        predictor = open_predictor(bundle, overrides=plain)
        read = read_bundle_image(source, predictor.channels)
        label = predictor.label(predictor.prepare(read)).array
    if not label.any():
        raise DataError(
            f"{name}: labels nothing in the golden image ({image.origin}); give one that may be "
            "shared: --golden FILE --golden-licence TEXT"
        )
    return {
        "label": base64.b64encode(_encoded(label, read.affine, image.name)).decode(),
        "voxels_sha256": voxels_sha256(label.reshape((*label.shape[:2], -1))),
        "label_kind": predictor.label_kind,
        "classes": list(predictor.class_names),
    }


def _encoded(label: NDArray[Any], affine: NDArray[np.float64], name: str) -> bytes:
    if not name.endswith(".png"):
        return nifti_bytes(label, affine)
    from medseg.inference.raster_label import png_bytes

    return png_bytes(label)
