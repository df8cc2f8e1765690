"""A bundle of two channels, PET and MR, made of the hippocampus bundle and the recipe for several.

As a planned bundle of several channels has it: `scales` in place of the MR recipe's keys, channels
in metadata.json and manifest, and the folder's naming in inference.yaml.
"""

import json
import shutil
from pathlib import Path

from medseg.bundles.sync import sync_copies
from tests.conftest import REPOSITORY

NAME = "pet_mr_unet3d"
CHANNELS = ("pet", "mr")
SCALES = """scales:  # one for each channel
  - {_target_: medseg.transforms.WindowScale, low: 0.0, high: 15.0}
  - {_target_: medseg.transforms.ZScoreScale, clip: [0.0, 99.5], over: nonzero}
"""
WARP = """flip_axes: [0]
rotation_degrees: [15, 15, 15]
elastic_mm: 8.0
"""
_TRAINED = '{_target_: medseg.networks.trained_setting, path: "@ckpt_path", name: '
_DEFAULTS = (
    "[{_target_: medseg.transforms.WindowScale, low: 0.0, high: 15.0}, "
    "{_target_: medseg.transforms.ZScoreScale, clip: [0.0, 99.5], over: nonzero}]"
)
_OLD = "msd_hippocampus"
# Small enough that a training takes seconds.
SMALL = {
    "network_def#first_width": 4,
    "network_def#depth": 2,
    "epochs": 1,
    "iterations_per_epoch": 2,
    "val_interval": 1,
}


def two_channel_bundle(folder: Path, manifest: Path, *, patch=(16, 16, 8)) -> Path:
    """Write the bundle into `folder/bundles`, with a copy of the manifest; return its folder."""
    shutil.copytree(REPOSITORY / "transforms", folder / "transforms")
    bundle = folder / "bundles" / NAME
    shutil.copytree(
        REPOSITORY / "bundles" / "hippocampus_mri_unet3d",
        bundle,
        ignore=shutil.ignore_patterns("models", f"{_OLD}.json"),
    )
    shutil.copy(REPOSITORY / "bundles" / "common.yaml", folder / "bundles")
    configs = bundle / "configs"
    shutil.copy(manifest, configs / "pet_mr.json")
    for name in ("train", "inference", "evaluate"):
        path = configs / f"{name}.yaml"
        path.write_text(_changed(path.read_text(), list(patch)), encoding="utf-8")
    sync_copies(folder)
    metadata = json.loads((configs / "metadata.json").read_text())
    for key in ("scores", "eval_metrics"):
        metadata.pop(key, None)
    image = metadata["network_data_format"]["inputs"]["image"]
    image.update(modality="PET", num_channels=2, channel_def=dict(zip("01", CHANNELS, strict=True)))
    pred = metadata["network_data_format"]["outputs"]["pred"]
    pred.update(num_channels=2, channel_def={"0": "background", "1": "tumour"})
    metadata.update(name=NAME, task="Gross tumour in PET and MR")
    (configs / "metadata.json").write_text(json.dumps(metadata, indent=1), encoding="utf-8")
    return bundle


def _changed(config: str, patch: list[int]) -> str:
    """A config of the hippocampus bundle as one of two channels."""
    swaps = {
        "mri_brain": "several_channels",
        "[background, anterior_hippocampus, posterior_hippocampus]": "[background, tumour]",
        _OLD: "pet_mr",
        "[1.0, 1.0, 1.0]": "[4.0, 4.0, 4.0]",
        "[32, 48, 32]": str(patch),
        'folder: "@dataset_dir"}': 'folder: "@dataset_dir", manifest: "@manifest_file"}',
        'bias_correction: "@bias_correction", measured_voxels: "@measured_voxels"': "scales: "
        '{_target_: medseg.transforms.scale_settings, scales: "@scales"}',
        "in_channels: 1": 'in_channels: "$len(@scales)"',
    }
    for old, new in swaps.items():
        config = config.replace(old, new)
    lines: list[str] = []
    for line in config.splitlines(keepends=True):
        if line.startswith("bias_correction: none"):
            lines += [SCALES, "spatial_dims: 3\n", WARP]
        elif line.startswith("bias_correction: {"):
            lines += [f"scales: {_TRAINED}scales, default: {_DEFAULTS}}}\n"]
            lines += ["spatial_dims: 3\n"]
        elif line.startswith("datalist:"):
            lines += ["manifest_file: \"$@bundle_root + '/configs/pet_mr.json'\"\n", line]
        elif not line.startswith("measured_voxels"):
            lines.append(line)
    return "".join(lines)
