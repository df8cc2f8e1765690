"""Rounds of a lottery study: train, prune by magnitude, rewind, train again; with its controls.

For each seed the whole network is trained. Each round then prunes what the last one trained, so
that masks lie within one another, and sets what is left back to where its training began (Frankle
and Carbin) or to where it was after some epochs (their later finding for larger networks). Two
controls say what the ticket owes to its mask and what to its weights: the same mask with weights
drawn anew, and a random mask, of as many weights in each layer, with the first weights.

References:
    Frankle and Carbin, The lottery ticket hypothesis, ICLR 2019. https://arxiv.org/abs/1803.03635
    Frankle et al., Stabilizing the lottery ticket hypothesis, 2019. https://arxiv.org/abs/1903.01611
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from medseg.bundles.opened import open_configs
from medseg.bundles.overrides import parse_overrides, resolve_overrides
from medseg.errors import DataError, UsageError
from medseg.networks.weights import read_state, write_state
from medseg.studies.lottery.initial_weights import initial_weights
from medseg.studies.lottery.masks import magnitude_mask, masked, random_mask
from medseg.studies.results import BASELINE
from medseg.studies.running.plan import PlannedRun, StudyPlan, plan_study
from medseg.studies.study_file import Study

__all__ = ["LotteryRounds", "run_rounds"]

WEIGHTS = "model.safetensors"
# Weights drawn anew are those of another seed, far from those of a study.
_ANEW = 1_000_003
Rows = dict[str, dict[str, Any]]
Trained = dict[str, dict[str, Tensor]]


@dataclass(frozen=True, kw_only=True)
class LotteryRounds:
    """What is pruned and trained.

    Attributes:
        study: Baseline, seeds and budget; without rows of its own.
        bundle: Folder of the bundle.
        pairs: `KEY=VALUE` texts from the user.
        sparsities: Shares of the kernels' weights that are pruned, rising, in (0, 1).
        rewind_epoch: The epoch after whose end the later rewinding takes its weights.
        store: Folder of all runs.
        starts: Folder for the pruned weights that trainings start from.
    """

    study: Study
    bundle: Path
    pairs: Sequence[str]
    sparsities: Sequence[float]
    rewind_epoch: int
    store: Path
    starts: Path

    def __post_init__(self) -> None:
        """Check what the study and the sparsities say.

        Raises:
            UsageError: For a study with rows or folds of its own, or a list that does not rise.
        """
        if self.study.factors or self.study.combinations:
            raise UsageError("factors: a lottery study has rows of its own; leave factors out")
        if len(self.study.folds) > 1:
            raise UsageError("folds: a lottery study holds out one fold; give one")
        rises = all(a < b for a, b in pairwise((0.0, *self.sparsities, 1.0)))
        if not self.sparsities or not rises:
            shares = ", ".join(f"{100 * share:g}" for share in self.sparsities)
            raise UsageError(f"pruned: shares must rise, above 0 and below 100 %, got {shares}")


def run_rounds(rounds: LotteryRounds, run: Callable[[StudyPlan], None]) -> StudyPlan:
    """Run a lottery study round by round; what is in the store is not run again.

    Args:
        rounds: What is pruned and trained.
        run: Runs what has no result.

    Returns:
        The plan of all its runs, for its page.

    Raises:
        UsageError: For a rate schedule by the length of the training, since the weights of an
            early epoch would depend on it.
        DataError: If the training of a whole network or of a ticket failed.
    """
    early = {"epochs": rounds.rewind_epoch, "val_interval": rounds.rewind_epoch}
    _require_schedule(rounds)
    first = _plan(rounds, rounds.study, {_early_row(rounds): early})
    run(first)
    runs = [one for one in first.runs if one.row == BASELINE]
    rows: Mapping[str, Mapping[str, Any]] = {BASELINE: {}}
    for seed in rounds.study.seeds:
        own = {one.row: one for one in first.runs if one.seed == seed}
        trained = {row: _weights(rounds, one) for row, one in own.items()}
        started = {
            "ticket": initial_weights(rounds.bundle, own[BASELINE].train),
            "ticket of later weights": trained[_early_row(rounds)],
            "weights anew": initial_weights(
                rounds.bundle, {**own[BASELINE].train, "seed": seed + _ANEW}
            ),
        }
        last: Trained = dict.fromkeys(_TICKETS, trained[BASELINE])
        for plan in _rounds_of(rounds, seed, started, last, run):
            runs += [one for one in plan.runs if one.row != BASELINE]
            rows = {**plan.rows, **rows}
    order = [BASELINE, *(row for row in _row_names(rounds) if row in rows)]
    return replace(first, study=rounds.study, rows={r: rows[r] for r in order}, runs=tuple(runs))


_TICKETS: tuple[str, ...] = ("ticket", "ticket of later weights")
_KINDS = (*_TICKETS, "weights anew", "random mask")


def _rounds_of(
    rounds: LotteryRounds,
    seed: int,
    started: Trained,
    last: Trained,
    run: Callable[[StudyPlan], None],
) -> Iterator[StudyPlan]:
    """The rounds of one seed; `last` are the weights that each ticket had at its end."""
    for sparsity in rounds.sparsities:
        masks = {kind: magnitude_mask(last[kind], sparsity) for kind in _TICKETS}
        generator = torch.Generator().manual_seed(seed)
        starts = {
            **{kind: masked(started[kind], masks[kind]) for kind in _TICKETS},
            "weights anew": masked(started["weights anew"], masks["ticket"]),
            "random mask": masked(started["ticket"], random_mask(masks["ticket"], generator)),
        }
        rows: Rows = {}
        for kind, state in starts.items():
            path = rounds.starts / f"seed-{seed}" / f"{_row(kind, sparsity)}.safetensors"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_state(state, path, {})
            rows[_row(kind, sparsity)] = {"init_weights": str(path.resolve()), "freeze": "zeros"}
        study = rounds.study.model_copy(update={"seeds": (seed,), "noise_seeds": ()})
        plan = _plan(rounds, study, rows)
        run(plan)
        ran = {one.row: one for one in plan.runs}
        last = {kind: _weights(rounds, ran[_row(kind, sparsity)]) for kind in _TICKETS}
        yield plan


def _plan(rounds: LotteryRounds, study: Study, rows: Rows) -> StudyPlan:
    asked = study.model_copy(update={"combinations": rows, "published": {}})
    return plan_study(asked, rounds.bundle, rounds.pairs)


def _weights(rounds: LotteryRounds, run: PlannedRun) -> dict[str, Tensor]:
    path = rounds.store / run.digest / WEIGHTS
    if not path.exists():
        raise DataError(
            f"{path}: there are no weights of {run.row}, seed {run.seed}; its log.txt says why"
        )
    return read_state(path)[0]


def _require_schedule(rounds: LotteryRounds) -> None:
    config = open_configs(rounds.bundle, ["train"]).merged
    given = {
        **resolve_overrides(rounds.study.base, config), **parse_overrides(rounds.pairs, config)
    }  # fmt: skip
    schedule = given.get("schedule", config.get("schedule"))
    if schedule not in ("plateau", "constant"):
        raise UsageError(
            f"schedule={schedule} makes an early epoch depend on the length of the training; "
            "use schedule=constant or plateau for a lottery study"
        )


def _early_row(rounds: LotteryRounds) -> str:
    return f"after epoch {rounds.rewind_epoch}"


def _row(kind: str, sparsity: float) -> str:
    return f"{kind}, {100 * sparsity:g} % pruned"


def _row_names(rounds: LotteryRounds) -> Iterator[str]:
    for kind in _KINDS:
        for sparsity in rounds.sparsities:
            yield _row(kind, sparsity)
