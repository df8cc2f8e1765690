"""No attack is judged safe, and judging executes nothing, imports nothing and writes nothing."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.bundles.attacks.archives import sound_zip
from tests.bundles.attacks.case import write_base
from tests.bundles.attacks.corpus import CORPUS, FAMILIES, SEEN
from tests.conftest import BESIDE, REPOSITORY

GRAVITY = {"safe": 0, "needs trust": 1, "refused": 2}
OWN = sorted(path.parent.parent for path in (REPOSITORY / "bundles").glob("*/configs/train.yaml"))
ZOO = sorted(path.parent.parent for path in BESIDE.glob("zoo/*/configs/metadata.json"))

# Their verdicts are to be those of the folders. What no zip can hold is left out.
ZIPPED = [
    name
    for name in [name for name in CORPUS if not name.startswith(("files", "archives"))][::7]
    if "million" not in name
]


def _zipped(folder: Path) -> Path:
    path = folder.with_name(f"{folder.name}.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, f"b/{file.relative_to(folder)}")
    return path


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """What the judge said of each attack, the harmless bundles and the zoo, by name."""
    folder = tmp_path_factory.mktemp("attacks")
    work = folder / "work"
    work.mkdir()
    harmless = write_base(folder / "harmless", {})
    packed = folder / "harmless.zip"
    packed.write_bytes(sound_zip())
    paths = {name: CORPUS[name].make(folder / f"{i}") for i, name in enumerate(CORPUS)}
    paths |= {f"zip of {name}": _zipped(paths[name]) for name in ZIPPED}
    paths |= {"harmless": harmless, "harmless, packed": packed}
    paths |= {f"own: {path.name}": path for path in OWN} | {f"zoo: {p.name}": p for p in ZOO}
    warm = [*map(str, OWN), *map(str, ZOO), str(harmless), str(packed)]
    asked = {"harmless": warm, "paths": list(map(str, paths.values()))}
    (folder / "asked.json").write_text(json.dumps(asked))
    done = subprocess.run(
        [sys.executable, "-m", "tests.bundles.attacks.watch", "../asked.json", "../judged.json"],
        cwd=work,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results = json.loads((folder / "judged.json").read_text())
    assert list(work.iterdir()) == [], "an attack left its canary"
    return {name: results[str(path)] for name, path in paths.items()}


def test_there_are_attacks_of_every_family():
    assert sum(map(len, FAMILIES.values())) == len(CORPUS), "two attacks have one name"
    assert all(FAMILIES.values())


@pytest.mark.parametrize("name", CORPUS)
def test_an_attack_is_not_judged_safe(name, judged):
    verdict = judged[name]["verdict"]
    assert verdict in GRAVITY, judged[name]["error"]
    assert GRAVITY[verdict] >= GRAVITY[CORPUS[name].least], (verdict, judged[name]["places"])


@pytest.mark.parametrize("name", CORPUS)
def test_the_places_are_where_the_attack_is_and_are_told_in_one_line(name, judged):
    attack, result = CORPUS[name], judged[name]
    # Names of files are escaped by what prints them.
    told = [place[4] for place in result["places"]] or [result["error"]]
    assert all(line.isprintable() and line for line in told), told
    if attack.file is not None and not result["error"]:
        found = [place for place in result["places"] if place[0] == attack.file]
        assert any((place[1] or attack.first_line) >= attack.first_line for place in found), found


@pytest.mark.parametrize("name", ZIPPED)
def test_an_attack_in_a_zip_is_judged_as_in_a_folder(name, judged):
    packed, folder = judged[f"zip of {name}"], judged[name]
    for what in ("verdict", "places", "error", "digest"):
        assert packed[what] == folder[what], what


@pytest.mark.parametrize("name", ["harmless", "harmless, packed", *(f"own: {p.name}" for p in OWN)])
def test_what_is_harmless_is_judged_safe(name, judged):
    assert judged[name]["verdict"] == "safe", judged[name]["places"]


def test_judging_does_nothing_but_read_the_bundle(judged):
    assert {name: result["seen"] for name, result in judged.items() if result["seen"]} == {}


def test_the_bundles_of_the_model_zoo_are_judged_under_the_watch(judged):
    if not ZOO:
        pytest.skip(f"no configs of the model zoo: {BESIDE / 'zoo'} is not there")
    assert {judged[f"zoo: {path.name}"]["verdict"] for path in ZOO} <= set(GRAVITY)
    assert len(ZOO) == 31


def test_what_was_seen_to_work_is_in_the_corpus():
    rows = [row.split("\t") for row in SEEN.read_text().splitlines()]
    assert {name for name, _ in rows} <= set(CORPUS)
    assert sum(seen != "-" for _, seen in rows) > 300
