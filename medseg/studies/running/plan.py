"""Plan of a study: all its runs, their configs checked and their digests known, nothing run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from medseg.bundles.determining import determining
from medseg.bundles.opened import OpenedConfigs, open_configs
from medseg.bundles.overrides import parse_overrides, resolve_overrides
from medseg.bundles.run import checked_config, open_workflow
from medseg.data.datasets.data_digest import data_digest
from medseg.data.digest import path_sha256
from medseg.data.manifest import Manifest
from medseg.errors import MedsegError, UsageError
from medseg.studies.results import BASELINE
from medseg.studies.running.rows import study_rows
from medseg.studies.running.run_digest import run_digest
from medseg.studies.running.score_names import require_score
from medseg.studies.running.splits import HELD_OUT, random_split
from medseg.studies.study_file import Study

__all__ = ["PlannedRun", "StudyPlan", "plan_study"]

# What a study sets in every run. Curves of TensorBoard would take as long as small trainings.
_ALWAYS = {"control::tensorboard": "none"}
# The engine of the weights as they are: conversion takes longer than small test sets.
_SCORED = {"engine": "torch"}

Overrides = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class PlannedRun:
    """One run: a row with one seed, on one fold.

    Attributes:
        row: Name of the row.
        seed: Its seed.
        fold: The fold held out.
        digest: Of all that determines it.
        iterations: Batches of its training; with a time limit, more than there will be.
        train: Overrides of the training, by full path with `::`.
        evaluate: Overrides of the evaluation, likewise, those of the training included.
        manifest: The data set with its own split; None if the bundle's or data set's is used.
    """

    row: str
    seed: int
    fold: int
    digest: str
    iterations: int
    train: Overrides
    evaluate: Overrides
    manifest: Manifest | None


@dataclass(frozen=True, kw_only=True)
class StudyPlan:
    """All runs of a study, row by row within each seed and fold, the baseline's first.

    Attributes:
        study: The study.
        bundle: Folder of its bundle.
        dataset_dir: Folder of the data set.
        manifest: The data set, as the bundle reads it.
        rows: Overrides by name of the row.
        runs: Its runs.
    """

    study: Study
    bundle: Path
    dataset_dir: Path
    manifest: Manifest
    rows: Mapping[str, Mapping[str, Any]]
    runs: tuple[PlannedRun, ...]

    def data_of(self, seed: int) -> Manifest:
        """The data set with the split of a seed."""
        whole = self.study.protocol == "folds"
        return self.manifest if whole else random_split(self.manifest, seed)


def plan_study(study: Study, bundle: Path, pairs: Sequence[str]) -> StudyPlan:
    """Plan a study.

    Args:
        study: The study.
        bundle: Folder of its bundle.
        pairs: `KEY=VALUE` texts from the user, for all runs; at least `dataset_dir`, unless the
            study's `base` has it.

    Raises:
        UsageError: For a key that the bundle does not have, a value that does not fit, rows that
            contradict one another, a fold without cases, a score that is not computed.
        NeedsTrustError: If bundle or study need trust.
    """
    rows = study_rows(study)
    opened = _Opened(
        bundle=bundle,
        train=open_configs(bundle, ["train"]),
        both=open_configs(bundle, ["train", "evaluate"]),
    )
    shared = {
        **resolve_overrides(study.base, opened.train.merged),
        **parse_overrides(pairs, opened.train.merged),
    }
    manifest, dataset_dir = _data(bundle, shared)
    require_score(study.score, manifest.label_kind)
    known: dict[Path, str] = {}
    splits = {one: data_digest(made, dataset_dir, known) for one, made in _splits(study, manifest)}
    runs: list[PlannedRun] = []
    for row, own in rows.items():
        try:
            overrides = {**shared, **resolve_overrides(own, opened.train.merged)}
            runs += _runs_of(study, row, overrides, opened, splits, manifest)
        except MedsegError as error:
            raise type(error)(f"row {row}: {error}") from error
    order = {row: place for place, row in enumerate(rows)}
    runs.sort(key=lambda run: (run.seed, run.fold, order[run.row]))
    return StudyPlan(
        study=study,
        bundle=bundle,
        dataset_dir=dataset_dir,
        manifest=manifest,
        rows=rows,
        runs=tuple(runs),
    )


@dataclass(frozen=True)
class _Opened:
    bundle: Path
    train: OpenedConfigs
    both: OpenedConfigs


def _data(bundle: Path, shared: Mapping[str, Any]) -> tuple[Manifest, Path]:
    """The manifest as the bundle's training reads it, and the folder of the data set."""
    overrides = {key: shared[key] for key in ("dataset_dir", "manifest_file") if key in shared}
    workflow = open_workflow(
        bundle, configs=["train"], run_id="training", overrides=overrides, log="quiet"
    )
    parser = cast("Any", workflow.parser)
    return parser.get_parsed_content("manifest"), Path(parser.get_parsed_content("dataset_dir"))


