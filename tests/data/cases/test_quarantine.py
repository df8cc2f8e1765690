"""Files that break while a training runs: who is left out, who takes over, and when it ends."""

import os

import numpy as np
import pytest
import torch
from monai.data import DataLoader
from monai.transforms import Compose, LoadImaged

from medseg.data import CaseDataset
from medseg.data.cases.draws import Draw
from medseg.data.cases.quarantine import Quarantine
from medseg.errors import DataError, UsageError, user_error
from tests.data.builders import a_label, an_image, write_nifti

KEYS = ["image", "label"]
# Large enough that half of a file holds the header: it is the voxels that are missing.
SHAPE = (12, 12, 12)


class RandNoise:
    """The least augmentation: it reads a case, and draws from its own generator."""

    def set_random_state(self, seed=None, state=None):
        self.R = state

    def __call__(self, case):
        image, label = (np.array(case[key][...], dtype=np.float32) for key in KEYS)
        return {"case": case["case"], "image": image + self.R.rand(), "label": label}


@pytest.fixture
def cases(tmp_path):
    return [
        {
            "case": f"case_{number}",
            "image": str(write_nifti(tmp_path / f"image_{number}.nii.gz", an_image(number, SHAPE))),
            "label": str(write_nifti(tmp_path / f"label_{number}.nii.gz", a_label(SHAPE))),
        }
        for number in range(5)
    ]


def dataset(cases, share, cache="none", **more):
    preparation = Compose(
        LoadImaged(KEYS, reader="NibabelReader", image_only=True, ensure_channel_first=True)
    )
    return CaseDataset(
        cases, preparation, RandNoise(), cache=cache, seed=1, quarantine_share=share, **more
    )


def cut(path):
    """As a copy that was interrupted leaves it."""
    with open(path, "r+b") as file:  # noqa: PTH123 - a text of the case
        file.truncate(os.path.getsize(path) // 2)  # noqa: PTH202


def test_the_next_case_replaces_one_that_became_unreadable(cases, caplog):
    data = dataset(cases, share=0.2)
    assert data[Draw(1, 7)]["case"] == "case_1"
    cut(cases[1]["image"])
    sample = data[Draw(1, 7)]
    assert sample["case"] == "case_2"
    # The sample is that of the draw's number, as if the other case had been drawn.
    assert (sample["image"] == data[Draw(2, 7)]["image"]).all()
    assert data[Draw(1, 8)]["case"] == "case_2"
    told = [record for record in caplog.records if record.name == "medseg.data.cases.quarantine"]
    assert len(told) == 1
    assert told[0].message.startswith("case_1: cannot be read any more (")
    assert "\n" not in told[0].message


def test_the_last_case_is_followed_by_the_first(cases):
    data = dataset(cases, share=0.2)
    cut(cases[4]["label"])
    assert data[Draw(4, 0)]["case"] == "case_0"


def test_more_than_the_share_ends_it_with_all_names(cases):
    data = dataset(cases, share=0.2)
    for number in (1, 3):
        cut(cases[number]["image"])
    data[Draw(1, 0)]
    with pytest.raises(
        DataError, match=r"2 of 5 cases .* 0\.2: case_1, case_3 \(the last: "
    ) as stop:
        data[Draw(3, 1)]
    assert "\n" not in str(stop.value)


def test_without_a_share_the_first_ends_it_with_its_name(cases):
    data = dataset(cases, share=0)
    cut(cases[1]["image"])
    with pytest.raises(DataError, match=r"case_1: cannot be read any more \(.*start=resume"):
        data[Draw(1, 0)]


def test_a_file_that_is_gone_counts_as_broken(cases, tmp_path):
    data = dataset(cases, share=0.2)
    (tmp_path / "image_0.nii.gz").unlink()
    assert data[Draw(0, 0)]["case"] == "case_1"


def test_an_entry_of_the_disk_cache_that_is_damaged_counts_as_broken(cases, tmp_path):
    data = dataset(cases, share=0.2, cache="disk", cache_dir=tmp_path / "cache")
    assert data[Draw(0, 0)]["case"] == "case_0"
    for path in (tmp_path / "cache").glob("*/image.b2nd"):
        cut(path)
    with pytest.raises(DataError, match="2 of 5 cases cannot be read any more"):
        data[Draw(0, 1)]


def test_what_is_kept_in_memory_cannot_break(cases):
    data = dataset(cases, share=0, cache="memory")
    for case in cases:
        cut(case["image"])
    assert [data[Draw(n, n)]["case"] for n in range(5)] == [case["case"] for case in cases]


@pytest.mark.parametrize("workers", [0, 2])
def test_workers_know_of_each_others_broken_cases(cases, workers, caplog):
    data = dataset(cases, share=0.4)
    for number in (0, 3):
        cut(cases[number]["image"])
    draws = [Draw(number, number) for number in range(5)]
    loader = DataLoader(data, sampler=draws, batch_size=1, num_workers=workers)
    for _ in range(2):
        assert [batch["case"][0] for batch in loader] == [f"case_{n}" for n in (1, 1, 2, 4, 4)]
    assert data._quarantine.names == ["case_0", "case_3"]


def test_the_error_of_a_worker_is_the_line_it_was(cases):
    data = dataset(cases, share=0)
    cut(cases[2]["image"])
    loader = DataLoader(data, sampler=[Draw(2, 0)], batch_size=1, num_workers=1)
    with pytest.raises(DataError) as stop:
        list(loader)
    told = user_error(stop.value)
    assert isinstance(told, DataError)
    assert str(told).startswith("case_2: cannot be read any more (")
    assert "\n" not in str(told)


def test_a_mistake_in_the_augmentation_is_no_fault_of_a_case(cases):
    class Mistaken(RandNoise):
        def __call__(self, case):
            return case["no such key"]

    data = CaseDataset(
        cases,
        Compose(LoadImaged(KEYS, image_only=True, ensure_channel_first=True)),
        Mistaken(),
        cache="none",
        quarantine_share=0.9,
    )
    with pytest.raises(KeyError):
        data[Draw(0, 0)]
    assert data._quarantine.names == []


@pytest.mark.parametrize("share", [-0.1, 1, float("nan")])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(UsageError, match=r"quarantine_share must be in \[0, 1\)"):
        Quarantine(["a"], share)


@pytest.mark.slow
def test_workers_that_inherit_nothing_give_the_same_and_know_of_broken_cases_too(cases):
    # The process may have run what does not survive a fork; these begin anew.
    data = dataset(cases, share=0.2)
    cut(cases[0]["image"])
    draws = [Draw(number, number) for number in range(5)]
    loader = DataLoader(
        data, sampler=draws, batch_size=1, num_workers=1, multiprocessing_context="forkserver"
    )
    there = list(loader)
    assert data._quarantine.names == ["case_0"]
    for draw, batch in zip(draws, there, strict=True):
        assert torch.equal(batch["image"][0], torch.from_numpy(data[draw]["image"]))
