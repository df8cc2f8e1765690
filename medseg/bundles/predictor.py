"""Predictor: a bundle's recipe, network and inferer, opened once to predict many volumes.

`python -m monai.bundle run inferring` passes a list to ignite's evaluator, which ends at the first
case that fails. Here each case is preprocessed and labelled separately.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from monai.data.meta_tensor import MetaTensor
from monai.inferers.inferer import Inferer
from numpy.typing import DTypeLike, NDArray
from torch import nn

from medseg._quiet import quiet_libraries
from medseg.bundles.as_loaded import as_loaded
from medseg.bundles.channels import are_colours, bundle_channels, channel_line
from medseg.bundles.class_labels import described_labels, manifest_of
from medseg.bundles.complaints import config_errors
from medseg.bundles.configs import MAY_BE, NEEDED
from medseg.bundles.metadata import load_metadata
from medseg.bundles.one_line import excepthook_kept
from medseg.bundles.opened import open_configs
from medseg.bundles.predictor_parts import check_parts, split_loading, without_saving
from medseg.bundles.run import open_workflow
from medseg.bundles.weights_owner import own_provenance
from medseg.data.images.geometry import place_words
from medseg.data.images.picture import Picture
from medseg.data.images.volume import Volume
from medseg.data.label_kind import LabelKind
from medseg.data.manifest import Label
from medseg.errors import (
    DataError,
    MachineError,
    UsageError,
    causes_of,
    is_out_of_memory,
    unwrap_user_error,
)
from medseg.inference.engines.inferer import EngineInferer
from medseg.inference.forecast import Forecast, forecast
from medseg.inference.maps import VoxelMaps, require_probabilities
from medseg.inference.mirror import check_mirror_axes
from medseg.inference.sliding_labels import SlidingWindowLabels
from medseg.networks.provenance import Provenance
from medseg.networks.weights import load_weights

__all__ = ["SET_BY_OPTIONS", "Predictor", "SourceLabel", "open_predictor"]

# Config keys that `medseg predict` sets by options or by itself.
SET_BY_OPTIONS = ("ckpt_path", "datalist", "dataset_dir", "output_dir", "overwrite")


@dataclass(frozen=True, eq=False)
class SourceLabel:
    """A label in its source's grid.

    Attributes:
        array: `(I, J, K)`, or `(I, J)` of a picture; class indices or numbers of objects, uint8 or
            uint16.
        affine: `(4, 4)`, the source's; voxel indices to mm, RAS+.
    """

    array: NDArray[Any]
    affine: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictor:
    """A bundle, ready to predict; built by `open_predictor`.

    Attributes:
        name: Name of the bundle.
        version: Version of the bundle.
        labels: Meaning of each label value, the background first; with codes if the bundle's
            manifest has them.
        modality: Of the images, as the bundle's metadata has it, e.g. `CT`.
        body_part: DICOM's term for what they show, if the bundle's manifest has it.
        window: Image values displayed as black and white, or None.
        part_of: For a structure, the one that contains it, by name.
        channels: Channels of an image: 1, 3 for RGB pictures, or the number of its files.
        channel_names: Their names, where an image has several that are no colours.
        axes: Spatial axes of the network: 2 or 3.
        label_kind: What a label's values mean: classes, or numbers of objects of one class.
        loaded_as: Voxel type that the recipe loads; None for the stored type.
        recipe: Takes and returns `{"image": MetaTensor}`; the bundle's recipe without loading.
        finish: Takes and returns `{"pred": MetaTensor}`; the bundle's postprocessing without
            saving.
        inferer: The bundle's inferer, which returns labels.
        network: With its weights, in evaluation mode.
        device: Device of the network.
        provenance: Where the weights come from.
    """

    name: str
    version: str
    labels: tuple[Label, ...]
    modality: str
    body_part: str | None
    window: tuple[float, float] | None
    part_of: Mapping[str, str]
    channels: int
    channel_names: tuple[str, ...] = ()
    axes: int
    label_kind: LabelKind
    loaded_as: DTypeLike
    recipe: Callable[[dict[str, MetaTensor]], Any]
    finish: Callable[[dict[str, MetaTensor]], Any]
    inferer: Inferer
    network: nn.Module
    device: torch.device
    provenance: Provenance

    @property
    def class_names(self) -> tuple[str, ...]:
        """One for each label value, the background's first."""
        return tuple(label.name for label in self.labels)

    @property
    def engine(self) -> str | None:
        """Engine and precision, e.g. `openvino bf16`; None before the first label or if unknown."""
        return self.inferer.opened if isinstance(self.inferer, EngineInferer) else None

    def prepare(self, source: Volume | Picture) -> MetaTensor:
        """Preprocess a volume or a picture, into the grid of the network.

        Returns:
            `(C, *spatial)`, float32, with the source's grid in its metadata.

        Raises:
            DataError: If it is a picture and the network takes volumes, or the reverse.
            MachineError: If the memory does not suffice for it in that grid.
        """
        if isinstance(source, Picture) and self.axes == 3:
            raise DataError(f"is a picture; {self.name} takes volumes")
        if isinstance(source, Volume) and len(source.channels) != self.channels:
            raise DataError(self._channels_wanted(len(source.channels)))
        try:
            return self.recipe({"image": as_loaded(source, self.loaded_as)})["image"]
        except Exception as error:
            cause = next(filter(is_out_of_memory, causes_of(error)), None)
            if cause is None or isinstance(source, Picture):
                raise
            raise MachineError(
                "out of memory in the grid of the network: "
                f"{place_words(source.affine, source.shape)}; check the unit of its voxel sizes, "
                "or use a larger machine"
            ) from cause

    def _channels_wanted(self, count: int) -> str:
        if self.channel_names:
            line = channel_line(self.name, self.channel_names)
            return f"has {count} of the {self.channels} channels that {self.name} takes: {line}"
        return f"is a volume of one channel; {self.name} takes RGB pictures"

    def require_maps(self) -> None:
        """Check that the inferer can give maps beside its labels.

        Raises:
            UsageError: If it gives labels of another grid, or no probabilities.
        """
        inner = self.inferer.inferer if isinstance(self.inferer, EngineInferer) else self.inferer
        if not isinstance(inner, SlidingWindowLabels):
            raise UsageError("this bundle's inferer is not medseg's; remove --maps")
        require_probabilities(inner.gives, inner.interpolate)

    def forecast(self, image: MetaTensor) -> Forecast | None:
        """Forecast time and memory for a preprocessed image; None for inferers not of medseg."""
        return forecast(
            self.inferer, image, self.network, classes=len(self.labels), device=self.device
        )

    def label(self, image: MetaTensor, maps: VoxelMaps | None = None) -> SourceLabel:
        """Label a preprocessed image, in the grid of its source.

        Args:
            image: As `prepare` returns it.
            maps: Filled with class probabilities or entropy, in the same grid.

        Raises:
            MachineError: If the memory does not suffice for a single window.
            UsageError: If the bundle's inferer does not return labels.
        """
        batch = cast("MetaTensor", image.to(self.device)[None])
        with unwrap_user_error():
            asked = {} if maps is None else {"watch": maps}
            label = cast("Any", self.inferer)(batch, self.network, **asked)
            if not isinstance(label, MetaTensor) or label.shape[:2] != (1, 1):
                raise UsageError(
                    "the bundle's inferer must return labels of shape (1, 1, *spatial); use "
                    "medseg.inference.SlidingWindowLabels, directly or wrapped"
                )
            affine = np.asarray(label.affine, dtype=np.float64).reshape(4, 4)
            finished = self.finish({"pred": cast("MetaTensor", label[0])})["pred"]
        array = finished.as_tensor()[0].cpu().numpy()
        if array.dtype.kind not in "iu":
            raise UsageError(
                f"the bundle's inferer returns {array.dtype}, not labels; number objects in its "
                "postprocessing (medseg.inference.NumberCellsd), or use an inferer of labels"
            )
        return SourceLabel(array, affine)


