"""Contract of MONAI bundles: what a bundle promises to MONAI's tools, checked without a network.

Files, metadata, properties of the workflows and traps of the config language are read as plain
data, by MONAI's own tables; of it only the network is built, and only after the bundle was judged.
MONAI's own `verify_metadata` downloads its schema. Here the rules are `bundles.metadata`'s; with a
copy of the schema, MONAI's function is asked as well.
"""

import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from medseg._quiet import quiet_libraries
from medseg.bundles.config_traps import config_traps
from medseg.bundles.judgement.door import require_runnable
from medseg.bundles.metadata import load_metadata
from medseg.bundles.plain_yaml import read_config_file
from medseg.errors import DataError, MedsegError, UsageError

__all__ = ["Breach", "check_contract", "missing_properties", "network_breaches", "schema_breaches"]

METADATA = "configs/metadata.json"
# MONAI's specification of bundles; a workflow has one of the configs, as YAML or as JSON.
_FILES = ("LICENSE", METADATA, "docs/README.md")
_WORKFLOWS = ("train", "inference")


@dataclass(frozen=True)
class Breach:
    """A promise that is not kept: in which file of the bundle, and what is wrong, in a line."""

    file: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}: {self.text}"


def check_contract(bundle: str | Path, schema: str | Path | None = None) -> list[Breach]:
    """Check all promises of a bundle to MONAI's tools.

    Args:
        bundle: The bundle's folder.
        schema: A copy of MONAI's JSON schema of metadata, for `verify_metadata`.

    Raises:
        DataError: If it is no bundle's folder.
        MedsegError: If the bundle may not run, so that its network cannot be built.
    """
    bundle = Path(bundle)
    if not (bundle / "configs").is_dir():
        raise DataError(f"{bundle}: no bundle there, as it has no configs/; give its folder")
    breaches = [Breach(name, "is missing") for name in _FILES if not (bundle / name).is_file()]
    configs = _configs(bundle)
    if not configs:
        breaches.append(Breach("configs", "holds neither a train nor an inference config"))
    for file, name in configs.items():
        try:
            content = read_config_file(bundle / file)
        except UsageError as error:
            breaches.append(Breach(file, _told(error, bundle)))
            continue
        breaches.extend(Breach(file, trap) for trap in config_traps(content))
        if name in _WORKFLOWS:
            breaches.extend(Breach(file, one) for one in missing_properties(content, name))
    if METADATA not in {breach.file for breach in breaches}:
        breaches.extend(_metadata_breaches(bundle, schema))
    # Of a bundle that breaks the rest, it may not be there to be built.
    return breaches or network_breaches(bundle)


def _configs(bundle: Path) -> dict[str, str]:
    """The configs that MONAI's tools run, and their names: YAML, or JSON where there is none."""
    found = {
        path.stem: f"configs/{path.name}"
        for end in ("json", "yml", "yaml")
        for path in sorted((bundle / "configs").glob(f"*.{end}"))
        if path.stem in (*_WORKFLOWS, "evaluate", "multi_gpu_train")
    }
    return {file: name for name, file in found.items()}


def _metadata_breaches(bundle: Path, schema: str | Path | None) -> list[Breach]:
    breaches: list[Breach] = []
    try:
        load_metadata(bundle / METADATA)
    except DataError as error:
        breaches.append(Breach(METADATA, _told(error, bundle)))
    return breaches + ([] if schema is None else schema_breaches(bundle, schema))


def schema_breaches(bundle: Path, schema: str | Path) -> list[Breach]:
    """What MONAI's `verify_metadata` says of a bundle's metadata, with a copy of its schema.

    Raises:
        DataError: If the schema cannot be read.
    """
    from monai.bundle import scripts

    with TemporaryDirectory(prefix="medseg-") as folder:
        # MONAI skips the download where the file is there.
        copy = Path(folder) / "schema.json"
        try:
            shutil.copyfile(schema, copy)
        except OSError as error:
            raise DataError(f"{schema}: cannot be read ({error.strerror})") from error
        told = _complaint(
            lambda: cast("Any", scripts).verify_metadata(
                meta_file=str(bundle / METADATA), filepath=str(copy)
            )
        )
    return [] if told is None else [Breach(METADATA, f"MONAI's verify_metadata: {told}")]


