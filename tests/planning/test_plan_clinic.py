"""A plan from labels of a clinic: contours in DICOM, without a conversion."""

import json

import pytest

from medseg.data.manifest import load_manifest
from tests.data.dicom.labels.builders import contoured_patients

pytestmark = pytest.mark.filterwarnings("ignore")
ROIS = ("--rois", "GTV*=tumour")


@pytest.fixture
def medseg(command, capsys, monkeypatch, tmp_path):
    """Runs the command line beside two patients; gives exit code, standard output and error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MEDSEG_CACHE", str(tmp_path / "cache"))
    contoured_patients(tmp_path / "data")
    return lambda *words: (command(*map(str, words)), *capsys.readouterr())


def plan(*more, images="data/*/ct", labels="data/*/RS*.dcm"):
    return (
        *("plan", "mytask", "--images", images, "--labels", labels, "--modality", "CT"),
        *("--measured", "nothing", *more),
    )


def test_contours_are_planned_for_as_voxels_are(medseg, tmp_path):
    code, out, err = medseg(*plan(*ROIS))
    assert code == 0, err
    assert "labels background, tumour" in out
    manifest = load_manifest(tmp_path / "mytask/configs/mytask.json")
    assert manifest.rois == {"GTV*": "tumour"}
    assert [case.image for case in manifest.training] == ["anna/ct", "bert/ct"]
    (tumour,) = json.loads((tmp_path / "mytask/docs/plan.json").read_text())["facts"]["classes"]
    assert tumour["name"] == "tumour"
    code, out, _ = medseg("plan", "mytask", "--update", "--measured", "nothing")
    assert code == 0
    assert "nothing has changed" in out


def test_other_rois_are_read_anew(medseg, tmp_path):
    found = []
    for pattern in ("GTV*", "BODY"):
        code, out, err = medseg(*plan("--rois", f"{pattern}=tumour"))
        assert code == 0, err
        assert "(2 read now)" in out
        found.append(json.loads((tmp_path / "mytask/docs/plan.json").read_text())["facts"])
        (tmp_path / "mytask").rename(tmp_path / pattern.strip("*"))
    assert found[0]["classes"] != found[1]["classes"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (plan("--rois", "GTW*=tumour"), "did you mean --rois 'GTV_anna=tumour'?"),
        (plan(), "say which ROI is which class: --rois 'GTV_anna=tumour'"),
        (
            ("plan", "mytask", "--manifest", "m.json", *ROIS),
            "--rois is for --images and --labels; a manifest has rois of its own",
        ),
    ],
)
def test_names_that_do_not_fit_are_one_line(medseg, tmp_path, words, told):
    code, _, err = medseg(*words)
    assert code in (2, 3)
    assert told in " ".join(err.split())
    assert not (tmp_path / "mytask").exists()