def open_predictor(
    bundle: str | Path,
    *,
    weights: str | Path | None = None,
    pairs: Sequence[str] = (),
    overrides: Mapping[str, Any] | None = None,
    mirror_axes: Sequence[int] = (),
) -> Predictor:
    """Open a bundle: build the parts of its inference config and load its weights.

    Args:
        bundle: The bundle's folder.
        weights: A `.safetensors` file; the bundle's `models/model.safetensors` if None.
        pairs: `KEY=VALUE` texts from the user, which may not set keys of `overrides`.
        overrides: More overrides, as values, of keys that the config has.
        mirror_axes: Spatial axes of the network's grid for averaging over mirrored windows; the
            bundle's own if empty.

    Raises:
        MedsegError: For a bundle, an override or weights that cannot be used, in one line.
    """
    bundle = Path(bundle)
    _refuse_set_by_options(pairs)
    _check_keys(bundle, open_configs(bundle, ["inference"]).merged, overrides or {})
    weights = Path(weights or bundle / "models" / "model.safetensors").resolve()
    with excepthook_kept(), config_errors(), quiet_libraries():
        workflow = open_workflow(
            bundle,
            configs=["inference"],
            run_id="inferring",
            pairs=pairs,
            overrides={"ckpt_path": str(weights), **(overrides or {})},
            log="quiet",
        )
        parser = cast("Any", workflow).parser
        workflow.initialize()
        parts = {key: parser.get_parsed_content(key) for key in NEEDED}
        config = parser.get()
        may_be = {key: parser.get_parsed_content(key) if key in config else None for key in MAY_BE}
        check_parts(parts, may_be["window"])
        if mirror_axes:
            _mirror(parts["inferer"], mirror_axes)
        load_weights(parts["network"], weights)
    metadata = load_metadata(bundle / "configs" / "metadata.json")
    manifest = manifest_of(bundle, parts["class_names"])
    image = metadata.network_data_format.inputs["image"]
    window = may_be["window"]
    loading, recipe = split_loading(bundle, parts["preprocessing_steps"])
    return Predictor(
        name=metadata.name,
        version=metadata.version,
        labels=described_labels(manifest, parts["class_names"]),
        modality=image.modality,
        body_part=None if manifest is None else manifest.body_part,
        window=None if window is None else (float(window[0]), float(window[1])),
        part_of=may_be["part_of"] or {},
        channels=image.num_channels,
        channel_names=_several(bundle),
        axes=len(image.spatial_shape),
        label_kind=may_be["label_kind"] or "classes",
        loaded_as=loading.dtype,
        recipe=recipe,
        finish=without_saving(may_be["postprocessing"]),
        inferer=parts["inferer"],
        network=parts["network"].eval(),
        device=torch.device(parts["device"]),
        provenance=own_provenance(metadata, weights),
    )


def _several(bundle: Path) -> tuple[str, ...]:
    names = tuple(channel.name for channel in bundle_channels(bundle))
    return () if len(names) == 1 or are_colours(names) else names


def _mirror(inferer: Inferer, axes: Sequence[int]) -> None:
    inner = inferer.inferer if isinstance(inferer, EngineInferer) else inferer
    if not isinstance(inner, SlidingWindowLabels):
        raise UsageError("this bundle's inferer is not medseg's; remove --mirror")
    inner.mirror_axes = check_mirror_axes(axes, len(inner.window))


def _refuse_set_by_options(pairs: Sequence[str]) -> None:
    for pair in pairs:
        key = pair.partition("=")[0].replace("-", "_")
        if key in SET_BY_OPTIONS:
            raise UsageError(f"{key}: this command sets it; use its own option instead")


def _check_keys(bundle: Path, config: Mapping[str, Any], overrides: Mapping[str, Any]) -> None:
    missing = [key for key in (*NEEDED, *overrides) if key not in config]
    if missing:
        raise UsageError(f"{bundle}: its inference config has no {missing[0]}; add it")
