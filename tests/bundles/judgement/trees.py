"""Trees of bundles in memory, for tests of the judgement."""

from collections.abc import Iterator, Mapping

from medseg.bundles.judgement.configs.config_places import config_places
from medseg.bundles.judgement.tree import Entry
from medseg.bundles.judgement.verdict import Place
from medseg.errors import DataError

ROOT = "bundle_root: {_target_: medseg.bundles.find_bundle_root}\n"


class MemoryTree:
    """Files by path."""

    name = "memory"

    def __init__(self, files: Mapping[str, str | bytes]) -> None:
        self._files = {
            path: content if isinstance(content, bytes) else content.encode()
            for path, content in sorted(files.items())
        }

    @property
    def entries(self) -> Mapping[str, Entry]:
        return {path: Entry("file", len(content)) for path, content in self._files.items()}

    def read(self, path: str, at_most: int) -> bytes:
        if len(self._files[path]) > at_most:
            raise DataError(f"memory/{path}: is larger than {at_most:,} bytes")
        return self._files[path]

    def chunks(self, path: str) -> Iterator[bytes]:
        yield self._files[path]


def places(text: str, **others: str) -> list[Place]:
    """Places of a bundle whose `configs/train.yaml` is this, and of others by name."""
    files = {"configs/train.yaml": text}
    files |= {f"configs/{name}.yaml": other for name, other in others.items()}
    return config_places(MemoryTree(files))


def verdict(text: str, **others: str) -> str:
    """The verdict on such a bundle."""
    grades = {place.grade for place in places(text, **others)}
    return "refused" if "refused" in grades else "needs trust" if grades else "safe"


def expression_verdict(expression: str) -> str:
    """The verdict on a config with an expression and something of each kind to refer to."""
    return verdict(
        ROOT
        + "empty: ''\n"
        + "names: [a, b, c]\n"
        + "count: 4\n"
        + "case: {image: a.nii.gz}\n"
        + "device: {_target_: medseg.networks.default_device}\n"
        + "net: {_target_: medseg.networks.UNet, spatial_dims: 2, in_channels: 1}\n"
        + "control: {_target_: medseg.training.Control, output_dir: out}\n"
        + "evaluator: {_target_: SupervisedEvaluator, network: '@net'}\n"
        + f"imports: [$import os, $import glob]\nx: {_quoted(expression)}\n"
    )


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"${escaped}"'
