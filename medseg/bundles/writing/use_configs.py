"""Texts of a new bundle's `inference.yaml`, `evaluate.yaml` and `multi_gpu_train.yaml`."""

from collections.abc import Iterator

from medseg.bundles.writing.common_text import (
    ENGINE_LINES,
    line,
    manifest_line,
    number_cells_lines,
    setting_lines,
    with_copies,
)
from medseg.bundles.writing.draft import Draft, modalities
from medseg.bundles.writing.flow import flow
from medseg.bundles.writing.recipe_keys import recipe_keys

__all__ = ["evaluate_config", "inference_config", "several_processes_config"]

_WINDOW_BATCH = "window_batch: \"$8 if 'cuda' in str(@device) else 1\""


def inference_config(draft: Draft) -> str:
    """The text of `inference.yaml`."""
    network = {"spatial_dims": draft.axes, "in_channels": draft.input_channels}
    network |= {"out_channels": "$len(@class_names)"}
    network |= {key: value for key, value in draft.network.items() if key != "spatial_dims"}
    lines = [
        (
            f"# Predict {', '.join(draft.class_names[1:])} in {modalities(draft.manifest)}: an "
            "image in, a label in its own grid out."
        ),
        "#",
        (
            "#   python -m monai.bundle run inferring --config_file .../configs/inference.yaml "
            "--dataset_dir DIR --output_dir OUT"
        ),
        "#",
        "# Self-contained: tools such as MONAI Label read no other config.",
        "bundle_root: {_target_: medseg.bundles.find_bundle_root}",
        "dataset_dir: data",
        *_datalist(draft),
        "output_dir: \"$@bundle_root + '/eval'\"",
        "overwrite: refuse  # or replace: existing labels",
        "ckpt_path: \"$@bundle_root + '/models/model.safetensors'\"",
        "",
        (
            "# Settings that the weights were trained with; the defaults apply if there are no "
            "weights yet."
        ),
        *setting_lines(draft),
        "network_def:",
        "  _target_: medseg.networks.trained_network",
        '  path: "@ckpt_path"',
        f"  default: {flow(network)}",
        "",
        *_cells(draft),
        *_keys(draft),
        "overlap: 0.5",
        _WINDOW_BATCH,
        "skip: null  # or a rule for windows that can be skipped",
        *ENGINE_LINES,
        "",
        f"recipe: {draft.recipe}",
        (
            f"# --- recipe {draft.recipe}: preprocessing_steps (a copy: edit "
            f"transforms/{draft.recipe}.yaml)"
        ),
        "# --- end of recipe",
        "",
        "# --- part inferring (a copy: edit bundles/common.yaml)",
        "# --- end of part",
        *_numbered(draft),
    ]
    return with_copies("\n".join(lines) + "\n")


def _datalist(draft: Draft) -> Iterator[str]:
    if draft.recipe != "several_channels":
        yield 'datalist: {_target_: medseg.data.list_images, folder: "@dataset_dir"}'
        return
    # The manifest says how the files of each channel are named.
    yield manifest_line(draft)
    listed = 'folder: "@dataset_dir", manifest: "@manifest_file"'
    yield f"datalist: {{_target_: medseg.data.list_images, {listed}}}"


def _cells(draft: Draft) -> Iterator[str]:
    if draft.cells is None:
        return
    yield "# --- From the probability to numbered objects"
    yield "label_kind: instances"
    yield line("threshold", draft.cells.threshold, "pixels of a higher probability are object")
    yield line(
        "waist_px",
        draft.cells.waist_px,
        "two peaks of a piece are two objects if the saddle between them is lower by this much",
    )
    yield line("least_px", draft.cells.least_px, "smaller objects are removed")
    yield line("largest_hole_px", draft.cells.largest_hole_px, "holes up to this size are filled")
    yield ""


def _keys(draft: Draft) -> Iterator[str]:
    for key, value in recipe_keys(draft):
        if key.role == "both":
            here = value if key.elsewhere is None else key.elsewhere
            yield line(key.name, here, key.elsewhere_comment)


def _numbered(draft: Draft) -> Iterator[str]:
    if draft.cells is None:
        return
    arguments = (
        'threshold: "@threshold", waist_px: "@waist_px", least_px: "@least_px", '
        'largest_hole_px: "@largest_hole_px"'
    )
    yield "# Instead of a label of two classes: the probability, then numbered objects."
    yield "inferer#inferer#gives: foreground"
    yield "postprocessing#transforms:"
    yield from number_cells_lines("output_dir", arguments)


def evaluate_config(draft: Draft) -> str:
    """The text of `evaluate.yaml`."""
    lines = [
        (
            "# Score the trained network on cases it did not see, in the images' own grid. "
            "Merged over train.yaml:"
        ),
        "#",
        f"#   medseg train {draft.name} --config train --config evaluate --run-id evaluating",
        f"split: {draft.validated_on}  # or test",
        "ckpt_path: \"$@ckpt_dir + '/model.safetensors'\"",
        *_without_label(draft),
        "val_overlap: 0.5",
        _WINDOW_BATCH
        + "  # as in inference.yaml: sums differ in their last bit by the size of a batch",
        "skip: null  # as in inference.yaml",
        ENGINE_LINES[0],
        *setting_lines(draft),
        "# --- part evaluating (a copy: edit bundles/common.yaml)",
        "# --- end of part",
        *_numbered_there(draft),
    ]
    return with_copies("\n".join(lines) + "\n")


def _without_label(draft: Draft) -> Iterator[str]:
    if draft.axes == 3:
        yield "# The label is not resampled: predictions are scored in the image's own grid."
        yield "keys: [image]"
        yield "interpolation: [bilinear]"


def _numbered_there(draft: Draft) -> Iterator[str]:
    if draft.cells is None:
        return
    cells = draft.cells
    numbers = {
        "threshold": cells.threshold,
        "waist_px": cells.waist_px,
        "least_px": cells.least_px,
        "largest_hole_px": cells.largest_hole_px,
    }
    yield (
        "validate#inferer#inferer#gives: foreground  # the probability, then numbered objects; as "
        "in inference.yaml"
    )
    yield "validate#postprocessing#transforms:"
    yield from number_cells_lines("predictions_dir", flow(numbers)[1:-1])


def several_processes_config() -> str:
    """The text of `multi_gpu_train.yaml`."""
    lines = [
        "# Several processes, one per GPU (or gloo on CPUs). Merged over train.yaml:",
        "#",
        (
            "#   torchrun --standalone --nproc_per_node=2 -m monai.bundle run training "
            "--config_file \"['.../train.yaml','.../multi_gpu_train.yaml']\" --dataset_dir DIR"
        ),
        "# --- part several_processes (a copy: edit bundles/common.yaml)",
        "# --- end of part",
    ]
    return with_copies("\n".join(lines) + "\n")
