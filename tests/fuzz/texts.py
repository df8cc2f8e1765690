"""Manifests, metadata and configs: JSON and YAML, held against the plain parsers."""

import json
from functools import cache
from pathlib import Path
from random import Random

import monai.bundle.config_parser  # noqa: F401 - before processes are forked, as it takes seconds
import yaml

from medseg.bundles.configs import read_config
from medseg.bundles.metadata import load_metadata
from medseg.data.datalists import datalist
from medseg.data.manifest import load_manifest
from tests.conftest import REPOSITORY
from tests.fuzz.mutation import mutate_text
from tests.fuzz.target import Facts, Target

_CONFIGS = REPOSITORY / "bundles" / "covid_lung_ct_unet3d" / "configs"
_JSON = (
    "null",
    "true",
    "1e999",
    "NaN",
    "name",
    "value",
    "fold",
    "case",
    "image",
    "label",
    "training",
    "test",
    "version",
)
_YAML = (
    "&a",
    "*a",
    "<<",
    "!!python/object/apply:os.system",
    "!!binary",
    "!!set",
    "|",
    ">-",
    "@spacing_mm",
    "%run",
    "$1/0",
    "_target_",
    "null",
    ".inf",
    "window",
    "2026-11-29",
    "0o7",
    "~",
    "? ",
    "- -",
    "{a: {b: {c: 1}}}",
    "patch_size",
)


@cache
def manifest_corpus() -> dict[str, bytes]:
    shipped = json.loads((_CONFIGS / "covid19_ct_seg.json").read_text(encoding="utf-8"))
    few = {**shipped, "training": shipped["training"][:3], "test": shipped.get("test", [])[:1]}
    return {"manifest.json": json.dumps(few, indent=1).encode()}


@cache
def metadata_corpus() -> dict[str, bytes]:
    return {"metadata.json": (_CONFIGS / "metadata.json").read_bytes()}


@cache
def config_corpus() -> dict[str, bytes]:
    names = ("train.yaml", "inference.yaml", "multi_gpu_train.yaml")
    return {name: (_CONFIGS / name).read_bytes() for name in names}


def mutate_json(rng: Random, data: bytes) -> bytes:
    if rng.random() < 0.05:
        return b"[" * 100_000 + data
    if rng.random() < 0.05:
        return data.replace(b": ", b": " + b"9" * 5000, 1)
    return mutate_text(rng, data, words=_JSON)


def mutate_yaml(rng: Random, data: bytes) -> bytes:
    if rng.random() < 0.03:
        levels = [b"a0: &a0 [x, x]"]
        levels += [b"a%d: &a%d [*a%d, *a%d]" % (n, n, n - 1, n - 1) for n in range(1, 60)]
        return data + b"\n" + b"\n".join(levels)
    if rng.random() < 0.03:
        return data + b"\nself: &self [*self]\n"
    return mutate_text(rng, data, words=_YAML)


def our_manifest(path: Path) -> Facts:
    manifest = load_manifest(path)
    try:
        datalist(manifest, str(path.parent), split="training", fold=0)
    except ValueError as error:
        # None of its images is there.
        if "not there" not in str(error) and "no such" not in str(error):
            raise
    return {"names": manifest.class_names, "cases": [case.case for case in manifest.training]}


def plain_manifest(path: Path) -> Facts:
    found = json.loads(path.read_text(encoding="utf-8-sig"))
    names = [label["name"] for label in found["labels"]]
    return {"names": names, "cases": [case["case"] for case in found["training"]]}


def our_metadata(path: Path) -> Facts:
    metadata = load_metadata(path)
    image = metadata.network_data_format.inputs["image"]
    return {"name": metadata.name, "version": metadata.version, "channels": image.num_channels}


def plain_metadata(path: Path) -> Facts:
    found = json.loads(path.read_text(encoding="utf-8-sig"))
    image = found["network_data_format"]["inputs"]["image"]
    return {"name": found["name"], "version": found["version"], "channels": image["num_channels"]}


def our_config(path: Path) -> Facts:
    # MONAI adds a place for metadata.
    return {"keys": {str(key) for key in read_config([str(path)])} - {"_meta_"}}


def plain_config(path: Path) -> Facts:
    found = yaml.safe_load(path.read_bytes())
    # MONAI merges `a#b` into `a`.
    return {"keys": {str(key).replace("#", "::").partition("::")[0] for key in found} - {"_meta_"}}


MANIFEST = Target(
    name="manifest",
    corpus=manifest_corpus,
    mutate=mutate_json,
    ours=our_manifest,
    independent=plain_manifest,
)
METADATA = Target(
    name="metadata",
    corpus=metadata_corpus,
    mutate=mutate_json,
    ours=our_metadata,
    independent=plain_metadata,
)
CONFIG = Target(
    name="config",
    corpus=config_corpus,
    mutate=mutate_yaml,
    ours=our_config,
    independent=plain_config,
    stricter=(("but got '?'", "libyaml takes a question mark within a word"),),
)
