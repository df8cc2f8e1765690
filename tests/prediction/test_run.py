"""A prediction as a function: what it reads, asks the ledger and tells a listener."""

import csv
import json
from contextlib import contextmanager
from pathlib import Path

import nibabel
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.torch import save_file

from medseg.data.source import Source
from medseg.errors import ExitCode, MachineError, UsageError
from medseg.prediction import search as search_module
from medseg.prediction import tables
from medseg.prediction.ledger import Entry, Ledger
from medseg.prediction.request import Request
from medseg.prediction.run import run_prediction
from medseg.prediction.search import find_cases
from medseg.prediction.steps import CaseSteps
from tests.data.dicom.builders import count_reads, save, slices, uid
from tests.prediction.test_tables import Rows

OTHER = Entry(name="other", key="k", status="failed", settings="s", source="other.nii.gz")


class Told:
    """A listener that keeps what it is told."""

    def __init__(self):
        self.results, self.failures, self.finished = [], [], None
        self.warnings = []

    def forecast(self, name, text):
        pass

    def warning(self, text):
        self.warnings.append(text)

    def result(self, files, text):
        self.results.append(text)

    def failure(self, error, cause=None):
        self.failures.append(error)

    def finish(self, done, failed):
        self.finished = len(done), len(failed)


@pytest.fixture
def predict(trained, tmp_path):
    """Predicts paths into `out`; the exit code and what was told."""

    def run(*paths, **options):
        told = Told()

        @contextmanager
        def listen(total):
            yield told

        request = Request(
            **{
                "bundle": trained,
                "inputs": tuple(map(Source, paths)),
                "output": tmp_path / "out",
                "weights": None,
                "overrides": (),
                "existing": "refuse",
                "work": "predict",
                "remarkable": "told",
                "series_uid": None,
                "tilt": "refuse",
                "gaps": "refuse",
                "engine": "torch",
                "precision": "fp32",
                "formats": ("auto",),
                "maps": (),
                "mirror": (),
                "shard": (1, 1),
                "process": "shared",
                **options,
            }
        )
        return run_prediction(request, listen), told

    return run


@pytest.fixture
def body(phantoms):
    image = nibabel.load(phantoms / "images" / "phantom_003.nii.gz")
    return np.asarray(image.dataobj).astype(np.int16)


def test_a_series_is_looked_through_once_for_its_label_and_its_dicom_outputs(
    predict, body, tmp_path, monkeypatch
):
    series = save(slices(body), tmp_path / "ct")
    reads = count_reads(monkeypatch)
    code, _ = predict(series, formats=("nifti", "dicom-seg", "dicom-sr"))
    assert code == ExitCode.DONE
    assert (tmp_path / "out" / f"{uid('a')}_seg.dcm").is_file()
    count = body.shape[2]
    # Patient and study are read of one file when the outputs are written, and kept nowhere.
    assert reads == {"header": count + 1, "pixels": count}


def test_series_beyond_what_memory_should_hold_are_looked_for_again(
    predict, body, tmp_path, monkeypatch
):
    both = [save(slices(body, series=name), tmp_path / name) for name in "ab"]
    monkeypatch.setattr(search_module, "_KEPT_SLICES", body.shape[2])
    found = find_cases([Source(path) for path in both]).cases
    assert [case.series is None for case in found] == [False, True]
    assert predict(*both)[0] == ExitCode.DONE
    labels = [(tmp_path / "out" / f"{uid(name)}_seg.nii.gz").read_bytes() for name in "ab"]
    assert labels[0] == labels[1]


def test_a_series_that_came_in_while_others_were_predicted_is_labelled_as_it_is_then(
    predict, body, tmp_path, monkeypatch
):
    series, read = save(slices(body), tmp_path / "ct"), CaseSteps.read

    def grown(steps, case):
        more = np.concatenate([body, body[:, :, -1:]], axis=2)
        save(slices(more), series)
        return read(steps, case)

    monkeypatch.setattr(CaseSteps, "read", grown)
    assert predict(series, formats=("nifti", "dicom-seg"))[0] == ExitCode.DONE
    label = nibabel.load(tmp_path / "out" / f"{uid('a')}_seg.nii.gz")
    assert label.shape == (*body.shape[:2], body.shape[2] + 1)