def network_breaches(bundle: Path) -> list[Breach]:
    """What MONAI's `verify_net_in_out` says: the network takes and gives what the metadata say.

    The network is built, so the bundle is judged first.

    Raises:
        NeedsTrustError: If it is not safe, and this user has not trusted it.
        RefusedError: If no trust suffices.
    """
    file = next((file for file, name in _configs(bundle).items() if name == "inference"), None)
    if file is None or not (bundle / METADATA).is_file():
        return []
    require_runnable(bundle)
    from monai.bundle import scripts

    told = _complaint(
        lambda: cast("Any", scripts).verify_net_in_out(
            net_id="network_def",
            meta_file=str(bundle / METADATA),
            config_file=str(bundle / file),
            device="cpu",
            bundle_root=str(bundle.resolve()),
        )
    )
    return [] if told is None else [Breach(file, f"MONAI's verify_net_in_out: {told}")]


def missing_properties(config: Mapping[str, Any], name: str) -> list[str]:
    """Properties that MONAI's tools ask a workflow for, and that its config lacks.

    Args:
        config: As it stands in the file; nothing of it is built.
        name: `train` or `inference`.

    Returns:
        One line for each.
    """
    from monai.bundle.properties import InferProperties, TrainProperties

    table = cast("Mapping[str, Mapping[Any, Any]]", TrainProperties)
    if name == "inference":
        table = cast("Mapping[str, Mapping[Any, Any]]", InferProperties)
    return [line for asked in table.values() for line in _property_lines(config, asked)]


def _property_lines(config: Mapping[str, Any], asked: Mapping[Any, Any]) -> Iterator[str]:
    facts = {str(getattr(key, "value", key)): value for key, value in asked.items()}
    path = str(facts["id"])
    shown = path.replace("::", "#")
    if facts["required"] and not _has(config, path):
        yield f"lacks {shown} ({facts['description'].rstrip('.')})"
    reference = facts.get("refer_id")
    # Of the two that have no `::`, MONAI looks into a handler's arguments.
    if isinstance(reference, str) and "::" in reference and not facts["required"]:
        value = _at(config, reference)
        literal = isinstance(value, str) and not value.startswith("$")
        if literal and value.replace("#", "::") != f"@{path}":
            yield f"{reference.replace('::', '#')} is {value!r:.60}; MONAI's tools expect @{shown}"


def _has(config: Mapping[str, Any], path: str) -> bool:
    return _at(config, path) is not _NOTHING


_NOTHING = object()


def _at(config: Mapping[str, Any], path: str) -> Any:
    """The value at a path of keys; what a reference or an expression gives counts as there."""
    here: Any = config
    for key in path.split("::"):
        if isinstance(here, str) and here.startswith(("@", "%", "$")):
            return here
        if not isinstance(here, Mapping) or key not in here:
            return _NOTHING
        here = cast("Mapping[str, Any]", here)[key]
    return here


def _complaint(check: Callable[[], object]) -> str | None:
    """The first line of what a function of MONAI's raises, or None."""
    with quiet_libraries():
        try:
            check()
        except MedsegError:
            raise
        # MONAI's checks raise what the parts of a bundle raise.
        except Exception as error:
            lines = str(error).strip().splitlines() or [""]
            return re.sub(r"\s+", " ", f"{type(error).__name__}: {lines[0]}")[:300]
    return None


def _told(error: MedsegError, bundle: Path) -> str:
    """An error without the path of the file, which the breach names."""
    return re.sub(rf"^{re.escape(str(bundle))}/\S+?: ", "", str(error))
