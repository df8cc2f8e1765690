"""Scores and table of the comparison at equal time."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from medseg.metrics.bootstrap import draw_cases, interval95

__all__ = ["case_scores", "print_forecasts", "print_table"]


def case_scores(
    labels: Path, predicted: Path, ending: str, class_names: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Dice of each class but the background, by case; a case without a prediction has 0.

    A class that is in neither scores 1.
    """
    scores: dict[str, dict[str, float]] = {}
    for label in sorted(labels.iterdir()):
        case = label.name.removesuffix(ending)
        truth, found = _voxels(label), _prediction(predicted, case, ending)
        scores[case] = {
            name: 0.0 if found is None else _dice(truth == value, found == value)
            for value, name in enumerate(class_names)
            if value
        }
    return scores


def print_table(results: Sequence[Mapping[str, Any]]) -> None:
    """Print Markdown: a row for each data set and budget, a column for each tool.

    The last column is the paired difference of medseg to nnU-Net over the cases.
    """
    tools = list(dict.fromkeys(result["tool"] for result in results))
    print(f"| data set | minutes | {' | '.join(tools)} | medseg - nnunet |")
    print(f"|---|---|{'---|' * len(tools)}---|")
    for name, minutes in dict.fromkeys((r["set"], r["minutes"]) for r in results):
        row = {r["tool"]: r for r in results if (r["set"], r["minutes"]) == (name, minutes)}
        cells = [_cell(row[tool]) if tool in row else "" for tool in tools]
        pair = _case_means(row["medseg"]) - _case_means(row["nnunet"]) if _both(row) else None
        cells.append("" if pair is None else _interval(pair, "+.3f"))
        print(f"| {name} | {minutes:g} | {' | '.join(cells)} |")


def print_forecasts(results: Sequence[Mapping[str, Any]]) -> None:
    """Print Markdown: what `medseg plan` said of time and memory, and what training took."""
    print("| data set | minutes | forecast | taken | peak memory, forecast | taken |")
    print("|---|---|---|---|---|---|")
    for result in results:
        said = result["forecast"]
        if said:
            took, peak = result["seconds"]["train"] / 60, result["peak_gb"]["train"]
            print(
                f"| {result['set']} | {result['minutes']:g} | {said['minutes']:.1f} min | "
                f"{took:.1f} min | {said['memory_gb']:.2f} GB | {peak:.2f} GB |"
            )


def _both(row: Mapping[str, Mapping[str, Any]]) -> bool:
    return {"medseg", "nnunet"} <= set(row)


def _cell(result: Mapping[str, Any]) -> str:
    taken = sum(s for step, s in result["seconds"].items() if step != "predict") / 60
    return f"{_interval(_case_means(result), '.3f')}, {taken:.1f} min"


def _case_means(result: Mapping[str, Any]) -> NDArray[np.float64]:
    cases = result["dsc"]
    return np.array([np.mean(list(cases[case].values())) for case in sorted(cases)])


def _interval(values: NDArray[np.float64], form: str) -> str:
    low, high = interval95(draw_cases(len(values)) @ values / len(values))
    return f"{values.mean():{form}} ({low:{form}} to {high:{form}})"


def _prediction(folder: Path, case: str, ending: str) -> Any:
    for name in (f"{case}{ending}", f"{case}_seg{ending}"):
        path = next(folder.rglob(name), None) if folder.is_dir() else None
        if path is not None:
            return _voxels(path)
    return None


def _voxels(path: Path) -> Any:
    if path.suffix == ".png":
        return np.asarray(Image.open(path))
    return np.asanyarray(nib.load(path).dataobj)


def _dice(truth: Any, found: Any) -> float:
    if truth.shape != found.shape:
        raise ValueError(f"label {truth.shape} and prediction {found.shape} differ in shape")
    both = int(truth.sum()) + int(found.sum())
    return 1.0 if both == 0 else 2 * int((truth & found).sum()) / both
