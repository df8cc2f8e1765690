"""Small bundles for tests of the store: plain data alone, packed by hand."""

import json
import zipfile
from pathlib import Path

from medseg.sharing.digests import Digests, bytes_digest, write_digests

METADATA = {
    "task": "Find the ball",
    "network_data_format": {"inputs": {"image": {"modality": "CT"}}},
}


def files_of(version="1.0.0", **more):
    """Contents by path of a bundle that is safe."""
    changelog = {"1.1.0": "finds more", "1.0.0": "first"}
    metadata = {**METADATA, "version": version, "changelog": changelog, **more}
    return {
        "LICENSE": b"Apache License\nVersion 2.0\n",
        "configs/metadata.json": json.dumps(metadata).encode(),
        "docs/README.md": b"# Ball\n",
    }


def make_folder(folder: Path, files) -> Path:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def listed(name, version, files):
    """The same files with their list of digests."""
    digests = Digests(
        name=name,
        version=version,
        packed_with="0.1.0",
        files={path: bytes_digest(content) for path, content in files.items()},
    )
    return {**files, "digests.json": write_digests(digests)}


def make_zip(path: Path, name, files) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for file, content in files.items():
            packed.writestr(zipfile.ZipInfo(f"{name}/{file}", (1980, 1, 1, 0, 0, 0)), content)
    return path


def packed_bundle(folder: Path, name="ball", version="1.0.0", **more) -> Path:
    """A packed bundle, `folder/NAME-VERSION.zip`."""
    files = listed(name, version, files_of(version, **more))
    return make_zip(folder / f"{name}-{version}.zip", name, files)
