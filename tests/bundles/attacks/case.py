"""One attack: files that are put over a harmless bundle, and the verdict that they must get.

What an attack would do, if it ran, is to leave a file named `canary` in the working directory: the
judge has nothing to hold against that name, so it has to see the way to it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from medseg.bundles.judgement.verdict import Verdict

__all__ = [
    "CONFIG",
    "Attack",
    "attack",
    "attacks",
    "base_config",
    "config_of",
    "made",
    "write_base",
]

CONFIG = "configs/inference.yaml"
METADATA = """\
{
 "version": "1.0.0",
 "monai_version": "1.6.1",
 "pytorch_version": "2.10.0",
 "numpy_version": "2.2.0",
 "required_packages_version": {"medseg": "0.1.0"},
 "task": "tumours of phantoms",
 "description": "a small bundle with nothing in it that could harm",
 "authors": "nobody",
 "copyright": "none",
 "network_data_format": {"inputs": {}, "outputs": {}}
}
"""
BASE = {
    "bundle_root": "{_target_: medseg.bundles.find_bundle_root}",
    "dataset_dir": "data",
    "output_dir": "\"$@bundle_root + '/eval'\"",
    "overwrite": "refuse",
    "ckpt_path": "\"$@bundle_root + '/models/model.safetensors'\"",
    "class_names": "[background, tumour]",
    "patch_size": "[32, 32, 32]",
    "keys": "[image]",
    "device": "{_target_: medseg.networks.default_device}",
    "network_def": "{_target_: medseg.networks.UNet, spatial_dims: 3, in_channels: 1, "
    'out_channels: "$len(@class_names)", first_width: 4, depth: 3}',
    "network": '{_target_: medseg.networks.place_network, network: "@network_def", '
    'device: "@device"}',
    "datalist": '{_target_: medseg.data.list_images, folder: "@dataset_dir"}',
    "preprocessing": "{_target_: Compose, transforms: [{_target_: LoadImaged, "
    'keys: "@keys", reader: [medseg.data.VolumeReader]}]}',
    "inferer": "{_target_: SimpleInferer}",
    "postprocessing": "{_target_: Compose, transforms: [{_target_: "
    "medseg.inference.SaveLabeld, keys: pred, "
    'output_dir: "@output_dir", overwrite: "@overwrite"}]}',
}


@dataclass(frozen=True)
class Attack:
    """A bundle that must not be judged safe.

    Attributes:
        name: What it tries, in words.
        least: The mildest verdict that will do.
        make: Makes it in a folder that does not exist yet; returns the bundle's folder or zip.
        file: The file that a place must name; None if any will do.
        first_line: Where the attack begins in it; a place there or later tells it.
    """

    name: str
    least: Verdict
    make: Callable[[Path], Path]
    file: str | None = None
    first_line: int = 1


def base_config(without: Iterable[str] = ()) -> str:
    """The harmless config, but for some of its keys."""
    return "".join(f"{key}: {value}\n" for key, value in BASE.items() if key not in set(without))


def config_of(text: str) -> str:
    """The harmless config with an attack's lines at its end; keys that it gives are replaced."""
    given = {line.partition(":")[0] for line in text.splitlines() if line[:1].strip()}
    return base_config(without=given) + text.strip("\n") + "\n"


def write_base(folder: Path, files: dict[str, str | bytes]) -> Path:
    """Write the harmless bundle with some files replaced or added."""
    folder.mkdir(parents=True)
    default: dict[str, str | bytes] = {
        "LICENSE": "Apache License, Version 2.0\n",
        "configs/metadata.json": METADATA,
        CONFIG: base_config(),
        "docs/README.md": "# A phantom bundle\n",
    }
    for path, content in {**default, **files}.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def made(name: str, least: Verdict, files: dict[str, str | bytes], at: str | None) -> Attack:
    """An attack by files."""
    return Attack(name, least, lambda folder: write_base(folder, files), at)


def attack(name: str, least: Verdict, text: str) -> Attack:
    """An attack by lines of the config, which replace or follow those of the harmless one."""
    config = config_of(text)
    first = len(config.splitlines()) - len(text.strip("\n").splitlines()) + 1
    return Attack(
        name, least, lambda folder: write_base(folder, {CONFIG: config}), CONFIG, first_line=first
    )


def attacks(table: dict[str, tuple[Verdict, str]]) -> list[Attack]:
    """A table of attacks by lines of the config: name to verdict and lines."""
    return [attack(name, least, text) for name, (least, text) in table.items()]
