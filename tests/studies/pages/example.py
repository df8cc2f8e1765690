"""A small study with known numbers: a baseline, a better row, a worse row, and one that failed."""

from pathlib import Path

import numpy as np
from PIL import Image

from medseg.studies.results import CaseScore, Cost, Losses, RunResult, StudyResults
from medseg.studies.statistics_types import (
    Comparison,
    Estimate,
    Noise,
    RankedRow,
    StudySummary,
)
from medseg.studies.study_file import Study

STUDY = Study.model_validate(
    {
        "title": "Losses | of a small net",
        "question": "Does the loss matter?",
        "source": "A publication, 2023",
        "seeds": [1, 2],
        "iterations": 300,
        "losses": True,
        "published": {"loss=jaccard": {"effect": "worse", "note": "0.1152 against 0.0556"}},
    }
)
ROWS = ("baseline", "width=64", "loss=jaccard", "norm=none")
# Mean score of a row, from which cases and seeds are off by known steps.
LEVEL = {"baseline": 0.80, "width=64": 0.86, "loss=jaccard": 0.70}


def run(folder: Path, row: str, seed: int) -> RunResult:
    """A scored run of two cases in two groups: level + 0.01 * seed, and 0.1 between cases."""
    level = LEVEL[row] + 0.01 * seed
    cases = tuple(
        CaseScore(
            case=case,
            class_name="gland",
            group=group,
            values={
                **{"dsc": level + step, "iou": level - 0.1, "accuracy": 0.9, "precision": 0.8},
                **{"recall": 0.7, "tp": 10.0, "fp": 1.0, "fn": 2.0, "tn": 87.0},
            },
        )
        for case, group, step in (("a", "normal", 0.0), ("b", "polyp", 0.1))
    )
    own = folder / f"{row}_{seed}"
    write_run_files(own, level)
    return RunResult(
        row=row,
        seed=seed,
        fold=0,
        digest=f"{row}-{seed}",
        folder=own,
        cases=cases,
        cost=Cost(
            minutes=1.5 + seed,
            iterations=300,
            best_epoch=2,
            epochs=3,
            parameters=1_940_000 if row != "width=64" else 7_760_000,
            macs=2_500_000_000,
            peak_memory_gb=1.25,
            case_ms=12.5,
        ),
        losses=Losses(train=0.9 - level, held_out=1.0 - level),
    )


def write_run_files(folder: Path, level: float) -> None:
    """Curves and a picture, as a training and its evaluation leave them."""
    (folder / "worst_cases").mkdir(parents=True)
    lines = "".join(f"{n},{1 / n},0.001,2,{level - 0.3 / n}\n" for n in (1, 2, 3))
    head = "epoch,train_loss,learning_rate,seconds,val_mean_dice\n"
    (folder / "metrics.csv").write_text(head + lines, encoding="utf-8")
    pixels = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "worst_cases" / "1.png")


def results(folder: Path) -> StudyResults:
    """Two seeds of each row; the last row failed under both."""
    scored = [run(folder, row, seed) for row in ROWS[:3] for seed in (1, 2)]
    failed = [
        RunResult(
            row="norm=none",
            seed=seed,
            fold=0,
            digest=f"norm=none-{seed}",
            folder=folder / f"none_{seed}",
            reason="/home/somebody/runs/x.csv: the loss is not a number at epoch 2",
        )
        for seed in (1, 2)
    ]
    return StudyResults(
        title=STUDY.title,
        score="dsc",
        rows=ROWS,
        overrides={
            "baseline": {},
            "width=64": {"network_def#first_width": 64},
            "loss=jaccard": {"loss#_target_": "medseg.losses.JaccardLoss"},
            "norm=none": {"network_def#norm": None},
        },
        published={"loss=jaccard": ("worse", "0.1152 against 0.0556")},
        runs=(*scored, *failed),
    )


def comparison(row: str, **values: object) -> Comparison:
    """A comparison, by default of a row without a scored run."""
    empty = {
        "runs": 0,
        "failed": (),
        "score": None,
        "difference": None,
        "difference_ci95": None,
        "p_value": None,
        "p_holm": None,
        "probability_better": None,
        "verdict": "",
        "classes": {},
    }
    return Comparison(row=row, **{**empty, **values})


SUMMARY = StudySummary(
    noise=Noise(seeds=2, mean=0.865, sd=0.0071, smallest_difference=0.0199),
    rows=(
        comparison(
            "baseline",
            runs=2,
            score=Estimate(mean=0.865, sd=0.0071, ci95=(0.8, 0.93)),
            verdict="the baseline",
            classes={"gland": 0.865, "macro": 0.865, "pooled": 0.871},
        ),
        comparison(
            "width=64",
            runs=2,
            score=Estimate(mean=0.925, sd=0.0071, ci95=(0.86, 0.99)),
            difference=0.06,
            difference_ci95=(0.05, 0.07),
            p_value=0.0001,
            p_holm=0.0002,
            p_mean=0.0003,
            p_mean_holm=0.0006,
            finding="better",
            probability_better=0.99,
            verdict="better",
            classes={"gland": 0.925, "macro": 0.925, "pooled": 0.93},
        ),
        comparison(
            "loss=jaccard",
            runs=2,
            score=Estimate(mean=0.765, sd=0.0071, ci95=(0.7, 0.83)),
            difference=-0.1,
            difference_ci95=(-0.11, -0.09),
            p_value=0.02,
            p_holm=0.04,
            p_mean=0.01,
            p_mean_holm=0.02,
            finding="worse",
            published="reproduced",
            notes=("1 score without a pair",),
            probability_better=0.01,
            verdict="worse",
            classes={"gland": 0.765, "macro": 0.765, "pooled": 0.77},
        ),
        comparison(
            "norm=none",
            failed=("/home/somebody/runs/x.csv: the loss is not a number at epoch 2",) * 2,
            verdict="no run was scored",
        ),
    ),
    ranking=(
        RankedRow(row="width=64", rank=1, rank_ci95=(1, 1), first_share=0.98),
        RankedRow(row="baseline", rank=2, rank_ci95=(1, 2), first_share=0.02),
        RankedRow(row="loss=jaccard", rank=3, rank_ci95=(3, 3), first_share=0.0),
    ),
)
