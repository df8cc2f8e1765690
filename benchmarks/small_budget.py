"""Equal time, equal machine: Dice after so many minutes, beside nnU-Net in its best form for a CPU.

    python -m benchmarks.small_budget --peers PYTHON [--sets hippocampus ...] [--minutes 10 30]
    python -m benchmarks.small_budget --table

Start-up, planning and preprocessing count as training time; the same cases are for the test. Each
result is kept as JSON under `--out`, and what is there is not run again, so a list of runs that was
stopped goes on; a run that was stopped midway begins anew. `hand-made` is the bundle that medseg
ships. PYTHON has nnU-Net beside the packages of this one:

    python -m venv PEERS
    echo THIS_VENV/lib/python3.11/site-packages > PEERS/lib/python3.11/site-packages/beside.pth
    PEERS/bin/python -m pip install --constraint constraints.txt --no-deps -r benchmarks/peers.txt
"""

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from benchmarks._budget_arms import ARMS, Budget, Failed
from benchmarks._budget_sets import REPOSITORY, SETS, lay_out
from benchmarks._budget_table import case_scores, print_forecasts, print_table
from benchmarks._timing import cpu_model, versions

DATA = Path(os.environ.get("MEDSEG_DATA", REPOSITORY.parent / "shared" / "data"))


def main() -> int:
    """Run what is not there yet, and print the table."""
    options = _options()
    missing = 0
    if not options.table:
        os.environ["OMP_NUM_THREADS"] = str(options.threads)
        for minutes in options.minutes:
            for name in options.sets:
                for tool in options.tools:
                    missing += not _there(options, tool, name, minutes)
    results = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((options.out / "results").glob("*.json"))
    ]
    print(f"{cpu_model()}; {versions(['medseg', 'torch', 'monai'])}\n")
    results.sort(key=lambda r: (r["set"], r["minutes"], r["tool"]))
    print_table(results)
    print()
    print_forecasts(results)
    return 1 if missing else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tools", nargs="+", choices=ARMS, default=["medseg", "nnunet"])
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--minutes", nargs="+", type=float, default=[10.0, 30.0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--peers", default=sys.executable, help="Python that has nnU-Net")
    parser.add_argument("--out", type=Path, default=Path("runs/small_budget"))
    parser.add_argument("--table", action="store_true", help="print the table only")
    options = parser.parse_args()
    options.out = options.out.resolve()
    return options


def _there(options: argparse.Namespace, tool: str, name: str, minutes: float) -> bool:
    """Whether the result of a run is there; runs it if it is not."""
    result = options.out / "results" / f"{tool}-{name}-{minutes:g}.json"
    if result.is_file():
        return True
    print(f"{tool}, {name}, {minutes:g} min ...", file=sys.stderr, flush=True)
    data_set = SETS[name]
    layout = lay_out(data_set, options.data, options.out / "sets" / name)
    folder = options.out / "work" / result.stem
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    budget = Budget(minutes=minutes, peers=options.peers)
    try:
        predicted = ARMS[tool](data_set, layout, folder, budget)
    except Failed as failed:
        print(f"{tool}, {name}, {minutes:g} min: {failed}", file=sys.stderr, flush=True)
        return False
    labels = layout / "test" / "labels"
    scores = case_scores(labels, predicted, data_set.ending, data_set.class_names)
    content: dict[str, Any] = {
        **{"tool": tool, "set": name, "minutes": minutes, "threads": options.threads},
        **{"seconds": budget.seconds, "peak_gb": budget.peak_gb, "forecast": budget.forecast},
        "dsc": scores,
    }
    result.parent.mkdir(parents=True, exist_ok=True)
    draft = result.with_suffix(".part")
    draft.write_text(json.dumps(content, indent=1), encoding="utf-8")
    draft.replace(result)
    return True


if __name__ == "__main__":
    sys.exit(main())
