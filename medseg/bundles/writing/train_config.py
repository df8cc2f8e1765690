"""Text of a new bundle's `train.yaml`, in the parts and with the comments of the shipped ones."""

from collections.abc import Iterator, Mapping
from typing import Any

from medseg.bundles.writing.common_text import line, manifest_line, with_copies
from medseg.bundles.writing.draft import Draft, modalities
from medseg.bundles.writing.flow import flow
from medseg.bundles.writing.recipe_keys import recipe_keys, setting_names

__all__ = ["train_config"]

_COMMENTS = {
    "norm": "none, one, both: after how many of a block's convolutions",
    "norm_kind": "or batch, group",
    "batch_size": "patches",
    "schedule": "decays with every iteration; or plateau, one_cycle, constant",
    "early_stop_patience": "or the number of validations without a better score after which "
    "training stops",
    "max_minutes": "or a time limit; docs/plan.md says how long this takes",
    "val_interval": "epochs between validations",
    "precision": "bf16 if the processor supports it, else fp32; or fp16, with loss scaling, "
    "on GPUs",
    "cache": "where preprocessed cases are kept; or memory, disk, none",
}
_SECTIONS = "preprocessing_steps, label_steps, augmentation_steps"


def train_config(draft: Draft) -> str:
    """The text of `train.yaml`."""
    lines = [
        *_files(draft),
        *_segmented(draft),
        "# --- What the network sees",
        *_seen(draft),
        "",
        "# --- The network, the loss, the optimiser",
        *_network(draft),
        "",
        "# --- How it is trained",
        *(_noted(draft, key, value) for key, value in draft.training.items()),
        "device: {_target_: medseg.networks.default_device}",
        "# --- part control (a copy: edit bundles/common.yaml)",
        "# --- end of part",
        *(_noted(draft, f"control#{key}", value) for key, value in draft.control.items()),
        f"# --- recipe {draft.recipe}: {_SECTIONS} (a copy: edit transforms/{draft.recipe}.yaml)",
        "# --- end of recipe",
        "# What inference has to repeat; it is saved in the header of the weights.",
        *_settings(draft),
        "",
        "# --- part training (a copy: edit bundles/common.yaml)",
        "# --- end of part",
        *_weighted(draft),
    ]
    return with_copies("\n".join(lines) + "\n")


def _files(draft: Draft) -> Iterator[str]:
    what = ", ".join(draft.class_names[1:])
    yield f"# Train {draft.name}: {what} in {modalities(draft.manifest)}."
    yield f"#   medseg train {draft.name}"
    yield (
        "#   python -m monai.bundle run training --config_file .../configs/train.yaml "
        "--dataset_dir DIR --epochs 100"
    )
    yield (
        "# `medseg train BUNDLE --keys` lists every key with its meaning. Plain MONAI takes a "
        "nested key by its path: --control#ema 0.999."
    )
    yield (
        "# --- Files and folders. Where the data set lies is noted by `medseg plan`, for its "
        "own user alone."
    )
    yield "bundle_root: {_target_: medseg.bundles.find_bundle_root}"
    yield manifest_line(draft)
    yield (
        "dataset_dir: {_target_: medseg.data.known_dataset_dir, manifest_file: "
        '"@manifest_file", otherwise: data}  # or a folder'
    )
    yield "output_dir: \"$@bundle_root + '/eval'\""
    yield "ckpt_dir: \"$@bundle_root + '/models'\"  # best weights, where predict looks for them"
    yield (
        "start: fresh  # or resume: continue from the newest checkpoint, on a CPU to the same "
        "weights as uninterrupted"
    )
    yield "overwrite: refuse  # or replace: weights and checkpoints of an earlier training"
    yield (
        "quick: false  # or true: a trial run in a minute or two, with files in folders named quick"
    )
    yield ""


def _segmented(draft: Draft) -> Iterator[str]:
    yield "# --- What is segmented"
    yield 'manifest: {_target_: medseg.data.load_manifest, path: "@manifest_file"}'
    yield line("class_names", draft.class_names, "one for each label value, from 0")
    yield "fold: 0  # the fold held out for validation"
    yield ""


def _seen(draft: Draft) -> Iterator[str]:
    for key, value in recipe_keys(draft):
        comment = key.comment.replace("{unit}", draft.manifest.channels[0].unit)
        yield line(key.name, value, draft.notes.get(key.name, comment))


def _network(draft: Draft) -> Iterator[str]:
    yield "network_def:"
    yield "  _target_: medseg.networks.UNet"
    for key, value in _network_arguments(draft).items():
        note = draft.notes.get(f"network_def#{key}", _COMMENTS.get(key, ""))
        yield "  " + line(key, value, note)
    yield (
        'network: {_target_: medseg.networks.place_network, network: "@network_def", device: '
        '"@device"}'
    )
    yield line("loss", draft.loss, draft.notes.get("loss", ""))
    target, *_ = (draft.optimizer["_target_"],)
    rest = {key: value for key, value in draft.optimizer.items() if key != "_target_"}
    more = "".join(f", {key}: {flow(value)}" for key, value in rest.items())
    yield (
        "optimizer: "
        f'{{_target_: {target}, params: "$@network.parameters()", lr: "@learning_rate"{more}}}'
    )


def _network_arguments(draft: Draft) -> Mapping[str, Any]:
    given = dict(draft.network)
    dims = given.pop("spatial_dims")
    fixed = {"in_channels": draft.input_channels, "out_channels": "$len(@class_names)"}
    return {"spatial_dims": dims, **fixed, **given}


def _noted(draft: Draft, key: str, value: Any) -> str:
    return line(key, value, draft.notes.get(key, _COMMENTS.get(key, "")))


def _settings(draft: Draft) -> Iterator[str]:
    plain = {"scales": '{_target_: medseg.transforms.scale_settings, scales: "@scales"}'}
    pairs = [f"{name}: " + plain.get(name, f'"@{name}"') for name in setting_names(draft)]
    yield "settings: {" + ", ".join(pairs) + ","
    yield '  network: "$@network_def.describe()"}'


def _weighted(draft: Draft) -> Iterator[str]:
    if draft.validated_on == "training":
        yield (
            "val_cases#split: training  # one patient: the scores are of what was trained on, "
            "and say nothing of others"
        )
    if draft.cells is not None:
        yield (
            "train#trainer#prepare_batch: {_target_: medseg.training.WeightedBatch}  # the "
            "weight map goes with the label"
        )
