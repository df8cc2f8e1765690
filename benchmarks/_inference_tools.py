"""From an image file to a label file by medseg, by MONAI and by nnU-Net, with the same weights.

medseg and MONAI run the same bundle, by the same runner: for MONAI its inferer and postprocessing
are replaced by those of the model zoo's CT bundles, in fp32, with Gaussian blending. nnU-Net gets
the bundle's network and plans that say what the bundle's recipe does.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from medseg.bundles.run import run_bundle
from medseg.bundles.trained_network import read_trained_network

__all__ = ["TOOLS", "Job"]

BUNDLE = Path(__file__).resolve().parents[1] / "bundles" / "covid_lung_ct_unet3d"
OVERLAP = 0.5
# The model zoo's, in its CT bundles of 96x96x96 windows.
ZOO_WINDOW_BATCH = 4


@dataclass(frozen=True, kw_only=True)
class Job:
    """One volume to predict.

    Attributes:
        image: Its file.
        output: Folder of the label.
        weights: `.safetensors` with the settings of the network in it.
        window: Voxels of a window along each axis.
        spacing_mm: Voxel size the network works at.
        engine: Of medseg.
        windows: `own`, each tool's way, or `same`: the network's grid ends where the image does,
            which is nnU-Net's way, and a choice in medseg and MONAI.
    """

    image: Path
    output: Path
    weights: Path
    window: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    engine: str = "auto"
    windows: str = "own"


def medseg(job: Job) -> None:
    """The bundle as it is: OpenVINO or torch, windows laid over the body, labels by slabs."""
    _run_bundle(job, {"engine": job.engine})


def medseg_every_window(job: Job) -> None:
    """The same over the whole volume, which says what the rule is worth."""
    _run_bundle(job, {"engine": job.engine, "skip": None})


def medseg_every_window_logits(job: Job) -> None:
    """And logits are what is brought to the image's grid, as nnU-Net does."""
    changes = {"skip": None, "inferer#inferer#interpolate": "logits"}
    _run_bundle(job, {"engine": job.engine, **changes})


def medseg_lungs(job: Job) -> None:
    """The same over the lungs and 30 mm around them."""
    rule = {
        "_target_": "medseg.inference.AroundLungs",
        "above_hu": -500.0,
        "window": "@window",
        "spacing_mm": list(job.spacing_mm),
    }
    _run_bundle(job, {"engine": job.engine, "skip": rule})


def monai(job: Job) -> None:
    """The model zoo's way: probabilities of all classes, inverted, then the greatest."""
    inferer = {
        "_target_": "SlidingWindowInferer",
        "roi_size": list(job.window),
        "sw_batch_size": ZOO_WINDOW_BATCH,
        "overlap": OVERLAP,
        "mode": "gaussian",
    }
    steps = [
        {"_target_": "Activationsd", "keys": "pred", "softmax": True},
        {
            "_target_": "Invertd",
            "keys": "pred",
            "transform": "@preprocessing",
            "orig_keys": "image",
            "nearest_interp": False,
            "to_tensor": True,
        },
        {"_target_": "AsDiscreted", "keys": "pred", "argmax": True},
        {"_target_": "SaveImaged", "keys": "pred", "output_dir": "@output_dir"},
    ]
    changes = {
        "inferer": inferer,
        "postprocessing": {"_target_": "Compose", "transforms": steps},
        # MONAI's own, in place of medseg's; its networks come, and stay, contiguous.
        "memory_format": "contiguous_format",
        "reader": "NibabelReader",
        "preprocessing_steps#2#_target_": "Spacingd",
    }
    _run_bundle(job, changes)


def _run_bundle(job: Job, changes: dict[str, Any]) -> None:
    if job.windows == "same":
        changes = {**changes, "preprocessing_steps#2#scale_extent": True}
    run_bundle(
        BUNDLE,
        configs=["inference"],
        run_id="inferring",
        overrides={
            "ckpt_path": str(job.weights),
            "datalist": [str(job.image)],
            "output_dir": str(job.output),
            "patch_size": list(job.window),
            "spacing_mm": list(job.spacing_mm),
            "overlap": OVERLAP,
            "device": "$torch.device('cpu')",
            **changes,
        },
        log="quiet",
    )


def nnunet(job: Job) -> None:
    """nnU-Net with mirroring off."""
    _nnunet(job, mirroring=False)


def nnunet_mirroring(job: Job) -> None:
    """nnU-Net as shipped: each window eight times, mirrored along every combination of axes."""
    _nnunet(job, mirroring=True)


def _nnunet(job: Job, *, mirroring: bool) -> None:
    os.environ.setdefault("nnUNet_def_n_proc", str(torch.get_num_threads()))
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    trained = read_trained_network(BUNDLE, job.weights)
    plans = PlansManager(_plans(job, trained.settings["window"]))
    predictor = nnUNetPredictor(
        tile_step_size=OVERLAP,
        use_gaussian=True,
        use_mirroring=mirroring,
        device=torch.device("cpu"),
        allow_tqdm=False,
    )
    predictor.manual_initialization(
        trained.network,
        plans,
        plans.get_configuration("3d_fullres"),
        [trained.network.state_dict()],
        {
            "channel_names": {"0": "CT"},
            "labels": {name: value for value, name in enumerate(trained.settings["class_names"])},
            "file_ending": ".nii.gz",
        },
        "nnUNetTrainer",
        (0, 1, 2),
    )
    # In this process: with one volume there is nothing to do beside, and starting others is slow.
    predictor.predict_from_files_sequential([[str(job.image)]], [str(job.output / "label")])


def _plans(job: Job, window: list[float]) -> dict[str, Any]:
    low, high = window
    linear = {"is_seg": False, "order": 1, "order_z": 0, "force_separate_z": None}
    resample = "resample_data_or_seg_to_shape"
    # Clipped, less `mean`, by `std`: the recipe's scaling to [0, 1].
    scaling = {"percentile_00_5": low, "percentile_99_5": high, "mean": low, "std": high - low}
    return {
        "dataset_name": "Dataset001_Bench",
        "plans_name": "nnUNetPlans",
        # Reads RAS, then axes backwards; these turn them to the network's.
        "image_reader_writer": "NibabelIOWithReorient",
        "transpose_forward": [2, 1, 0],
        "transpose_backward": [2, 1, 0],
        "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": {"0": scaling},
        "configurations": {
            "3d_fullres": {
                "preprocessor_name": "DefaultPreprocessor",
                "patch_size": list(job.window),
                "spacing": list(job.spacing_mm),
                "normalization_schemes": ["CTNormalization"],
                "use_mask_for_norm": [False],
                # The recipe's; nnU-Net's own is cubic for images, which takes longer.
                "resampling_fn_data": resample,
                "resampling_fn_data_kwargs": linear,
                "resampling_fn_seg": resample,
                "resampling_fn_seg_kwargs": {**linear, "is_seg": True},
                "resampling_fn_probabilities": resample,
                "resampling_fn_probabilities_kwargs": linear,
                "architecture": {},
            }
        },
    }


TOOLS: dict[str, Callable[[Job], None]] = {
    "medseg": medseg,
    "medseg, every window": medseg_every_window,
    "medseg, every window, logits": medseg_every_window_logits,
    "medseg, around lungs": medseg_lungs,
    "MONAI": monai,
    "nnU-Net": nnunet,
    "nnU-Net, mirroring": nnunet_mirroring,
}
