"""Door: a bundle or config that is about to be parsed or built is judged, and let in or refused.

Every command of medseg that runs a bundle's configs goes through here first, also `--dry-run`,
before MONAI is imported and before the input is looked at. What is `safe` passes, and what this
user has trusted; the rest is refused in one line.
"""

import os
import shlex
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from medseg._text import printable
from medseg.bundles.judgement.configs.config_files import read_config_tree
from medseg.bundles.judgement.judge import judge_tree, judge_values
from medseg.bundles.judgement.mistakes import first_mistake
from medseg.bundles.judgement.rules import load_rules
from medseg.bundles.judgement.snapshot import MOST_BYTES, LoneConfig, Snapshot, working_tree
from medseg.bundles.judgement.tree import BundleTree
from medseg.bundles.judgement.trust import is_trusted
from medseg.bundles.judgement.verdict import Judgement, Place
from medseg.errors import NeedsTrustError, RefusedError, UsageError

__all__ = [
    "Judged",
    "judge_config",
    "judge_working",
    "require_runnable",
    "require_runnable_config",
    "require_values",
]

_OVERRIDE = "override"
_MOST_PLACES = 3
_LONGEST_REASON = 160
# By these, a torch or MONAI of the user's would read pickles, which are programs.
_PICKLES = ("MONAI_ALLOW_PICKLE", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD")

_lock = threading.Lock()
_judged: dict[Path, tuple[object, "Judged"]] = {}


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """A bundle, or a config outside any bundle, with the bytes that were judged.

    Attributes:
        path: Of the folder or the file.
        tree: Its files; what was judged is read from memory.
        judgement: The verdict on it.
        standing: Why it may run: `trusted` by this user where it is not safe; None if it may not.
    """

    path: Path
    tree: Snapshot
    judgement: Judgement
    standing: Literal["safe", "trusted"] | None

    def read(self, path: str) -> bytes:
        """The judged bytes of a file.

        Args:
            path: In the bundle, with `/`, e.g. `configs/train.yaml`.

        Raises:
            DataError: If there is no such regular file.
        """
        return self.tree.read(path, MOST_BYTES)


def require_runnable(bundle: str | Path) -> Judged:
    """Judge a bundle's folder, and let it pass if it is safe or trusted.

    Unchanged files are judged once in a process.

    Args:
        bundle: The folder.

    Raises:
        UsageError: If all that keeps it from being safe are mistakes of typing.
        NeedsTrustError: If it is not safe, and this user has not trusted it as it is.
        RefusedError: If no trust suffices.
        DataError: If it is no folder.
    """
    judged = judge_working(bundle)
    return _passed(judged, judged.judgement.places)


def require_runnable_config(file: str | Path, over: Judged | None = None) -> Judged:
    """Judge a config outside any bundle, such as a recipe; as `require_runnable`.

    Its bytes are those of the only file of the tree.

    Args:
        file: The config.
        over: The bundle that it is merged over, whose keys it may refer to.

    Raises:
        UsageError: If all that keeps it from being safe are mistakes of typing.
        NeedsTrustError: As of `require_runnable`.
        RefusedError: As of `require_runnable`.
        DataError: If it is no file.
    """
    judged = judge_config(file)
    return _passed(judged, judged.judgement.places if over is None else _over(judged, over))


def _over(judged: Judged, bundle: Judged) -> Sequence[Place]:
    """Places of a config that is merged over a bundle, whose keys are there for it."""
    configs = read_config_tree(judged.tree)[0]
    places = [judge_values(one.content, _OVERRIDE, bundle.tree) for one in configs]
    slips = {place.slip: place.slip for found in places for place in found}
    # Of the same mistakes, those know what is near in the bundle.
    return [
        replace(one, slip=slips.get(one.slip))
        for one in judged.judgement.places
        if one.slip is None or one.slip in slips
    ]


def judge_working(bundle: str | Path) -> Judged:
    """Judge a bundle's folder as `require_runnable` does, and say whether it may run."""
    return _once(Path(bundle), working_tree)


def judge_config(file: str | Path) -> Judged:
    """Judge a config outside any bundle, and say whether it may be built."""
    return _once(Path(file), LoneConfig)


def require_values(changes: Mapping[str, Any], config: Mapping[str, Any], judged: Judged) -> None:
    """Refuse overrides that could run code: a pasted command may be a stranger's.

    Args:
        changes: Values by key, as `parse_overrides` returns them.
        config: The config that they make of the bundle's, as it is to be built.
        judged: The bundle.

    Raises:
        UsageError: If all that is not on the list are mistakes of typing.
        NeedsTrustError: For the first value that is not on the list.
        RefusedError: If no trust suffices for it.
    """
    # Either suffices: a change is safe over one config of a bundle, and not over another.
    if not judge_values(config, _OVERRIDE):
        return
    places = judge_values(changes, _OVERRIDE, judged.tree)
    if not places:
        return
    # The gravest first: trusting a config would not help against it.
    place = min(places, key=lambda one: (one.grade != "refused", one.slip is not None))
    mistake = first_mistake(places)
    if mistake is not None:
        raise UsageError(f"{mistake.key or _OVERRIDE}: {mistake.reason}")
    told = f"{place.key or _OVERRIDE}: {printable(place.reason)[: 2 * _LONGEST_REASON]}"
    if place.grade == "refused":
        raise RefusedError(f"{told}; it is refused")
    raise NeedsTrustError(
        f"{told}; if you want it, write it into a config of your own, OWN.yaml, trust that "
        "('medseg bundle trust OWN.yaml') and add --config OWN.yaml"
    )


def _once(path: Path, tree_of: Callable[[Path], BundleTree]) -> Judged:
    resolved = path.resolve()
    with _lock:
        kept = _judged.get(resolved)
        # A site's rules may change as well.
        state = (_state(resolved), load_rules())
        if kept is None or kept[0] != state:
            tree = Snapshot(tree_of(path))
            judgement = _as_named(judge_tree(tree), path)
            judged = Judged(path=path, tree=tree, judgement=judgement, standing=None)
            kept = _judged[resolved] = (state, judged)
    # Trust may come and go, so it is looked up each time.
    return replace(kept[1], path=path, standing=_standing(kept[1].judgement))


def _as_named(judgement: Judgement, path: Path) -> Judgement:
    """Places of a config outside any bundle name it as the user does."""
    if path.is_dir():
        return judgement
    places = tuple(replace(place, file=str(path)) for place in judgement.places)
    return replace(judgement, places=places)


def _standing(judgement: Judgement) -> Literal["safe", "trusted"] | None:
    if judgement.verdict == "safe":
        return "safe"
    if judgement.verdict == "needs trust" and is_trusted(judgement.digest):
        return "trusted"
    return None


def _passed(judged: Judged, places: Sequence[Place]) -> Judged:
    if judged.standing is None:
        mistake = first_mistake(places)
        if mistake is not None:
            raise UsageError(_mistake_line(judged, mistake, len(places) - 1))
        refused = judged.judgement.verdict == "refused"
        raise (RefusedError if refused else NeedsTrustError)(_line(judged))
    for name in _PICKLES:
        os.environ.pop(name, None)
    return judged


def _mistake_line(judged: Judged, mistake: Place, more: int) -> str:
    folder = f"{judged.path}: " if judged.path.is_dir() else ""
    return f"{folder}{printable(str(mistake))}{f'; and {more} more such' if more else ''}"


def _line(judged: Judged) -> str:
    judgement = judged.judgement
    # The gravest first, else in their order.
    places = sorted(judgement.places, key=lambda place: place.grade != "refused")
    more = len(places) - _MOST_PLACES
    shown = "; ".join(_short(place) for place in places[:_MOST_PLACES])
    shown += f"; and {more} more" if more > 0 else ""
    count = f"{len(places)} place{'s' if len(places) > 1 else ''}"
    told = f"{judged.path}: {judgement.verdict}, not run: {count}: {shown}; "
    path = shlex.quote(printable(str(judged.path)))
    if judgement.verdict == "refused":
        return f"{told}no trust suffices: 'medseg bundle inspect {path}' tells all"
    inspected = "" if judged.path.is_file() else f"look at all by 'medseg bundle inspect {path}', "
    return (
        f"{told}{inspected}and if you trust who made it and what it does, "
        f"'medseg bundle trust {path}'"
    )


def _short(place: Place) -> str:
    text = printable(str(place))
    return text if len(text) <= _LONGEST_REASON else f"{text[: _LONGEST_REASON - 3]}..."


def _state(path: Path) -> object:
    """What changes with any file: names, kinds, sizes, times and numbers on the disk."""
    if not path.is_dir():
        return _stat(path) if path.exists() else None
    found: list[object] = [(path.name, _stat(path))]
    waiting = [path]
    while waiting:
        here = waiting.pop()
        for child in sorted(here.iterdir()):
            found.append((str(child), _stat(child)))
            if child.is_dir() and not child.is_symlink():
                waiting.append(child)
    return found


def _stat(path: Path) -> tuple[int, ...]:
    # Times of change cannot be set back, those of modification can.
    status = path.lstat()
    return status.st_mode, status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns
