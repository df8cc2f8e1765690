"""Members of a packed bundle: which files of its folder go into the zip, and which must not.

A bundle's folder gathers what its work leaves there: checkpoints, outputs of patients, scripts,
notes. So what goes in is a short list of names, and what is on no list is a problem to be told, not
a file to be passed on.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from medseg.bundles.judgement.tree import BundleTree, Entry
from medseg.sharing.layout import DIGESTS, GOLDEN, REQUIREMENTS, SIGNATURE

__all__ = ["Members", "members_of"]

_GOES = re.compile(
    r"LICENSE|configs/[\w.-]+\.(yaml|json)|configs/logging\.conf|studies/[\w.-]+\.yaml"
    r"|docs/README\.md|docs/plan\.(md|json)"
    rf"|docs/(data_)?license\.txt|models/(model|fold_\d+)\.safetensors|{GOLDEN}/[\w.-]+"
)
# Written anew by pack: model.pt is a pickle, never read.
_ANEW = frozenset({DIGESTS, SIGNATURE, REQUIREMENTS, "models/model.pt"})
# Outputs of trainings and predictions, locks of these, and what desktops leave behind.
_STAYS = re.compile(r"eval/.*|(.*/)?(\.DS_Store|\.medseg-lock|Thumbs\.db|desktop\.ini)", re.DOTALL)
_CODE = (".py", ".pyc", ".pyd", ".so", ".dll", ".dylib", ".sh", ".bat", ".ps1", ".exe", ".ipynb")
_PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".ts", ".npy", ".npz", ".bin")


@dataclass(frozen=True, kw_only=True)
class Members:
    """What becomes of each file of a bundle's folder.

    Attributes:
        kept: Files to be read for the zip.
        left_out: Files that stay: outputs, and what desktops leave. What pack writes anew, such as
            `models/model.pt`, is neither read nor told.
        problems: Files that must not leave, one line each.
    """

    kept: tuple[str, ...]
    left_out: tuple[str, ...]
    problems: tuple[str, ...]


def members_of(tree: BundleTree) -> Members:
    """Sort the files of a bundle's folder."""
    entries = tree.entries
    left_out = [path for path in entries if _STAYS.fullmatch(path)]
    dealt_with = _ANEW.union(left_out)
    rest = {path: entry for path, entry in entries.items() if path not in dealt_with}
    return Members(
        kept=tuple(path for path, entry in rest.items() if _goes(path, entry)),
        left_out=tuple(left_out),
        problems=tuple(_problems(rest)),
    )


def _goes(path: str, entry: Entry) -> bool:
    return entry.kind == "file" and _GOES.fullmatch(path) is not None


def _problems(entries: dict[str, Entry]) -> Iterator[str]:
    for path, entry in entries.items():
        if not _goes(path, entry):
            yield f"{path}: {_reason(path, entry)}"


def _reason(path: str, entry: Entry) -> str:
    if entry.kind == "link":
        return "is a symbolic link; put the file itself there"
    if entry.kind == "special":
        return "is a pipe, device or socket; remove it"
    suffix = PurePosixPath(path).suffix.lower()
    if suffix in _CODE:
        return "is code, which no packed bundle holds; move it out of the bundle's folder"
    if suffix in _PICKLES:
        return (
            "may be a pickle, which can run code; move it, only models/model.safetensors is packed"
        )
    return "is not part of a packed bundle; move it out of the bundle's folder"
