"""Pack: all files of a bundle that is to be shared, as bytes, or why it must not leave.

Nothing is written before everything is known, and the same bundle gives the same bytes: no times,
no owners, no order of a folder, no path of this machine.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import medseg
from medseg._checks import first_few
from medseg.bundles.judgement.judge import judge_tree
from medseg.bundles.judgement.tree import BundleTree, FolderTree
from medseg.errors import DataError
from medseg.networks.provenance import Provenance
from medseg.sharing.bytes_tree import BytesTree
from medseg.sharing.digests import Digests, bytes_digest, write_digests
from medseg.sharing.golden.golden_choice import golden_choice
from medseg.sharing.golden.golden_run import golden_files
from medseg.sharing.layout import DIGESTS, REQUIREMENTS
from medseg.sharing.packing.leaks import identifier_leaks, prose_leaks, value_leaks
from medseg.sharing.packing.licences import licence_problems
from medseg.sharing.packing.members import members_of
from medseg.sharing.packing.pack_source import PackSource, read_source
from medseg.sharing.packing.packed_weights import PackedWeights, Precision, weights_problems
from medseg.sharing.packing.requirements import requirements_text
from medseg.sharing.packing.twins import is_twin

__all__ = ["Pack", "PackChoices", "pack_bundle", "pack_json"]

_MOST_PLACES = 8


@dataclass(frozen=True, kw_only=True)
class PackChoices:
    """What the user may choose.

    Attributes:
        weights: A `.safetensors` file; the bundle's own if None.
        precision: Of the weights: `kept`, or `half`.
        golden: Image of the golden case; the bundle's own, or one made by formula, if None.
        golden_licence: Under which that image may be shared.
    """

    weights: Path | None = None
    precision: Precision = "kept"
    golden: Path | None = None
    golden_licence: str | None = None


@dataclass(frozen=True, kw_only=True)
class Pack:
    """A packed bundle.

    Attributes:
        name: Of the bundle.
        version: Of the bundle.
        files: Contents by path; without golden case and digests if there are problems.
        left_out: Files of the folder that stay.
        problems: Why it must not be shared, one line each, beginning with the file.
        remarks: What the user should know all the same.
    """

    name: str
    version: str
    files: Mapping[str, bytes]
    left_out: tuple[str, ...]
    problems: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def bundle_sha256(self) -> str:
        """Digest of the whole bundle, see `Digests.bundle_sha256`; empty if there are problems."""
        return hashlib.sha256(self.files[DIGESTS]).hexdigest() if DIGESTS in self.files else ""

    @property
    def in_one_folder(self) -> dict[str, bytes]:
        """The files by their path in the zip.

        Raises:
            DataError: If the bundle must not be shared.
        """
        if self.problems:
            raise DataError(f"{self.name}: not packed: {first_few(self.problems)}")
        return {f"{self.name}/{path}": content for path, content in self.files.items()}


def pack_bundle(bundle: str | Path, choices: PackChoices) -> Pack:
    """Collect a bundle's files, look for what must not leave, and make what is missing.

    Args:
        bundle: The bundle's folder.
        choices: The user's.

    Raises:
        DataError: If the folder is no bundle, or a file of it is broken.
        MedsegError: If the golden case cannot be made.
    """
    tree = FolderTree(bundle)
    members = members_of(tree)
    source = read_source(Path(bundle), tree, members.kept, choices.weights, choices.precision)
    files = dict(source.files)
    if source.weights is not None:
        files |= source.weights.files
    files[REQUIREMENTS] = requirements_text(source.metadata.required_packages_version)
    problems = (*members.problems, *_problems(source, files))
    # What is unsafe is not run, and what must not leave needs no golden case.
    problems = problems or tuple(_verdict_problems(BytesTree(source.metadata.name, files)))
    if not problems:
        files |= _golden(source, files, tree, choices)
        files[DIGESTS] = _digests(source, files)
    return Pack(
        name=source.metadata.name,
        version=source.metadata.version,
        files=dict(sorted(files.items())),
        left_out=members.left_out,
        problems=problems,
        remarks=tuple(_remarks(source, members.kept)),
    )


def pack_json(pack: Pack) -> dict[str, Any]:
    """What was packed, or why not, for programs."""
    return {
        "name": pack.name,
        "version": pack.version,
        "bundle_sha256": pack.bundle_sha256 or None,
        "files": {path: len(content) for path, content in pack.files.items()},
        "left_out": pack.left_out,
        "problems": pack.problems,
        "remarks": pack.remarks,
    }


def _problems(source: PackSource, files: Mapping[str, bytes]) -> Iterator[str]:
    name = source.metadata.name
    yield from licence_problems(files, source.manifests, _provenance(source.weights))
    for path, content in source.values.items():
        yield from value_leaks(path, content)
    if source.weights is not None:
        yield from weights_problems(source.weights, name)
        for path, texts in source.weights.texts.items():
            yield from value_leaks(path, texts)
    prose = {path: content for path, content in source.files.items() if _is_prose(path)}
    for path, content in prose.items():
        yield from prose_leaks(path, content)
    yield from identifier_leaks(prose, source.identifiers)
    yield from source.problems


def _is_prose(path: str) -> bool:
    return path.endswith((".md", ".txt", ".yaml", ".conf", "LICENSE"))


def _provenance(weights: PackedWeights | None) -> Provenance | None:
    return None if weights is None else weights.provenance


def _verdict_problems(tree: BundleTree) -> Iterator[str]:
    judgement = judge_tree(tree)
    # A twin repeats what its YAML says.
    places = [place for place in judgement.places if not is_twin(place.file, tree.entries)]
    places = places or list(judgement.places)
    for place in places[:_MOST_PLACES]:
        yield f"{place} ({place.grade})"
    if len(places) > _MOST_PLACES:
        yield f"{len(places) - _MOST_PLACES} more places are not safe; see medseg bundle inspect"


def _golden(
    source: PackSource, files: Mapping[str, bytes], tree: BundleTree, choices: PackChoices
) -> dict[str, bytes]:
    if source.weights is None:
        return {}
    image = golden_choice(source.metadata, tree, choices.golden, choices.golden_licence)
    return golden_files(files, source.metadata.name, source.weights.tensors_sha256, image)


def _digests(source: PackSource, files: Mapping[str, bytes]) -> bytes:
    return write_digests(
        Digests(
            name=source.metadata.name,
            version=source.metadata.version,
            packed_with=medseg.__version__,
            files={path: bytes_digest(content) for path, content in sorted(files.items())},
        )
    )


def _remarks(source: PackSource, kept: Iterable[str]) -> Iterator[str]:
    weights, scores = source.weights, source.metadata.scores
    packed = () if weights is None else weights.files
    unused = [path for path in kept if path.startswith("models/") and path not in packed]
    if unused and weights is not None:
        yield f"left out, since {next(iter(weights.files))} is used: {first_few(unused)}"
    if weights is None:
        yield "no weights: packed as a recipe to train with, without a golden case"
    elif scores is None:
        yield "configs/metadata.json: no scores; medseg bundle inspect will have none to show"
    elif weights.tensors_sha256 != scores.weights_sha256 == weights.source_sha256:
        yield "the scores in configs/metadata.json are of the weights before they were halved"
    if source.dropped_cases:
        count = source.dropped_cases
        cases = f"the {count} cases" if count > 1 else "the one case"
        yield f"left out of the manifests: {cases}, with paths and patients"
