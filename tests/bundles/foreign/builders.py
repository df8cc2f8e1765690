"""A bundle in the form of the model zoo: small, with weights of seeded noise in a `.pt`."""

import json

import nibabel
import numpy as np
import torch
from monai.networks.nets import UNet

NETWORK = {
    "spatial_dims": 3,
    "in_channels": 1,
    "out_channels": 3,
    "channels": [4, 8],
    "strides": [2],
    "num_res_units": 1,
}
BACK = {
    "_target_": "Invertd",
    "keys": "pred",
    "transform": "@preprocessing",
    "orig_keys": "@image_key",
    "nearest_interp": False,
    "to_tensor": True,
}
SOFTMAX = {"_target_": "Activationsd", "keys": "pred", "softmax": True}
ARG_MAX = {"_target_": "AsDiscreted", "keys": "pred", "argmax": True}
SAVE = {"_target_": "SaveImaged", "keys": "pred", "output_dir": "@output_dir"}


def inference(*, after=(SOFTMAX, BACK, ARG_MAX)):
    """An inference config; `after` is its postprocessing, without saving."""
    return {
        "imports": ["$import glob", "$import a_package_of_a_data_list as other"],
        "bundle_root": ".",
        "image_key": "image",
        "output_dir": "$@bundle_root + '/eval'",
        "dataset_dir": "/workspace/data",
        "datalist": "$list(sorted(glob.glob(@dataset_dir + '/*.nii.gz')))",
        "device": "cpu",
        "network_def": {"_target_": "UNet", **NETWORK},
        "network": "$@network_def.to(@device)",
        "preprocessing": {
            "_target_": "Compose",
            "transforms": [
                {"_target_": "LoadImaged", "keys": "@image_key"},
                {"_target_": "EnsureChannelFirstd", "keys": "@image_key"},
                {"_target_": "Orientationd", "keys": "@image_key", "axcodes": "RAS"},
                {"_target_": "Spacingd", "keys": "@image_key", "pixdim": [1.5, 1.5, 2.0]},
                {"_target_": "NormalizeIntensityd", "keys": "@image_key"},
                {"_target_": "EnsureTyped", "keys": "@image_key"},
            ],
        },
        "dataset": {
            "_target_": "Dataset",
            "data": "$[{'image': i} for i in @datalist]",
            "transform": "@preprocessing",
        },
        "dataloader": {"_target_": "DataLoader", "dataset": "@dataset", "batch_size": 1},
        "inferer": {
            "_target_": "SlidingWindowInferer",
            "roi_size": [16, 16, 16],
            "sw_batch_size": 4,
            "overlap": 0.5,
        },
        "postprocessing": {"_target_": "Compose", "transforms": [*after, SAVE]},
        "evaluator": {
            "_target_": "SupervisedEvaluator",
            "device": "@device",
            "val_data_loader": "@dataloader",
            "network": "@network",
            "inferer": "@inferer",
            "postprocessing": "@postprocessing",
        },
        "load": {
            "_target_": "CheckpointLoader",
            "load_path": "$@bundle_root + '/models/model.pt'",
            "load_dict": {"model": "@network"},
        },
        "initialize": ["$@load(@evaluator)"],
        "run": ["$@evaluator.run()"],
    }


def metadata():
    return {
        "schema": "https://example.org/meta_schema_20220324.json",
        "version": "0.5.9",
        "monai_version": "1.4.0",
        "name": "Two organs in CT",
        "optional_packages_version": {"nibabel": "5.2.1"},
        "network_data_format": {
            "inputs": {
                "image": {
                    "type": "image",
                    "format": "hounsfield",
                    "modality": "CT",
                    "num_channels": 1,
                    "spatial_shape": [96, 96, 96],
                }
            },
            "outputs": {
                "pred": {
                    "type": "image",
                    "format": "segmentation",
                    "num_channels": 3,
                    "spatial_shape": [96, 96, 96],
                    "channel_def": {"0": "background", "1": "Left Kidney", "2": "Liver"},
                }
            },
        },
    }


def write_bundle(folder, config, described, *, weights="model"):
    """Write a bundle; its `.pt` holds the state of its network under `model`, as trainers do."""
    (folder / "configs").mkdir(parents=True)
    (folder / "configs" / "inference.json").write_text(json.dumps(config, indent=1))
    (folder / "configs" / "metadata.json").write_text(json.dumps(described, indent=1))
    if weights != "none":
        torch.manual_seed(0)
        (folder / "models").mkdir()
        torch.save({"model": UNet(**NETWORK).state_dict()}, folder / "models" / "model.pt")
    return folder


def write_image(path):
    steps = np.random.default_rng(0).normal(0, 10, (22, 18, 20))
    voxels = steps.cumsum(0).cumsum(1).astype(np.int16)
    affine = np.array([[-2.0, 0, 0, 50], [0, 2.5, 0, -40], [0, 0, 3.0, 10], [0, 0, 0, 1]])
    nibabel.save(nibabel.Nifti1Image(voxels, affine), path)
    return path