def _splits(study: Study, manifest: Manifest) -> Iterator[tuple[int | None, Manifest]]:
    if study.protocol == "folds":
        _require_folds(study, manifest)
        yield None, manifest
        return
    if study.folds != (HELD_OUT,):
        raise UsageError("folds: with random splits each seed has a split of its own; leave it out")
    for seed in sorted({*study.seeds, *study.noise_seeds}):
        yield seed, random_split(manifest, seed)


def _require_folds(study: Study, manifest: Manifest) -> None:
    there = sorted({case.fold for case in manifest.training if case.fold is not None})
    missing = [fold for fold in study.folds if fold not in there]
    if missing:
        raise UsageError(
            f"folds: fold {missing[0]} has no case in {manifest.name}; it has folds "
            f"{', '.join(map(str, there)) or 'none'}"
        )
    if study.split == "test" and not any(case.label for case in manifest.test):
        raise UsageError(f"split: {manifest.name} has no test case with a label; use validation")


def _runs_of(
    study: Study,
    row: str,
    overrides: Overrides,
    opened: _Opened,
    splits: Mapping[int | None, str],
    manifest: Manifest,
) -> Iterator[PlannedRun]:
    seeds = study.seeds + (study.noise_seeds if row == BASELINE else ())
    train = {**_ALWAYS, **overrides}
    config = checked_config(opened.train, train)
    budget = _budget(study, _per_epoch(opened.bundle, config, train))
    train |= {key: value for key, value in budget.items() if key not in overrides}
    scored = {
        **_SCORED, **train, **resolve_overrides(study.scoring, opened.both.merged),
        "split": study.split,
    }  # fmt: skip
    built = determining(checked_config(opened.train, train))
    judged = determining(checked_config(opened.both, scored))
    for seed in dict.fromkeys(seeds):
        split = seed if study.protocol == "random splits" else None
        for fold in study.folds:
            own = {"seed": seed, "fold": fold}
            rest = {
                **own,
                "data": splits[split],
                "threads": study.threads,
                "losses": study.losses,
                "init_weights": _init_weights(config),
            }
            yield PlannedRun(
                row=row,
                seed=seed,
                fold=fold,
                digest=run_digest(built, judged, rest),
                iterations=int(built["epochs"]) * _per_epoch(opened.bundle, built, train),
                train={**train, **own},
                evaluate={**scored, **own},
                manifest=None if split is None else random_split(manifest, seed),
            )


def _per_epoch(bundle: Path, config: Mapping[str, Any], train: Overrides) -> int:
    """Batches of an epoch, where a config computes them from the cases too."""
    stated = config["iterations_per_epoch"]
    if isinstance(stated, int):
        return stated
    workflow = open_workflow(
        bundle, configs=["train"], run_id="training", overrides=train, log="quiet"
    )
    return int(cast("Any", workflow.parser).get_parsed_content("iterations_per_epoch"))


def _budget(study: Study, per_epoch: int) -> Overrides:
    """Keys by which a training takes the study's budget."""
    if study.minutes is not None:
        return {"max_minutes": study.minutes, "epochs": 1_000_000, "early_stop_patience": None}
    if study.iterations is None:
        return {}
    per_epoch = min(per_epoch, study.iterations)
    return {
        "iterations_per_epoch": per_epoch,
        "epochs": round(study.iterations / per_epoch),
        "early_stop_patience": None,
    }


def _init_weights(config: Mapping[str, Any]) -> str:
    path = config["control"].get("init_weights")
    return path_sha256(path) if isinstance(path, str) and Path(path).exists() else ""