def test_each_case_asks_for_its_own_row_of_the_ledger(predict, phantoms, tmp_path, monkeypatch):
    images = sorted((phantoms / "images").iterdir())
    # The running table reads all rows, as often as its time has come.
    monkeypatch.setattr(tables, "_INTERVAL_SECONDS", float("inf"))
    rows, read = Rows(monkeypatch), []
    for count in (1, 2, 3, 4):
        # A ledger that is there from the start: else the second case may look before it is.
        Ledger(tmp_path / str(count)).enter(OTHER)
        before = rows.read
        assert predict(*images[:count], output=tmp_path / str(count))[0] == ExitCode.DONE
        read.append(rows.read - before)
    steps = np.diff(read)
    assert len(set(steps.tolist())) == 1


def test_what_was_done_before_all_stopped_is_in_the_table_and_the_ledger(
    predict, phantoms, tmp_path, monkeypatch
):
    images, write = sorted((phantoms / "images").iterdir())[:3], CaseSteps.write

    def full(steps, made):
        if made.case.name == "phantom_001":
            raise MachineError("no space left; make room")
        return write(steps, made)

    monkeypatch.setattr(CaseSteps, "write", full)
    with pytest.raises(MachineError, match="make room"):
        predict(*images)
    with (tmp_path / "out" / "volumes.csv").open(newline="") as file:
        assert [row["case"] for row in csv.DictReader(file)] == ["phantom_000"]
    assert Ledger(tmp_path / "out").find("phantom_000").status == "done"
    monkeypatch.undo()
    code, told = predict(*images)
    assert code == ExitCode.DONE
    assert told.results[0] == "done already"
    assert told.finished == (3, 0)


def test_a_listener_hears_results_failures_and_the_end(predict, phantoms, tmp_path):
    image = phantoms / "images" / "phantom_000.nii.gz"
    code, told = predict(image, tmp_path / "nowhere.nii.gz")
    assert code == ExitCode.SOME_CASES_FAILED
    assert told.results[0].startswith("lung ")
    assert len(told.failures) == 1
    assert told.finished == (1, 1)


@pytest.mark.parametrize(
    ("output", "word"),
    [("file", "a file"), ("file/below", "a file"), ("link", "a link to nothing")],
)
def test_an_output_that_cannot_be_a_folder_is_one_line_before_the_work(
    predict, phantoms, tmp_path, output, word
):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    image = phantoms / "images" / "phantom_003.nii.gz"
    with pytest.raises(UsageError, match=f"{word}, not a folder"):
        predict(image, output=tmp_path / output)
    assert (tmp_path / "file").read_text() == "mine"


def test_maps_that_the_inferer_cannot_give_are_refused_before_the_first_case(
    predict, phantoms, tmp_path
):
    image = phantoms / "images" / "phantom_003.nii.gz"
    foreground = ("inferer#inferer#gives=foreground",)
    with pytest.raises(UsageError, match="maps need the probabilities"):
        predict(image, maps=("probabilities",), overrides=foreground, work="forecast")
    assert not (tmp_path / "out").exists()


def test_weights_of_phantoms_are_told_once_a_run(predict, phantoms):
    images = [phantoms / "images" / f"phantom_00{k}.nii.gz" for k in range(2)]
    line = "these weights are for research only: trained on phantoms, not on patients"
    for _ in ("labelled", "done already"):
        _, told = predict(*images)
        assert told.warnings.count(line) == 1


def test_weights_of_patients_images_are_no_warning(predict, phantoms, trained, tmp_path):
    weights = tmp_path / "patients.safetensors"
    with safe_open(trained / "models/model.safetensors", framework="pt") as stored:
        header = {**stored.metadata()}
        tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    provenance = {**json.loads(header["provenance"]), "trained_on": "images"}
    save_file(tensors, weights, {**header, "provenance": json.dumps(provenance)})
    _, told = predict(phantoms / "images/phantom_000.nii.gz", weights=weights)
    assert told.results[0].startswith("lung ")
    assert not [line for line in told.warnings if "research" in line]


def test_the_run_knows_no_command_line():
    source = Path(search_module.__file__).parent
    assert not any("medseg.cli" in path.read_text() for path in source.glob("*.py"))
