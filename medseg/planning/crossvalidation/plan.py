"""Plan of a cross-validation: its folds, their configs checked and digests known, nothing run."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from medseg.bundles.determining import determining
from medseg.bundles.metadata import load_metadata
from medseg.bundles.opened import OpenedConfigs, open_configs
from medseg.bundles.overrides import parse_overrides
from medseg.bundles.run import checked_config, open_workflow
from medseg.data.datasets.data_digest import data_digest
from medseg.data.digest import path_sha256
from medseg.data.manifest import Manifest
from medseg.errors import UsageError
from medseg.planning.crossvalidation.folds import fold_cases, require_all_classes, require_folds

__all__ = ["CrossPlan", "FoldPlan", "Overrides", "plan_crossvalidation"]

Overrides = dict[str, Any]

# Keys that the command sets, each with what to do instead.
_SET = {
    "fold": "use --fold to train one fold alone",
    "split": "validation cases are those of each fold",
    "output_dir": "use -o",
    "ckpt_dir": "use -o",
    "ckpt_path": "use -o",
    "start": "folds that were interrupted are resumed",
    "overwrite": "folds that are done are kept; remove their folder to train them again",
}
# As the weights are: converted for another engine, each fold would take longer.
_SCORED = {"engine": "torch"}
# What is chosen afterwards does not change what was trained.
_CHOSEN = "kept_parts"
_NOTHING_REMOVED: dict[str, Any] = {f"{_CHOSEN}::keep_largest": [], f"{_CHOSEN}::smallest": {}}


@dataclass(frozen=True, kw_only=True)
class FoldPlan:
    """One fold.

    Attributes:
        fold: Its number.
        cases: How many cases are held out.
        patients: Of how many patients they are.
        train: Overrides of the training, by full path with `::`.
        evaluate: Overrides of the prediction, likewise, those of the training included.
        config: What determines its result, as plain values.
        digest: Of that and of the data.
    """

    fold: int
    cases: int
    patients: int
    train: Overrides
    evaluate: Overrides
    config: Mapping[str, Any]
    digest: str


@dataclass(frozen=True, kw_only=True)
class CrossPlan:
    """A cross-validation.

    Attributes:
        bundle: Folder of the bundle.
        name: Its name.
        version: Its version.
        dataset_dir: Folder of the data set.
        manifest: The data set, as the bundle reads it.
        folds: All its folds.
        folder: Where its results go.
        weights_dir: Where the weights of the folds go.
        writes: Whether weights and chosen postprocessing go into the `bundle`, or weights into the
            output `folder` and postprocessing nowhere.
        epochs: Of one training, at most.
        iterations: Batches of an epoch.
        minutes: Limit of one training, if the config has one.
    """

    bundle: Path
    name: str
    version: str
    dataset_dir: Path
    manifest: Manifest
    folds: tuple[FoldPlan, ...]
    folder: Path
    weights_dir: Path
    writes: Literal["bundle", "folder"]
    epochs: int
    iterations: int
    minutes: float | None

    def folder_of(self, fold: int) -> Path:
        """Folder of one fold."""
        return self.folder / f"fold_{fold}"


def plan_crossvalidation(
    bundle: Path, pairs: Sequence[str], *, out: Path | None, kept: Literal["own", "installed"]
) -> CrossPlan:
    """Plan a cross-validation.

    Args:
        bundle: Folder of the bundle.
        pairs: `KEY=VALUE` texts for the training of all folds.
        out: Output folder; None is `crossvalidation` in the bundle's own output folder, and the
            weights then go into the bundle.
        kept: Whether the bundle is the user's own, or installed and left as it is.

    Raises:
        UsageError: For a key that this command sets or that is not there, or a bundle with weights
            of its own if `out` is None.
        DataError: For folds that cannot be cross-validated.
        NeedsTrustError: If the bundle needs trust.
    """
    train = open_configs(bundle, ["train"])
    both = open_configs(bundle, ["train", "evaluate"])
    shared = parse_overrides(pairs, train.merged)
    for key in shared:
        if key in _SET:
            raise UsageError(f"{key}: this command sets it; {_SET[key]}")
    if out is None:
        _require_own(bundle, kept)
    known = _Parts(bundle, shared)
    manifest, dataset_dir = known("manifest"), Path(known("dataset_dir"))
    numbers = require_folds(manifest)
    require_all_classes(manifest, dataset_dir)
    data = data_digest(manifest, dataset_dir, {})
    metadata = load_metadata(bundle / "configs" / "metadata.json")
    folder = out or Path(known("output_dir")) / "crossvalidation"
    return CrossPlan(
        bundle=bundle,
        name=metadata.name,
        version=metadata.version,
        dataset_dir=dataset_dir,
        manifest=manifest,
        folds=tuple(_fold(number, manifest, shared, (train, both), data) for number in numbers),
        folder=folder,
        weights_dir=bundle / "models" if out is None else out / "models",
        writes="bundle" if out is None else "folder",
        epochs=int(known("epochs")),
        iterations=int(known("iterations_per_epoch")),
        minutes=known("max_minutes"),
    )


def _require_own(bundle: Path, kept: str) -> None:
    """Refuse to write into a bundle that is not the user's, or whose weights would stay in use."""
    if kept == "installed":
        raise UsageError(
            f"{bundle.name}: is installed, so it is left as it is; add -o DIR for results and "
            "weights"
        )
    weights = bundle / "models" / "model.safetensors"
    if weights.exists():
        raise UsageError(
            f"{weights}: the bundle has weights of its own, which predictions would go on to use; "
            "add -o DIR for results and weights of the folds, or move that file away"
        )


class _Parts:
    """Values of the training config, as the bundle builds them."""

    def __init__(self, bundle: Path, shared: Overrides) -> None:
        workflow = open_workflow(
            bundle, configs=["train"], run_id="training", overrides=shared, log="quiet"
        )
        self._parser = cast("Any", workflow.parser)

    def __call__(self, key: str) -> Any:
        return self._parser.get_parsed_content(key) if key in self._parser.get() else None


def _fold(
    number: int,
    manifest: Manifest,
    shared: Overrides,
    opened: tuple[OpenedConfigs, OpenedConfigs],
    data: str,
) -> FoldPlan:
    train, both = opened
    trained = {**shared, "fold": number}
    judged = {**_SCORED, **trained}
    if _CHOSEN in both.merged:
        judged |= _NOTHING_REMOVED
    config = determining(checked_config(train, trained))
    scored = {
        key: value
        for key, value in determining(checked_config(both, judged)).items()
        if key != _CHOSEN
    }
    whole = _plain({"train": config, "predict": scored, "init_weights": _init_weights(config)})
    text = json.dumps({"config": whole, "data": data}, sort_keys=True)
    cases = fold_cases(manifest, number)
    return FoldPlan(
        fold=number,
        cases=len(cases),
        patients=len({case.patient for case in cases}),
        train=trained,
        evaluate=judged,
        config={**whole, "data": data},
        digest=hashlib.sha256(text.encode()).hexdigest(),
    )


def _plain(content: Any) -> Any:
    return json.loads(json.dumps(content, ensure_ascii=False, default=str))


def _init_weights(config: Mapping[str, Any]) -> str:
    path = config["control"].get("init_weights")
    return path_sha256(path) if isinstance(path, str) and Path(path).exists() else ""
