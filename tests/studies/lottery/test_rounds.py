"""Rounds of a lottery study on drawn glands: what each row starts from, what stays zero."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from medseg.bundles.run import run_bundle
from medseg.errors import UsageError
from medseg.executor.job import Ended
from medseg.networks.weights import read_state
from medseg.studies.lottery.initial_weights import initial_weights
from medseg.studies.lottery.masks import magnitude_mask, masked
from medseg.studies.lottery.rounds import LotteryRounds, run_rounds
from medseg.studies.running.run_study import missing_runs, run_missing
from medseg.studies.running.worker import run_once
from medseg.studies.study_file import Study
from tests.conftest import REPOSITORY
from tests.glands import write_glands

BUNDLE = REPOSITORY / "bundles" / "ebhi_histology_unet2d"
TINY = {
    "network_def#first_width": 2,
    "network_def#depth": 2,
    "patch_size": [32, 32],
    "epochs": 2,
    "iterations_per_epoch": 2,
    "batch_size": 1,
    "schedule": "constant",
    "control#stored_augmentations": None,
    "control#case_weights": None,
}


def _rounds(folder: Path, **changes) -> LotteryRounds:
    study = Study(title="Tickets", **{"base": TINY, "seeds": (1,), **changes})
    return LotteryRounds(
        study=study,
        bundle=BUNDLE,
        pairs=[f"dataset_dir={folder}"],
        sparsities=(0.5, 0.9),
        rewind_epoch=1,
        store=folder / "runs",
        starts=folder / "starts",
    )


@pytest.fixture(scope="module")
def lottery(tmp_path_factory):
    """The rounds, their plan, and the names of the runs in the order in which they were run."""
    folder = tmp_path_factory.mktemp("lottery")
    write_glands(folder)
    rounds, ran = _rounds(folder), []

    def here(jobs):
        for job in jobs:
            assert run_once(Path(job.arguments[0]))
            yield Ended(job=job, code=0)

    def run(plan):
        missing = missing_runs(plan, rounds.store)
        run_missing(plan, rounds.store, missing, here, lambda one, _: ran.append(one.row))

    return rounds, run_rounds(rounds, run), ran


def _trained(lottery, row: str) -> dict[str, torch.Tensor]:
    rounds, plan, _ = lottery
    (run,) = (one for one in plan.runs if one.row == row)
    return read_state(rounds.store / run.digest / "model.safetensors")[0]


def _start(lottery, row: str) -> dict[str, torch.Tensor]:
    return read_state(lottery[0].starts / "seed-1" / f"{row}.safetensors")[0]


def _equal(one, other) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


def test_every_row_is_run_once_the_whole_network_first(lottery):
    _, plan, ran = lottery
    assert ran[:2] == ["baseline", "after epoch 1"]
    assert list(plan.rows) == ["baseline"] + [
        f"{kind}, {share} % pruned"
        for kind in ("ticket", "ticket of later weights", "weights anew", "random mask")
        for share in (50, 90)
    ]
    assert sorted(ran) == sorted([*plan.rows, "after epoch 1"])


def test_a_ticket_is_the_first_weights_where_the_trained_ones_are_large(lottery):
    rounds, plan, _ = lottery
    first = initial_weights(rounds.bundle, plan.runs[0].train)
    mask = magnitude_mask(_trained(lottery, "baseline"), 0.5)
    assert _equal(_start(lottery, "ticket, 50 % pruned"), masked(first, mask))


def test_the_second_round_prunes_what_the_first_one_trained(lottery):
    kept = magnitude_mask(_trained(lottery, "ticket, 50 % pruned"), 0.9)
    start = _start(lottery, "ticket, 90 % pruned")
    assert all(torch.equal(start[name] != 0, mask) for name, mask in kept.items())


def test_a_random_mask_has_the_first_weights_and_weights_anew_have_the_mask(lottery):
    ticket, random = (_start(lottery, f"{k}, 50 % pruned") for k in ("ticket", "random mask"))
    anew = _start(lottery, "weights anew, 50 % pruned")
    both = {name: (ticket[name] != 0) & (random[name] != 0) for name in ticket}
    assert all(torch.equal(ticket[name][both[name]], random[name][both[name]]) for name in ticket)
    kernels = [name for name in ticket if ticket[name].dim() > 1]
    assert all(torch.equal(ticket[name] != 0, anew[name] != 0) for name in kernels)
    assert not any(torch.equal(ticket[name], anew[name]) for name in kernels)


@pytest.mark.parametrize("kind", ["ticket", "ticket of later weights", "random mask"])
def test_training_moves_what_is_left_and_keeps_zeros(lottery, kind):
    start, end = (of(lottery, f"{kind}, 90 % pruned") for of in (_start, _trained))
    kernels = [name for name in start if start[name].dim() > 1]
    assert all(torch.equal(start[name] == 0, end[name] == 0) for name in kernels)
    assert not _equal(start, end)


def test_a_network_begins_with_its_initial_weights(lottery):
    # Seen in a training whose steps are too small to change a float.
    rounds, plan, _ = lottery
    folder = rounds.store / "still"
    first = plan.runs[0]
    still = {**first.train, "learning_rate": 1e-30, "output_dir": str(folder)}
    run_bundle(rounds.bundle, configs=["train"], run_id="training", overrides=still, log="quiet")
    trained = read_state(folder / "models" / "model.safetensors")[0]
    for name, begun in initial_weights(rounds.bundle, first.train).items():
        torch.testing.assert_close(trained[name], begun, rtol=0, atol=1e-20)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"factors": {"norm": {"none": {"network_def#norm": "none"}}}}, "rows of its own"),
        ({"folds": (0, 1)}, "one fold"),
    ],
)
def test_a_study_with_rows_or_folds_of_its_own_is_refused(tmp_path, changes, message):
    with pytest.raises(UsageError, match=message):
        _rounds(tmp_path, **changes)


@pytest.mark.parametrize("sparsities", [(), (0.9, 0.5), (0.5, 0.5), (0.0, 0.5), (0.5, 1.0)])
def test_shares_that_do_not_rise_from_above_0_to_below_100_are_refused(tmp_path, sparsities):
    with pytest.raises(UsageError, match="pruned: shares must rise"):
        replace(_rounds(tmp_path), sparsities=sparsities)


def test_a_rate_by_the_length_of_the_training_is_refused(tmp_path):
    write_glands(tmp_path)
    rounds = _rounds(tmp_path, base={**TINY, "schedule": "polynomial"})
    with pytest.raises(UsageError, match="schedule=polynomial makes an early epoch depend"):
        run_rounds(rounds, lambda _: None)
