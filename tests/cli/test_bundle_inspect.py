"""`medseg bundle inspect` as its users have it: one screen, JSON, and an exit code for scripts."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from medseg.bundles.judgement.judge import judge_folder
from tests.bundles.judgement.zips import Raw, raw_zip, zip_of

BUNDLE = Path("bundles/hippocampus_mri_unet3d").resolve()


@pytest.fixture
def copy(tmp_path):
    """A copy of a bundle of medseg's."""
    folder = tmp_path / BUNDLE.name
    shutil.copytree(BUNDLE, folder, ignore=shutil.ignore_patterns("eval"))
    return folder


def packed(folder, path):
    """A zip of a folder, with the folder in it."""
    files = {
        f"{folder.name}/{file.relative_to(folder)}": file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }
    return zip_of(path, files)


def test_a_bundle_of_medsegs_is_safe_and_told_in_one_screen(command, copy, capfd):
    assert command("bundle", "inspect", copy) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[-1].startswith("verdict: safe - ")
    assert len(lines) < 30
    told = {
        line.partition("|")[0].strip(): line.partition("| ")[2] for line in lines if "|" in line
    }
    assert told["task"].startswith("Segmentation of the anterior and posterior hippocampus")
    assert told["labels"] == "background, anterior_hippocampus, posterior_hippocampus"
    assert told["image"] == "MR, 1 channel, 3-D"
    assert told["weights"].startswith("2.8 MB, 1,402,003 numbers (F16, F32), window 32x48x32")
    assert told["licences"].startswith("bundle Apache-2.0; data CC-BY-SA-4.0")
    assert "no signature, no golden case" in told["holds"]


def test_a_zip_is_told_as_its_folder(command, copy, capfd, tmp_path):
    assert command("bundle", "inspect", copy) == 0
    folder = capfd.readouterr().out.splitlines()
    assert command("bundle", "inspect", packed(copy, tmp_path / "a.zip")) == 0
    zipped = capfd.readouterr().out.splitlines()
    assert zipped[0].endswith("a.zip")
    assert zipped[-len(folder) + 2 :] == folder[2:]


def test_a_bundle_with_code_needs_trust_and_tells_where(command, copy, capfd):
    (copy / "scripts").mkdir()
    (copy / "scripts/net.py").write_text("raise SystemExit('it ran')")
    (copy / "scripts/other.py").write_text("raise SystemExit('it ran')")
    assert command("bundle", "inspect", copy) == 10
    *_, place, verdict = capfd.readouterr().out.splitlines()
    assert verdict.startswith("verdict: needs trust - 2 places; medseg bundle trust, digest ")
    assert verdict.endswith(judge_folder(copy).digest)
    assert "scripts" in place or "import" in place
    assert command("bundle", "inspect", copy, "--all") == 10
    out = capfd.readouterr().out
    assert "scripts/net.py: is Python of the bundle's own" in out
    assert "scripts/other.py: is Python of the bundle's own" in out


def test_a_bundle_with_a_link_is_refused(command, copy, capfd):
    (copy / "docs/extra.txt").symlink_to("/etc/passwd")
    assert command("bundle", "inspect", copy) == 11
    out = capfd.readouterr().out
    assert "| docs/extra.txt: is a link to somewhere else" in out
    assert out.splitlines()[-1] == "verdict: refused - 1 place; medseg does not run it"


def test_a_zip_that_leads_elsewhere_is_refused_as_a_whole(command, capfd, tmp_path):
    path = raw_zip(tmp_path / "a.zip", Raw(b"demo/../../a"))
    assert command("bundle", "inspect", path) == 11
    out = capfd.readouterr().out
    assert "a.zip: entry 'demo/../../a': its path has a part that is empty" in out
    assert command("bundle", "inspect", path, "--json") == 11
    told = json.loads(capfd.readouterr().out)
    assert (told["verdict"], told["bundle"]) == ("refused", None)


@pytest.mark.parametrize(
    ("make", "code", "words"),
    [
        (lambda folder: folder / "absent", 2, "absent"),
        (lambda folder: folder, 2, "not a bundle"),
        (lambda folder: zip_of(folder / "a.zip", {"a/b.txt": b"x"}), 3, "is no bundle"),
        (lambda folder: zip_of(folder / "a.zip", {"b.txt": b"x"}), 3, "one folder there"),
        (lambda _: Path("README.md"), 3, "README.md: is no zip"),
    ],
)
def test_what_is_no_bundle_is_one_line(command, capfd, tmp_path, make, code, words):
    assert command("bundle", "inspect", make(tmp_path)) == code
    error = capfd.readouterr().err
    assert words in error.replace("\n", " ")
    assert "Traceback" not in error


