"""Text that several configs of a new bundle share: comments, settings, places of copies."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from medseg.bundles.marked_text import filled
from medseg.bundles.writing.draft import Draft
from medseg.bundles.writing.flow import flow
from medseg.bundles.writing.recipe_keys import recipe_keys

__all__ = [
    "COPIES",
    "ENGINE_LINES",
    "line",
    "manifest_line",
    "number_cells_lines",
    "setting_lines",
    "with_copies",
]

COPIES = Path(__file__).parent / "copies"
ENGINE = (
    "engine: auto  # inference engine; or torch, openvino; auto is checked against torch in fp32"
)
ENGINE_LINES = [
    ENGINE,
    "precision: auto  # or fp32, bf16, fp16; auto is bf16 if the processor supports it",
    (
        "compile: none  # or default, reduce-overhead, max-autotune: torch.compile, for the "
        "engine torch only"
    ),
    "num_workers: 0",
    "device: {_target_: medseg.networks.default_device}",
]


def with_copies(config: str) -> str:
    """A config with its recipe and the common parts, from the copies in the package."""

    def recipe_text(name: str) -> str:
        return (COPIES / f"{name}.yaml").read_text(encoding="utf-8")

    common = (COPIES / "common.yaml").read_text(encoding="utf-8")
    return filled(config, recipe_text, common, origin="bundles/common.yaml")


def manifest_line(draft: Draft) -> str:
    """Where the bundle has its manifest."""
    path = f"$@bundle_root + '/configs/{draft.manifest.name}.json'"
    return f'manifest_file: "{path}"  # cases, their files and folds'


def line(key: str, value: Any, comment: str = "") -> str:
    """A key with its value, and a comment if there is one."""
    return f"{key}: {flow(value)}" + (f"  # {comment}" if comment else "")


def setting_lines(draft: Draft) -> Iterator[str]:
    """Yield a line for each setting, which the weights know; with the training's default."""
    settings: list[tuple[str, Any]] = [("class_names", draft.class_names)]
    settings += [(key.name, value) for key, value in recipe_keys(draft) if key.role == "setting"]
    for name, default in settings:
        yield (
            f"{name}: "
            f'{{_target_: medseg.networks.trained_setting, path: "@ckpt_path", name: {name}, '
            f"default: {flow(default)}}}"
        )


def number_cells_lines(folder: str, arguments: str) -> list[str]:
    """Steps that refuse rules of parts, number the objects of a probability, and save them."""
    return [
        (
            '  - {_target_: medseg.inference.KeepPartsd, keys: pred, class_names: "@class_names", '
            'keep_largest: "@kept_parts#keep_largest", smallest: "@kept_parts#smallest"}'
        ),
        f"  - {{_target_: medseg.inference.NumberCellsd, keys: pred, {arguments}}}",
        (
            f'  - {{_target_: medseg.inference.SaveLabeld, keys: pred, output_dir: "@{folder}", '
            'overwrite: "@overwrite"}'
        ),
    ]
