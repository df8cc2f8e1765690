"""Subject of a pruning study: a bundle's trained network, its training and its held-out cases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np
import torch
from monai.data.meta_tensor import MetaTensor
from numpy.typing import NDArray
from torch import Tensor

from medseg._quiet import quiet_libraries
from medseg.bundles.complaints import config_errors
from medseg.bundles.image_reading import read_bundle_image
from medseg.bundles.opened import open_configs
from medseg.bundles.overrides import parse_overrides
from medseg.bundles.predictor import Predictor, open_predictor
from medseg.bundles.run import open_workflow
from medseg.data.datalists import datalist
from medseg.data.images.picture import Picture, read_image
from medseg.data.label_kind import as_classes
from medseg.data.manifest import Manifest, Split
from medseg.errors import DataError, meets_all, user_error
from medseg.inference.engines.open_engine import EnginePrecision
from medseg.networks.unet import UNet
from medseg.networks.weights_file import header_object, read_weights_header
from medseg.studies.pruning.wiring import require_unet

__all__ = [
    "HeldOutCase",
    "Subject",
    "batch_gradients",
    "open_subject",
    "training_overrides",
    "with_network",
]


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldOutCase:
    """A case that the network has not seen.

    Attributes:
        name: Of the case.
        group: Such as its tissue class; None without one.
        image: In the network's grid, preprocessed.
        label: The reference, class values in the image's own grid.
    """

    name: str
    group: str | None
    image: MetaTensor
    label: NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """What is pruned, and on what it is scored.

    Attributes:
        bundle: Its folder.
        weights: The file of the trained weights.
        predictor: The bundle, opened with them, on torch's engine.
        window: Voxels of a window along each axis.
        cases: The held-out cases.
        failed: Why others could not be read, by case.
        split: Which cases, in words.
        training: Overrides that a training of this network needs, by full path.
    """

    bundle: Path
    weights: Path
    predictor: Predictor
    window: tuple[int, ...]
    cases: tuple[HeldOutCase, ...]
    failed: Mapping[str, str]
    split: str
    training: Mapping[str, Any]

    @property
    def network(self) -> UNet:
        """The trained network."""
        return cast("UNet", self.predictor.network)


def open_subject(  # noqa: PLR0913 - one keyword for each choice
    bundle: str | Path,
    *,
    weights: str | Path | None,
    pairs: Sequence[str],
    split: Split,
    most: int | None,
    scoring: Sequence[str] = (),
    precision: EnginePrecision = "fp32",
) -> Subject:
    """Open a bundle with its weights, and read and prepare the held-out cases.

    Args:
        bundle: The bundle's folder.
        weights: A `.safetensors` file; the bundle's `models/model.safetensors` if None.
        pairs: `KEY=VALUE` texts of the training config, such as `dataset_dir=DIR`.
        split: `validation` is the fold that the config holds out.
        most: Largest number of cases, evenly spaced; None takes all.
        scoring: `KEY=VALUE` texts of the inference config, such as `patch_size=[224,224]`.
        precision: In which cases are labelled, by torch.

    Raises:
        UsageError: For a network that is no `UNet`, or an override that is none.
        DataError: For weights or a data set that cannot be used, or if no case can be read.
    """
    bundle = Path(bundle)
    weights = Path(weights or bundle / "models" / "model.safetensors").resolve()
    predictor = open_predictor(
        bundle,
        weights=weights,
        pairs=scoring,
        overrides={"engine": "torch", "precision": precision},
    )
    network = require_unet(predictor.network, bundle)
    training = training_overrides(bundle, weights, network, pairs)
    with config_errors(), quiet_libraries():
        parser = _parser(bundle, training)
        manifest = cast("Manifest", parser.get_parsed_content("manifest"))
        fold = parser.get_parsed_content("fold")
        folder = parser.get_parsed_content("dataset_dir")
    entries = datalist(manifest, folder, split=split, fold=fold, most=most)
    cases, failed = _read(predictor, entries, manifest)
    place = f"fold {fold}" if split == "validation" else split
    return Subject(
        bundle=bundle,
        weights=weights,
        predictor=predictor,
        window=tuple(cast("Any", predictor.inferer).inferer.window),
        cases=tuple(cases),
        failed=failed,
        split=f"{manifest.name}, {place}, {len(cases)} cases",
        training=training,
    )


def training_overrides(
    bundle: Path, weights: Path, network: UNet, pairs: Sequence[str]
) -> dict[str, Any]:
    """What a training of these weights' network overrides: its shape, and what their header says.

    Args:
        bundle: The bundle's folder.
        weights: The trained weights.
        network: Their network.
        pairs: `KEY=VALUE` texts from the user, which come last.

    Raises:
        UsageError: For a text without `=`, or an unknown key.
    """
    config = open_configs(bundle, ["train"]).merged
    header = header_object(read_weights_header(weights), "settings")
    repeated = {
        name: header[name]
        for name in cast("Mapping[str, Any]", config.get("settings", {}))
        if name != "network" and name in header and name in config
    }
    described = {"network_def": network.describe()}
    return {**repeated, **described, **parse_overrides(pairs, config)}


def batch_gradients(subject: Subject, batches: int) -> list[dict[str, Tensor]]:
    """Gradient of the loss by each parameter, for batches of training cases as they are drawn.

    The network is in evaluation mode, as it is used.

    Args:
        subject: Its bundle trains without augmentation of another kind than its config's.
        batches: How many.

    Returns:
        One mapping a batch, by name of the parameter.
    """
    # Nothing is written, but a trainer refuses to be built over an earlier training.
    with config_errors(), quiet_libraries(), TemporaryDirectory(prefix="medseg-") as folder:
        places = {"output_dir": folder, "ckpt_dir": folder}
        parser = _parser(subject.bundle, {**subject.training, **places})
        trainer = parser.get_parsed_content("train::trainer")
        return _gradients(trainer, subject.network, batches)


def _gradients(trainer: Any, network: UNet, batches: int) -> list[dict[str, Tensor]]:
    found: list[dict[str, Tensor]] = []
    for batch in islice(iter(trainer.data_loader), batches):
        image, target = trainer.prepare_batch(batch, torch.device("cpu"))
        network.zero_grad()
        with torch.enable_grad():
            trainer.loss_function(network(image.as_subclass(Tensor)), target).backward()
        found.append(
            {
                name: cast("Tensor", value.grad).detach().clone()
                for name, value in network.named_parameters()
            }
        )
    network.zero_grad()
    return found


def _parser(bundle: Path, overrides: Mapping[str, Any]) -> Any:
    workflow = open_workflow(
        bundle, configs=["train"], run_id="training", overrides=overrides, log="quiet"
    )
    cast("Any", workflow).initialize()
    return cast("Any", workflow.parser)


def _read(
    predictor: Predictor, entries: Sequence[Mapping[str, str]], manifest: Manifest
) -> tuple[list[HeldOutCase], dict[str, str]]:
    cases: list[HeldOutCase] = []
    failed: dict[str, str] = {}
    for entry in entries:
        try:
            cases.append(_case(predictor, entry, manifest))
        except Exception as error:
            users = user_error(error)
            if users is None or meets_all(error):
                raise
            failed[entry["case"]] = str(users)
    if not cases:
        raise DataError(f"no case could be read; {next(iter(failed.values()))}")
    return cases, failed


def _case(predictor: Predictor, entry: Mapping[str, Any], manifest: Manifest) -> HeldOutCase:
    path = entry["image"]
    if "label" not in entry:
        raise DataError(f"{entry['case']}: has no label, so that nothing can be scored by it")
    source = read_bundle_image(path, predictor.channels)
    label = read_image(entry["label"], where="label")
    classes = as_classes(label.array, manifest.label_kind).astype(np.int64)
    if isinstance(source, Picture):
        classes = classes[:, :, 0]
    if classes.shape != source.array.shape[: classes.ndim]:
        raise DataError(f"{entry['label']}: is of another size than its image {path}")
    return HeldOutCase(
        name=entry["case"],
        group=entry.get("group"),
        image=predictor.prepare(source),
        label=classes,
    )


def with_network(subject: Subject, network: UNet) -> Subject:
    """The subject with another network for the same images."""
    return replace(subject, predictor=replace(subject.predictor, network=network.eval()))
