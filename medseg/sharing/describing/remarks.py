"""Remarks on a bundle: what its receiver should know and its verdict does not say."""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from medseg.bundles.judgement.tree import BundleTree
from medseg.errors import DataError
from medseg.sharing.describing.licence_names import forbids_commercial_use
from medseg.sharing.describing.summary import DATA_LICENCE, Summary
from medseg.sharing.describing.weights_summary import WEIGHTS

__all__ = ["remarks"]

_MOST_TEXT = 2**20
# By the names that metadata.json uses, those of the packages.
_PACKAGES = {"medseg": "medseg", "monai": "monai", "torch": "torch"}


def remarks(tree: BundleTree, summary: Summary) -> tuple[str, ...]:
    """What a receiver should know of a bundle, one line each."""
    return (
        *_missing_files(tree, summary),
        *_about_weights(tree, summary),
        *_about_licences(tree),
        *_about_versions(summary),
    )


def _missing_files(tree: BundleTree, summary: Summary) -> Iterator[str]:
    if not summary.name or not summary.version:
        yield "its metadata.json states no name or no version"
    if not summary.licences["bundle"]:
        yield "it has no LICENSE: nobody may use it"
    if not summary.licences["data"]:
        yield f"it has no {DATA_LICENCE}: under which licence its weights' data are is not said"
    if "docs/README.md" not in tree.entries:
        yield "it has no card, docs/README.md"
    if not summary.bundle_sha256:
        yield "it has no list of digests, so nobody can say whether it is complete"


def _about_weights(tree: BundleTree, summary: Summary) -> Iterator[str]:
    weights = summary.weights
    if weights is None:
        others = [path for path in tree.entries if path.startswith("models/")]
        yield (
            f"it has no {WEIGHTS}, and medseg reads no other weights ({others[0][:60]})"
            if others
            else "it has no weights: train it first"
        )
        return
    told = weights.provenance
    if told is None or told.bundle is None:
        yield "its weights do not say which training they come from"
        return
    if told.trained_on == "phantoms":
        yield "its weights were trained on phantoms, not on patients: to try it out alone"
    if told.bundle != summary.name:
        yield f"its weights were trained by another bundle, {told.bundle}"


def _about_licences(tree: BundleTree) -> Iterator[str]:
    try:
        text = tree.read(DATA_LICENCE, _MOST_TEXT).decode("utf-8", errors="replace")
    except DataError:
        return
    if forbids_commercial_use(text):
        yield f"{DATA_LICENCE} speaks of use that is not commercial: read it"


def _about_versions(summary: Summary) -> Iterator[str]:
    for name, package in _PACKAGES.items():
        wanted = _numbers(summary.needs.get(name, ""))
        try:
            found = version(package)
        except PackageNotFoundError:
            continue
        if wanted and _numbers(found) < wanted:
            yield f"it was made with {name} {summary.needs[name][:20]}; here is {found}"


def _numbers(text: str) -> tuple[int, ...]:
    parts = text.partition("+")[0].split(".")
    return tuple(int(part) for part in parts[:3] if part.isdecimal() and len(part) < 10)
