"""Smaller bundle: a copy of a bundle around a pruned network, as any other bundle is.

Its configs state the widths, so that it trains; its metadata hold a new version, and the scores
that were measured; its card says what it is a copy of. What the card says by hand of the larger
network stays, and is named as that.
"""

import inspect
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from medseg._files import write_atomically
from medseg.bundles.metadata import load_metadata
from medseg.bundles.plain_yaml import parse_config
from medseg.errors import UsageError
from medseg.networks.unet import UNet
from medseg.networks.weights_file import header_object, read_weights_header

__all__ = ["write_smaller_bundle"]

METADATA, CARD = "configs/metadata.json", "docs/README.md"
_NOT_COPIED = ("eval", "models", "runs", "golden", ".medseg-lock", "__pycache__")
_OUT_CHANNELS = '"$len(@class_names)"'
_BLOCK = re.compile(r"^network_def:\n(?: .*\n)+", re.MULTILINE)
_DEFAULT = re.compile(r"^  default: \{.*\}$", re.MULTILINE)


def write_smaller_bundle(
    bundle: Path,
    out: Path,
    *,
    weights: Path,
    scores: Mapping[str, Any],
    note: str,
) -> Path:
    """Write the smaller bundle; a folder that is there already is refused.

    Args:
        bundle: Folder of the larger one.
        out: Folder of the smaller one, whose name should be the bundle's.
        weights: Of the pruned network; their header describes it.
        scores: For the metadata: see `medseg.bundles.scores.Scores`.
        note: What was done, in a line, for changelog and card.

    Raises:
        UsageError: If `out` exists, or a config does not state its network as medseg's do.
    """
    if out.exists():
        raise UsageError(f"{out} already exists; remove it, or give another --out")
    settings = header_object(read_weights_header(weights), "settings")
    texts = {
        "configs/train.yaml": _train_config(bundle / "configs/train.yaml", settings),
        "configs/inference.yaml": _inference_config(bundle / "configs/inference.yaml", settings),
        METADATA: _metadata(bundle / METADATA, scores, note),
        CARD: _card(bundle, note),
    }
    part = out.with_name(f".{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(bundle, part, ignore=shutil.ignore_patterns(*_NOT_COPIED))
    for name, text in texts.items():
        write_atomically(part / name, partial(Path.write_text, data=text, encoding="utf-8"))
    (part / "models").mkdir()
    shutil.copyfile(weights, part / "models" / "model.safetensors")
    # Complete, or not there.
    part.rename(out)
    return out


def _train_config(path: Path, settings: Mapping[str, Any]) -> str:
    text = _text(path)
    config = parse_config(text, path)
    lines = ["network_def:", "  _target_: medseg.networks.UNet"]
    lines += [f"  {name}: {value}" for name, value in _arguments(settings["network"])]
    if not _BLOCK.search(text):
        raise UsageError(f"{path}: states no network_def of its own; a smaller one cannot be named")
    text = _BLOCK.sub(lambda _: "\n".join(lines) + "\n", text, count=1)
    for name, value in settings.items():
        if name in config and config[name] != value and not isinstance(config[name], str):
            text = re.sub(
                rf"^{name}: [^#\n]*?(?=\s*(#|$))",
                lambda _, name=name, value=value: f"{name}: {_flow(value)}",
                text,
                count=1,
                flags=re.MULTILINE,
            )
    return text


def _inference_config(path: Path, settings: Mapping[str, Any]) -> str:
    text = _text(path)
    block = _BLOCK.search(text)
    pairs = ", ".join(f"{name}: {value}" for name, value in _arguments(settings["network"]))
    if block is None or not _DEFAULT.search(block[0]):
        raise UsageError(
            f"{path}: its network_def has no line 'default: {{...}}' (medseg.networks."
            "trained_network); a smaller network cannot be named"
        )
    changed = _DEFAULT.sub(lambda _: f"  default: {{{pairs}}}", block[0], count=1)
    return text[: block.start()] + changed + text[block.end() :]


def _arguments(described: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Arguments of the network as YAML, without those that have their default."""
    defaults = {name: one.default for name, one in inspect.signature(UNet).parameters.items()}
    unused = ("first_width", "growth", "max_width") if described["widths"] else ()
    always = ("depth", "norm", "norm_kind")
    return [
        (name, _OUT_CHANNELS if name == "out_channels" else _flow(value))
        for name, value in described.items()
        if name in defaults and name not in unused and (name in always or value != defaults[name])
    ]


def _metadata(path: Path, scores: Mapping[str, Any], note: str) -> str:
    known = load_metadata(path)
    major, minor, _ = known.version.split(".")
    version = f"{major}.{int(minor) + 1}.0"
    content = json.loads(path.read_text(encoding="utf-8"))
    rows: Sequence[Mapping[str, Any]] = scores["rows"]
    changed = {
        "version": version,
        "changelog": {version: note, **content["changelog"]},
        "eval_metrics": {
            f"{row['metric']}_{re.sub('[^a-z0-9]+', '_', row['of'])}": row["value"] for row in rows
        },
        "scores": dict(scores),
    }
    return json.dumps({**content, **changed}, indent=4, ensure_ascii=False) + "\n"


def _card(bundle: Path, note: str) -> str:
    path = bundle / CARD
    text = _text(path) if path.is_file() else f"# {bundle.name}\n"
    own = load_metadata(bundle / METADATA)
    told = (
        f"> **Smaller copy of {own.name} {own.version}**: {note}. The scores under `facts` are of "
        "this network; what is written by hand below, tables included, is of the larger one.\n"
    )
    head = re.search(r"^# .*\n", text, re.MULTILINE)
    at = head.end() if head else 0
    return f"{text[:at]}\n{told}{text[at:]}"


def _flow(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000)
    # A document's end follows a plain value.
    return text.removesuffix("...\n").strip()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be read ({error.strerror}); a smaller bundle is a copy of one with "
            "train.yaml and inference.yaml"
        ) from error
