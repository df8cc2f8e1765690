"""New bundle from another: its recipe, network and training, names and cases of the user's own.

Nothing is measured: the other bundle's numbers stay. What is changed are whole lines that begin
with a key, so that comments and order stay as people know them.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from medseg.bundles.judgement.snapshot import MOST_BYTES
from medseg.bundles.judgement.tree import read_regular
from medseg.bundles.opened import open_configs
from medseg.bundles.writing.flow import flow
from medseg.bundles.writing.new_card import data_licence, new_card
from medseg.bundles.writing.new_metadata import FIRST_VERSION, METADATA_SCHEMA, NOT_STATED
from medseg.bundles.writing.write import copied
from medseg.data.manifest import Manifest, load_manifest, manifest_text
from medseg.errors import ManifestError, UsageError

__all__ = ["Own", "from_bundle", "manifest_of"]

_CONFIGS = ("train", "inference", "evaluate", "multi_gpu_train")
_DATASET = (
    'dataset_dir: {_target_: medseg.data.known_dataset_dir, manifest_file: "$@bundle_root '
    "+ '/configs/%s.json'\", "
    "otherwise: data}  # or a folder"
)
_WEIGHTS = "ckpt_dir: \"$@bundle_root + '/models'\"  # best weights, where predict looks for them"


@dataclass(frozen=True, kw_only=True)
class Own:
    """What the new bundle has of its own: its name, and a manifest with its classes and cases."""

    name: str
    manifest: Manifest


def manifest_of(bundle: Path) -> Manifest:
    """The manifest that a bundle trains by.

    Raises:
        UsageError: If it has none of medseg's.
    """
    for path in sorted((bundle / "configs").glob("*.json")):
        try:
            return load_manifest(path)
        except ManifestError:
            continue
    raise UsageError(f"{bundle}: has no manifest in configs/, so it is no bundle to begin from")


def from_bundle(bundle: Path, own: Own) -> dict[str, str]:
    """All files of a new bundle, by their path in it.

    Args:
        bundle: The other one's folder.
        own: Name and manifest of the new one.

    Raises:
        UsageError: If the other bundle is none of medseg's, or does not fit the user's data.
        NeedsTrustError: If it is neither safe nor trusted.
    """
    base = manifest_of(bundle)
    _require_fit(bundle, base, own.manifest)
    texts = {name: _text(bundle, f"configs/{name}.yaml") for name in _CONFIGS}
    axes = int(open_configs(bundle, ["train"]).merged["network_def"]["spatial_dims"])
    recipe = (
        f"That of `{bundle.resolve().name}`, whose numbers were chosen for other data; see "
        "`configs/train.yaml`."
    )
    return {
        "LICENSE": _text(bundle, "LICENSE"),
        "configs/logging.conf": copied("logging.conf"),
        "configs/metadata.json": _metadata(bundle, own),
        f"configs/{own.manifest.name}.json": manifest_text(own.manifest),
        "configs/train.yaml": _train(texts["train"], base, own),
        "configs/inference.yaml": _used(texts["inference"], own),
        "configs/evaluate.yaml": _used(texts["evaluate"], own),
        "configs/multi_gpu_train.yaml": texts["multi_gpu_train"],
        "docs/README.md": new_card(own.name, own.manifest, axes, recipe),
        "docs/data_license.txt": data_licence(own.manifest),
    }


def _require_fit(bundle: Path, base: Manifest, own: Manifest) -> None:
    if len(base.channels) != len(own.channels):
        raise UsageError(
            f"{bundle}: takes {len(base.channels)} channel(s), {own.name} has "
            f"{len(own.channels)}; begin from another bundle, "
            "or plan one: medseg plan"
        )
    if base.label_kind != own.label_kind:
        raise UsageError(
            f"{bundle}: its labels are {base.label_kind}, those of {own.name} "
            f"{own.label_kind}; begin from another "
            "bundle, or plan one: medseg plan"
        )


def _text(bundle: Path, file: str) -> str:
    path = bundle / file
    if not path.is_file():
        raise UsageError(
            f"{bundle}: has no {file}, so it is no bundle to begin from; try medseg plan"
        )
    return read_regular(path, MOST_BYTES).decode("utf-8")


def _train(text: str, base: Manifest, own: Own) -> str:
    head, _, rest = text.partition("\n")
    text = (
        f"# Train {own.name}; begun from: "
        f"{head.removeprefix('# Train ').removeprefix('# ')}\n{rest}"
    )
    text = text.replace(f"/configs/{base.name}.json'", f"/configs/{own.manifest.name}.json'")
    text = _line(
        text,
        "class_names",
        f"class_names: {flow(own.manifest.class_names)}  # one for each label value, from 0",
    )
    text = _line(text, "dataset_dir", _DATASET % own.manifest.name)
    return _line(text, "ckpt_dir", _WEIGHTS)


def _used(text: str, own: Own) -> str:
    """An inference or evaluation config: its classes by default; no part of another structure."""
    names = flow(own.manifest.class_names)
    text = re.sub(
        r"(?m)^(class_names: .*default: )\[.*\]\}", lambda found: f"{found[1]}{names}}}", text
    )
    # Evaluation takes the folder of the weights from the training here.
    text = re.sub(r"(?m)^ckpt_dir: .*\n", "", text) if "%run" in text and "split:" in text else text
    return re.sub(r"(?m)^part_of: .*\n\n?", "", text)


def _line(text: str, key: str, line: str) -> str:
    changed, count = re.subn(rf"(?m)^{key}: .*$", lambda _: line, text, count=1)
    if not count:
        raise UsageError(
            f"its train.yaml has no key {key}, so it is no bundle to begin from; try medseg plan"
        )
    return changed


def _metadata(bundle: Path, own: Own) -> str:
    content = cast("dict[str, Any]", json.loads(_text(bundle, "configs/metadata.json")))
    names = own.manifest.class_names
    what = ", ".join(names[1:])
    content.update(
        schema=METADATA_SCHEMA,
        version=FIRST_VERSION,
        changelog={
            FIRST_VERSION: (
                f"begun from {content.get('name')} {content.get('version')}; not trained yet"
            )
        },
        name=own.name,
        task=f"Segmentation of {what} in {own.manifest.modality}",
        description=f"The network of {content.get('name')}, for {what} in {own.manifest.modality}.",
        authors=NOT_STATED,
        copyright=NOT_STATED,
        data_source=own.manifest.source,
        label_classes=", ".join(f"{value} {name}" for value, name in enumerate(names)),
        pred_classes=f"logits of {len(names)} channels: {', '.join(names)}",
        intended_use="Research and teaching; not for diagnosis",
    )
    for key in ("scores", "eval_metrics"):
        content.pop(key, None)
    _describe(content["network_data_format"], own.manifest)
    return json.dumps(content, indent=4, ensure_ascii=False) + "\n"


def _describe(formats: Mapping[str, Any], manifest: Manifest) -> None:
    pred = formats["outputs"]["pred"]
    pred["num_channels"] = len(manifest.class_names)
    pred["channel_def"] = {str(value): name for value, name in enumerate(manifest.class_names)}
    formats["inputs"]["image"]["modality"] = manifest.modality
