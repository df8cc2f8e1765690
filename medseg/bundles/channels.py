"""Channels of the images that a bundle takes, by its metadata and the manifest in its configs."""

from pathlib import Path

from medseg.bundles.foreign.metadata import described_bundle
from medseg.data.channel import Channel
from medseg.data.manifest import load_manifest
from medseg.errors import ManifestError

__all__ = ["are_colours", "bundle_channels", "channel_line"]

_COLOURS = ("red", "green", "blue")


def bundle_channels(bundle: Path) -> tuple[Channel, ...]:
    """The channels, in the network's order.

    Names are those of `channel_def` in metadata.json; modality, unit and the pattern of the files
    are those of the manifest in its configs that has the same names, if there is one.
    """
    image = described_bundle(bundle).network_data_format.inputs["image"]
    names = [image.channel_def.get(str(n), str(n)) for n in range(image.num_channels)]
    described = tuple(Channel(name=name, unit="arbitrary") for name in names)
    for path in sorted((bundle / "configs").glob("*.json")):
        if path.name == "metadata.json":
            continue
        try:
            manifest = load_manifest(path)
        except ManifestError:
            continue
        if [channel.name for channel in manifest.channels] == names:
            described = tuple(
                channel.model_copy(update={"modality": channel.modality or manifest.modality})
                for channel in manifest.channels
            )
    return described


def are_colours(names: tuple[str, ...]) -> bool:
    """Whether channels are the colours of one picture, and not images of their own."""
    return tuple(name.lower() for name in names) == _COLOURS


def channel_line(bundle: str, names: tuple[str, ...]) -> str:
    """The command that predicts one case of several channels."""
    files = " ".join(f"--channel {name}=FILE" for name in names)
    return f"medseg predict {bundle} {files} -o DIR"
