"""Data sets described by a dataset.json: nnU-Net's raw layout, and the Decathlon's (MSD).

nnU-Net has a file for each channel, `imagesTr/CASE_0000.nii.gz` and `labelsTr/CASE.nii.gz`; its
older form names them `modality`, as MSD does, whose images of several channels have a fourth axis.
All are read as they are, and become a manifest.

References:
    https://github.com/MIC-DKFZ/nnUNet, documentation/dataset_format.md
    Antonelli et al., The Medical Segmentation Decathlon, Nat. Commun. 2022.
    https://doi.org/10.1038/s41467-022-30695-9
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from medseg._text import json_bytes
from medseg.data.channel import Channel, Modality
from medseg.data.datasets.case_names import case_names
from medseg.data.datasets.collect import DatasetInfo, Labelled, SplitPlan, collect_pairs
from medseg.data.datasets.collect_channels import channel_modality, channel_of
from medseg.data.images.naming import VOLUME_SUFFIXES, image_stem, is_picture, is_volume
from medseg.data.manifest import Manifest
from medseg.data.patterns import natural_key
from medseg.errors import DataError

__all__ = ["DATASET_JSON", "collect_dataset_json", "dataset_json_modality"]

DATASET_JSON = "dataset.json"

_CHANNEL = re.compile(r"(.+)_([0-9]{4})")


@dataclass(frozen=True)
class _Described:
    """What a dataset.json says.

    Attributes:
        folder: Its folder.
        channels: Names, in order.
        labels: Names of the values, background first.
        listed: Pairs of image and label, the label None for test images; empty if only the folders
            say which cases there are.
        about: Its texts, by key.
    """

    folder: Path
    channels: tuple[str, ...]
    labels: tuple[str, ...]
    listed: tuple[tuple[str, str | None], ...]
    about: Mapping[str, str]


def collect_dataset_json(folder: Path, info: DatasetInfo, plan: SplitPlan) -> tuple[Manifest, Path]:
    """The manifest of a folder with a dataset.json.

    Args:
        folder: The folder; or the file itself.
        info: Description supplied by the user, which goes before that of the file.
        plan: How the labelled cases are split; images without a label are test cases.

    Raises:
        DataError: If the file is missing, is no such description, or files of a case are missing.
        UsageError: See `collect_manifest`.
    """
    described = _read(_file(folder))
    pairs = list(_listed_pairs(described) if described.listed else _folder_pairs(described))
    if not pairs:
        what = "has no images in imagesTr; give the folder of the data set"
        raise DataError(f"{described.folder}: {what}")
    about = _info(described, info)
    channels = [
        _channel(described, number, about.modality) for number in range(len(described.channels))
    ]
    manifest, root = collect_pairs(pairs, channels, about, plan)
    separate = any(len(pair.images) > 1 for pair in pairs)
    if separate:
        channels = [
            one.model_copy(update={"files": f"*/*_{number:04d}.*"})
            for number, one in enumerate(channels)
        ]
    return manifest.model_copy(update={"channels": tuple(channels)}), root


def dataset_json_modality(folder: Path) -> Modality | None:
    """The modality that the first channel's name tells, such as CT; None if it tells none.

    Raises:
        DataError: If there is no dataset.json, or it is no description of a data set.
    """
    return channel_modality(_read(_file(folder)).channels[0])


def _file(folder: Path) -> Path:
    return folder / DATASET_JSON if folder.is_dir() else folder


def _read(path: Path) -> _Described:
    try:
        content: Any = json.loads(json_bytes(path.read_bytes()))
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror}); give a folder with a dataset.json, or "
            "--images and --labels"
        ) from error
    except ValueError as error:
        raise DataError(f"{path}: is no JSON ({error}); correct it") from error
    if not isinstance(content, dict):
        raise DataError(f"{path}: must be a JSON object, as nnU-Net and MSD write it")
    entries = cast("dict[str, Any]", content)
    channels = _numbered(entries.get("channel_names", entries.get("modality")), path, "modality")
    texts = {key: value for key, value in entries.items() if isinstance(value, str)}
    return _Described(
        folder=path.parent.absolute(),
        channels=channels,
        labels=_labels(entries.get("labels"), path),
        listed=tuple(_entries(entries, path)),
        about=texts,
    )


def _mapping(given: Any) -> Mapping[str, Any]:
    return cast("dict[str, Any]", given) if isinstance(given, dict) else dict[str, Any]()


def _numbered(given: Any, path: Path, key: str) -> tuple[str, ...]:
    """Names by number, `{"0": "CT"}`, in their order."""
    pairs = _mapping(given)
    names = [str(pairs.get(str(number), "")).strip() for number in range(len(pairs))]
    if not names or not all(names):
        raise DataError(
            f'{path}: {key} must name channels from "0" on, e.g. {{"0": "CT"}}, got {given!r:.80}'
        )
    return tuple(names)


def _labels(given: Any, path: Path) -> tuple[str, ...]:
    """Names of the values; both ways round, `{"0": "liver"}` (MSD) and `{"liver": 0}` (nnU-Net)."""
    pairs = _mapping(given)
    regions = [name for name, value in pairs.items() if isinstance(value, list)]
    if regions:
        raise DataError(
            f"{path}: its label {regions[0]!r} is a region of several values, and a manifest has "
            "one value a class; name each value"
        )
    if all(str(name).isdigit() for name in pairs):
        by_value = {int(name): str(value) for name, value in pairs.items()}
    else:
        by_value = {int(value): str(name) for name, value in pairs.items() if str(value).isdigit()}
    if "ignore" in by_value.values():
        raise DataError(f"{path}: has a label to ignore, which medseg has not; set it to a class")
    if len(by_value) < 2 or sorted(by_value) != list(range(len(by_value))):
        raise DataError(
            f"{path}: labels must name values from 0, the background, up, got {given!r:.80}"
        )
    return tuple(by_value[value] for value in range(len(by_value)))


def _entries(entries: Mapping[str, Any], path: Path) -> Iterator[tuple[str, str | None]]:
    for entry in entries.get("training") or ():
        one = _mapping(entry)
        if not {"image", "label"} <= set(one):
            raise DataError(f"{path}: training must list image and label, got {entry!r:.80}")
        yield str(one["image"]), str(one["label"])
    for entry in entries.get("test") or ():
        yield str(_mapping(entry).get("image", entry)), None


def _listed_pairs(described: _Described) -> Iterator[Labelled]:
    """Yield the cases that the file lists; of nnU-Net's, each image stands for its channels."""
    listed = [(_below(described, i), label) for i, label in described.listed]
    names = case_names(image_stem(image) for image, _ in listed)
    for image, label in listed:
        if label is None and not _there(described, image):
            continue  # test images are often left out of a copy
        images = (image,) if image.exists() else _channel_files(described, image)
        reference = None if label is None else _below(described, label)
        if reference is not None and not reference.exists():
            raise DataError(f"{reference}: not there; fetch it, or take it out of {DATASET_JSON}")
        yield Labelled(names[image_stem(image)], images, reference)


