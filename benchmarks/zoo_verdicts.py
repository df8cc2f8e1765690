"""Verdicts on the bundles of MONAI's model zoo, as a table, and how long all of them take.

    python -m benchmarks.zoo_verdicts ZOO -o docs/how-to/zoo-verdicts.md

ZOO holds one folder a bundle: its configs, and `FILES.tsv` with all files of the published bundle.
Nothing of a bundle is executed; see docs/how-to/bundle-inspect.md.
"""

import argparse
import csv
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from medseg._files import write_atomically
from medseg.bundles.judgement.judge import judge_folder
from medseg.bundles.judgement.verdict import Judgement

# The first that a reason fits counts.
_WORDS = (
    (r"bundle's own code|Python of the bundle's own", "runs code of its own"),
    (r"pickles", "loads pickles"),
    (r"TorchScript|machine code", "loads or compiles programs (TorchScript, TensorRT)"),
    (r"which MONAI fetches", "lists files to fetch that cannot be checked"),
    (r"download", "downloads"),
    (r"fixed place on the disk", "names fixed places on the disk"),
    (r"writes|replaces|keeps its cache|FileHandler|training\.log", "writes files as it is told"),
    (r"reads|opens", "reads files as it is told"),
    (r"environment|changes how Python", "uses the environment or the import path"),
    (
        r"lambda|any function|cannot be followed|uses arg|unpacks|whose calls",
        "calls functions that cannot be followed",
    ),
    (r"do not list", "uses parts that the rules do not list"),
)
_MOST_WORDS = 5
_CODE = (".py", ".sh", ".ipynb")
_WEIGHTS = (".pt", ".pth", ".ts", ".onnx", ".safetensors")
_HEAD = """# Verdicts on the bundles of MONAI's model zoo

The {bundles} bundles of [Project-MONAI/model-zoo](https://github.com/Project-MONAI/model-zoo) at
commit `dfae206` (11 October 2024), judged by `medseg bundle inspect`; made by
`benchmarks/zoo_verdicts.py`. All of them together take a few seconds; nothing of them is executed.
Of them, {safe} are `safe`, {trust} need trust, {refused} are refused.

They were judged by their configs and lists of large files. The last column says what the published
bundles hold beside these, which was not there to be judged: Python, scripts and notebooks, and
weights, most of them places of their own.

Numbers are places: most bundles repeat a reason in each of their configs. That a bundle needs trust
says nothing against its authors: the zoo's bundles were written to be run, not to be judged.

| bundle | verdict | places | why | not here |
|---|---|---|---|---|
"""


def main() -> None:
    """Judge all, print the time, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("zoo", type=Path)
    parser.add_argument("-o", "--output", type=Path, help="the table; default: print it")
    options = parser.parse_args()
    bundles = sorted(path.parent for path in options.zoo.glob("*/configs"))
    begun = time.perf_counter()
    judged = {bundle: judge_folder(bundle) for bundle in bundles}
    took = time.perf_counter() - begun
    table = "".join(_table(judged))
    if options.output is None:
        print(table)
    else:
        write_atomically(options.output, lambda path: path.write_text(table, encoding="utf-8"))
    print(f"{len(judged)} bundles in {took:.1f} s")


def _table(judged: dict[Path, Judgement]) -> Iterator[str]:
    counts = Counter(judgement.verdict for judgement in judged.values())
    yield _HEAD.format(
        bundles=len(judged),
        safe=counts["safe"] or "none",
        trust=counts["needs trust"],
        refused=counts["refused"],
    )
    for bundle, judgement in judged.items():
        why, absent = _why(judgement), _absent(bundle)
        places = len(judgement.places)
        yield f"| {bundle.name} | {judgement.verdict} | {places} | {why} | {absent} |\n"


def _why(judgement: Judgement) -> str:
    refused = {
        f"**{place.file}: {_cell(place.reason)}**"
        for place in judgement.places
        if place.grade == "refused"
    }
    trust = Counter(_word(p.reason) for p in judgement.places if p.grade == "needs trust")
    told = [f"{words} ({count})" for words, count in trust.most_common(_MOST_WORDS)]
    rest = sum(count for _, count in trust.most_common()[_MOST_WORDS:])
    return "; ".join([*sorted(refused), *told, *([f"others ({rest})"] if rest else [])])


def _word(reason: str) -> str:
    found = (words for pattern, words in _WORDS if re.search(pattern, reason))
    return next(found, _cell(reason))


def _cell(reason: str) -> str:
    return reason.replace("|", "/").replace("*", "\\*")[:120]


def _absent(bundle: Path) -> str:
    with (bundle / "FILES.tsv").open(encoding="utf-8", newline="") as file:
        listed = [row["path"] for row in csv.DictReader(file, delimiter="\t")]
    absent = [path for path in listed if not (bundle / path).exists()]
    code = [path for path in absent if path.endswith(_CODE)]
    weights = [path for path in absent if path.endswith(_WEIGHTS)]
    rest = len(absent) - len(code) - len(weights)
    parts = (
        _counted(code, "file of code", "files of code"),
        _counted(weights, "weights file", "weights files"),
        f"{rest} other{'' if rest == 1 else 's'}" if rest else "",
    )
    return ", ".join(filter(None, parts)) or "nothing"


def _counted(paths: Iterable[str], one: str, many: str) -> str:
    known = list(paths)
    if not known:
        return ""
    folders = sorted({path.partition("/")[0] for path in known})
    return f"{len(known)} {one if len(known) == 1 else many} in {', '.join(folders)}"


if __name__ == "__main__":
    main()
