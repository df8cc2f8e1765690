"""Report of a cross-validation: its tables, and all that was found as JSON and as a page."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np

import medseg
from medseg._csv import csv_text
from medseg._files import write_atomically
from medseg.metrics.summary import Summary
from medseg.networks.members import fold_file
from medseg.planning.crossvalidation.fold_folder import write_json
from medseg.planning.crossvalidation.outcome import Outcome
from medseg.planning.crossvalidation.part_choice import ClassFinding, rule_words
from medseg.planning.crossvalidation.plan import CrossPlan
from medseg.planning.crossvalidation.progress import fold_progress
from medseg.planning.crossvalidation.unseen_cases import Compared
from medseg.reports.markdown import scores_markdown
from medseg.reports.scoring import write_scores
from medseg.reports.tables import Evaluation

__all__ = ["Written", "finding_line", "unseen_line", "write_report"]

# What became of the chosen postprocessing: in the bundle's configs, or only reported.
Written = Literal["in the bundle", "reported"]


def write_report(plan: CrossPlan, outcome: Outcome, written: Written) -> Path:
    """Write all tables of a cross-validation into its folder; earlier ones are renewed.

    `scores.csv`, `summary.csv`, `scores.json` and `scores.md` are those of `medseg evaluate`, with
    the fold as the group of a case. `crossvalidation.json` and `.md` add folds, postprocessing,
    test cases, and `disagreement.csv` how far the folds agree.

    Returns:
        The page.
    """
    write_scores(outcome.scores, plan.folder)
    if outcome.postprocessed is not None:
        write_scores(outcome.postprocessed, plan.folder / "postprocessed")
    if outcome.agreement:
        rows = [
            [case, name, f"{dsc:.6f}"]
            for case, classes in outcome.agreement.items()
            for name, dsc in classes.items()
        ]
        _write(
            plan.folder / "disagreement.csv", csv_text(["case", "name", "mean_pairwise_dsc"], rows)
        )
    write_json(plan.folder / "crossvalidation.json", _content(plan, outcome, written))
    page = plan.folder / "crossvalidation.md"
    _write(page, "\n".join(_page(plan, outcome, written)))
    return page


def finding_line(finding: ClassFinding, unit: str) -> str:
    """What was chosen for a class, and what it gains, in one line."""
    chosen, held_out = finding.chosen, finding.held_out
    if chosen.rule is None:
        return f"{finding.name}: all parts stay; removing any did not help out of fold"
    words = rule_words(chosen.rule, unit)
    gain = f"DSC {held_out.gain:+.4f} where it was not chosen {_interval(held_out.interval)}"
    if finding.rule is None:
        return f"{finding.name}: all parts stay; to keep {words} would change {gain}"
    counts = f"{held_out.better} cases better, {held_out.worse} worse"
    return f"{finding.name}: {words} is kept, {gain}, {counts}"


def unseen_line(compared: Compared) -> str:
    """All folds together against each alone, in one line."""
    singles = [one.summary.macro["dsc"] for one in compared.folds.values()]
    return (
        f"{len(compared.ensemble.scores)} test cases that no fold saw: DSC "
        f"{compared.ensemble.summary.macro['dsc']:.3f} by all folds together, "
        f"{np.mean(singles):.3f} by one ({min(singles):.3f} to {max(singles):.3f}); "
        f"{compared.gain:+.4f} {_interval(compared.interval)}"
    )


def _write(path: Path, text: str) -> None:
    write_atomically(path, lambda part: part.write_text(text, encoding="utf-8"))


def _interval(ends: tuple[float, float]) -> str:
    return f"[{ends[0]:+.4f}, {ends[1]:+.4f}]"


def _content(plan: CrossPlan, outcome: Outcome, written: Written) -> dict[str, Any]:
    scores, after = outcome.scores, outcome.postprocessed
    return {
        "medseg": medseg.__version__,
        "bundle": plan.name,
        "version": plan.version,
        "data": plan.manifest.name,
        "folds": list(_folds(plan, scores)),
        "scored": len(scores.scores),
        "failed": dict(scores.failed),
        "dsc": _dsc_content(scores.summary),
        "dsc_postprocessed": None if after is None else _dsc_content(after.summary),
        "postprocessing": {
            "written": written,
            "unit": _unit(scores),
            "classes": {one.name: _finding_content(one) for one in outcome.findings},
        },
        "test": None if outcome.compared is None else _test_content(outcome.compared),
        "agreement": {
            "mean_pairwise_dsc": _mean_agreement(outcome),
            "cases": {case: dict(classes) for case, classes in outcome.agreement.items()},
        },
    }


def _folds(plan: CrossPlan, scores: Evaluation) -> Iterator[dict[str, Any]]:
    groups = scores.by_group.groups if scores.by_group is not None else {}
    for fold in plan.folds:
        known = fold_progress(plan, fold.fold)
        summary = groups.get(f"fold {fold.fold}")
        yield {
            "fold": fold.fold,
            "cases": fold.cases,
            "patients": fold.patients,
            "epochs": None if known is None else known.epoch,
            "minutes": None if known is None else round(known.seconds / 60, 2),
            "weights": fold_file(plan.weights_dir, fold.fold).name,
            "digest": fold.digest,
            "dsc": None if summary is None else _dsc_content(summary),
        }


def _dsc_content(summary: Summary) -> dict[str, Any]:
    content: dict[str, Any] = {
        one.name: {"mean": one.metrics["dsc"].mean, "ci95": one.metrics["dsc"].ci95}
        for one in summary.classes
    }
    mean = {"mean": summary.macro["dsc"], "ci95": summary.macro_ci95["dsc"]}
    return {"classes": content, "mean of the classes": mean}


def _finding_content(finding: ClassFinding) -> dict[str, Any]:
    return {
        "used": None if finding.rule is None else asdict(finding.rule),
        "chosen_on_all_cases": asdict(finding.chosen),
        "chosen_on_the_other_folds": {
            str(fold): None if rule is None else asdict(rule)
            for fold, rule in finding.by_fold.items()
        },
        "held_out": {k: v for k, v in asdict(finding.held_out).items() if k != "rule"},
    }


def _test_content(compared: Compared) -> dict[str, Any]:
    return {
        "cases": len(compared.ensemble.scores),
        "ensemble": _dsc_content(compared.ensemble.summary),
        "folds": {str(fold): _dsc_content(one.summary) for fold, one in compared.folds.items()},
        "gain_over_one_fold": compared.gain,
        "gain_ci95": compared.interval,
    }


def _mean_agreement(outcome: Outcome) -> dict[str, float]:
    names = {name for classes in outcome.agreement.values() for name in classes}
    return {
        name: float(np.mean([classes[name] for classes in outcome.agreement.values()]))
        for name in sorted(names)
    }


def _unit(scores: Evaluation) -> str:
    return "px" if scores.unit == "px" else "ml"


def _page(plan: CrossPlan, outcome: Outcome, written: Written) -> Iterator[str]:
    scores = outcome.scores
    yield f"# Cross-validation of {plan.name} {plan.version} on {plan.manifest.name}"
    yield ""
    patients = sum(fold.patients for fold in plan.folds)
    yield (
        f"{len(plan.folds)} folds of {patients} patients, by medseg {medseg.__version__}. Each "
        "case was predicted by the network that had not seen it, in its own grid."
    )
    yield ""
    yield from _table(
        ["fold", "patients", "cases", "epochs", "minutes", "DSC"],
        [_fold_row(row) for row in _folds(plan, scores)],
    )
    yield ""
    yield "## Postprocessing"
    yield ""
    yield from (f"- {finding_line(one, _unit(scores))}" for one in outcome.findings)
    if not outcome.findings:
        yield "Labels number objects, so no part of them is removed."
    yield ""
    if outcome.postprocessed is not None:
        after = outcome.postprocessed.summary
        yield (
            f"Chosen on the other folds, it changes the mean DSC from "
            f"{scores.summary.macro['dsc']:.4f} to {after.macro['dsc']:.4f}. Used: {written}."
        )
        yield ""
    if outcome.compared is not None or outcome.agreement:
        yield "## Cases that no fold saw"
        yield ""
        yield from _unseen(outcome)
    yield scores_markdown(scores)


def _fold_row(row: Mapping[str, Any]) -> list[str]:
    dsc = "" if row["dsc"] is None else _mean_words(row["dsc"]["mean of the classes"])
    return [*(str(row[name]) for name in ("fold", "patients", "cases", "epochs", "minutes")), dsc]


def _mean_words(stated: Mapping[str, Any]) -> str:
    low, high = stated["ci95"]
    return f"{stated['mean']:.3f} [{low:.3f}, {high:.3f}]"


def _unseen(outcome: Outcome) -> Iterator[str]:
    if outcome.compared is not None:
        yield f"{unseen_line(outcome.compared)}."
        yield ""
        content = _test_content(outcome.compared)
        rows = [["all together", _mean_words(content["ensemble"]["mean of the classes"])]]
        rows += [
            [f"fold {fold}", _mean_words(stated["mean of the classes"])]
            for fold, stated in content["folds"].items()
        ]
        yield from _table(["by", "mean DSC of the classes"], rows)
        yield ""
    means = ", ".join(f"{name} {dsc:.3f}" for name, dsc in _mean_agreement(outcome).items())
    yield f"Agreement of the folds' labels (mean pairwise DSC, disagreement.csv): {means}."
    yield ""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