def _there(described: _Described, image: Path) -> bool:
    return image.exists() or any(image.parent.glob(f"{image_stem(image)}_0000.*"))


def _below(described: _Described, name: str) -> Path:
    path = described.folder / name.removeprefix("./")
    if ".." in path.parts or not path.is_relative_to(described.folder):
        raise DataError(f"{described.folder / DATASET_JSON}: {name!r:.80} leads out of its folder")
    return path


def _channel_files(described: _Described, image: Path) -> tuple[Path, ...]:
    """nnU-Net's files of an image that is listed without its channels' numbers."""
    suffix = next((end for end in VOLUME_SUFFIXES if image.name.endswith(end)), image.suffix)
    stem = image.name.removesuffix(suffix)
    files = [image.with_name(f"{stem}_{n:04d}{suffix}") for n in range(len(described.channels))]
    for number, file in enumerate(files):
        if not file.exists():
            raise _missing(described, stem, number, file)
    return tuple(files)


def _missing(described: _Described, case: str, number: int, file: Path) -> DataError:
    return DataError(
        f"case {case}: its channel {described.channels[number]} is missing, {file} is not there; "
        "fetch it, or leave the case out"
    )


def _folder_pairs(described: _Described) -> Iterator[Labelled]:
    """Yield the cases of `imagesTr` and `imagesTs`, by nnU-Net's names."""
    for part in ("Tr", "Ts"):
        labels = {image_stem(file): file for file in _images(described.folder / f"labels{part}")}
        cases: dict[str, dict[int, Path]] = {}
        for file in _images(described.folder / f"images{part}"):
            match = _CHANNEL.fullmatch(image_stem(file))
            if match is None:
                raise DataError(
                    f"{file}: must end in _0000 and the like, the number of its channel, as "
                    "nnU-Net has it"
                )
            cases.setdefault(match[1], {})[int(match[2])] = file
        names = case_names(cases)
        for case in sorted(cases, key=natural_key):
            files = cases[case]
            for number in range(len(described.channels)):
                if number not in files:
                    absent = next(iter(files.values())).with_name(f"{case}_{number:04d}")
                    raise _missing(described, case, number, absent)
            if case not in labels and part == "Tr":
                raise DataError(
                    f"case {case}: has no label in labelsTr; add it, or leave the case out"
                )
            images = tuple(files[number] for number in range(len(described.channels)))
            yield Labelled(names[case], images, labels.get(case))


def _images(folder: Path) -> Sequence[Path]:
    if not folder.is_dir():
        return []
    files = (file for file in folder.iterdir() if not file.name.startswith("."))
    return sorted((f for f in files if is_volume(f) or is_picture(f)), key=lambda f: f.name)


def _channel(described: _Described, number: int, modality: Modality) -> Channel:
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", described.channels[number]).strip("_")
    return channel_of(name or f"channel_{number}", modality)


def _info(described: _Described, given: DatasetInfo) -> DatasetInfo:
    about = described.about
    texts = {
        "description": about.get("description"),
        "source": about.get("reference"),
        "licence": about.get("licence") or about.get("license"),
    }
    new = {key: text for key, text in texts.items() if text and getattr(given, key) == "not stated"}
    names = given.label_names or described.labels
    return replace(given, **cast("Any", new), label_names=names)