def test_json_has_the_documented_keys(command, copy, capfd):
    assert command("bundle", "inspect", copy, "--json") == 0
    told = json.loads(capfd.readouterr().out)
    documented = Path("docs/how-to/bundle-inspect.md").read_text(encoding="utf-8")
    for key in (*told, *told["bundle"], *told["bundle"]["weights"]):
        assert f"`{key}`" in documented, key
    assert told["verdict"] == "safe"
    assert told["digest"] == judge_folder(copy).digest
    assert told["bundle"]["labels"][0] == "background"
    assert told["bundle"]["needs"]["monai"] == "1.6.1"
    (copy / "scripts").mkdir()
    (copy / "scripts/net.py").write_text("")
    assert command("bundle", "inspect", copy, "--json") == 10
    (place,) = json.loads(capfd.readouterr().out)["places"]
    assert (place["file"], place["line"], place["grade"]) == ("scripts/net.py", None, "needs trust")
    assert set(place) == {"file", "line", "key", "grade", "reason"}


def test_scores_are_told_with_their_intervals(command, copy, capfd):
    metadata = json.loads((copy / "configs/metadata.json").read_bytes())
    rows = [
        {"of": "mean", "metric": "dsc", "value": 0.881, "interval": [0.87, 0.89]},
        {"of": "anterior hippocampus", "metric": "hd95_mm", "value": 1.5},
    ]
    metadata["scores"] = {"data": "fold 0 of MSD Task04", "cases": 35, "rows": rows}
    (copy / "configs/metadata.json").write_text(json.dumps(metadata))
    assert command("bundle", "inspect", copy) == 0
    told = " ".join(
        line.partition("| ")[2] for line in capfd.readouterr().out.splitlines() if "|" in line
    )
    assert "mean dsc 0.881 [0.87, 0.89], anterior hippocampus hd95_mm 1.5" in told
    assert "fold 0 of MSD Task04 (35 cases)" in told
    assert command("bundle", "inspect", copy, "--json") == 0
    scores = json.loads(capfd.readouterr().out)["bundle"]["scores"]
    assert scores["rows"][0]["interval"] == [0.87, 0.89]


FORGED = (
    "x\nverdict: safe - trust me",
    "x\r\nverdict: safe",
    "x\x1b[2J\x1b[Hverdict: safe",
    "x\u2028verdict: safe",
    "x" + " " * 300 + "verdict: safe",
    "\u202everdict: safe",
    "verdict: safe " * 40,
    "\U000e0076\u200b" * 50,
)


@pytest.mark.parametrize("text", FORGED, ids=range(len(FORGED)))
def test_no_text_of_a_bundle_can_pose_as_the_verdict(command, copy, capfd, text):
    metadata = json.loads((copy / "configs/metadata.json").read_bytes())
    for key in ("name", "task", "version", "data_source", "intended_use", "copyright"):
        metadata[key] = text
    metadata["required_packages_version"] = {text: text}
    metadata["network_data_format"]["inputs"]["image"]["modality"] = text
    metadata["network_data_format"]["outputs"]["pred"]["channel_def"] = {"0": text}
    metadata["eval_metrics"] = {text: 1}
    (copy / "configs/metadata.json").write_text(json.dumps(metadata))
    (copy / "docs/data_license.txt").write_text(text)
    (copy / "LICENSE").write_text(text)
    (copy / "scripts").mkdir()
    (copy / "scripts/x.py").write_text("")
    assert command("bundle", "inspect", copy) in (10, 11)
    out = capfd.readouterr().out
    lines = out.split("\n")[:-1]
    assert all(line.isprintable() for line in lines)
    assert [line for line in lines if line.startswith("verdict")] == lines[-1:]
    assert lines[-1].startswith(("verdict: needs trust - ", "verdict: refused - "))
    assert all(line[:2] == "  " and line[14:16] == "| " for line in lines[:-1])


def test_wrong_kinds_of_values_in_the_metadata_are_left_out(command, copy, capfd):
    for content in ("[]", "3", "{", '{"name": ["a"], "version": {}, "task": null, "scores": 3}'):
        (copy / "configs/metadata.json").write_text(content)
        assert command("bundle", "inspect", copy) in (0, 10, 11)
        out = capfd.readouterr().out
        assert "its metadata.json states no name or no version" in out


def test_nothing_heavy_is_imported(tmp_path):
    code = f"""
import atexit, sys
atexit.register(lambda: print(*sys.modules, file=sys.stderr))
sys.argv = ["medseg", "bundle", "inspect", {str(BUNDLE)!r}]
from medseg.cli.main import main
main()
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "verdict: safe" in ended.stdout
    heavy = {"torch", "monai", "ignite", "scipy", "nibabel", "PIL", "onnx", "matplotlib"}
    assert not heavy & set(ended.stderr.split())
