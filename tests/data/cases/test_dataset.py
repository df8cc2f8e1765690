"""The training data set: one sample for one draw, wherever its case waits and whoever makes it."""

import logging
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.data import DataLoader
from monai.transforms import (
    Compose,
    LoadImaged,
    MapTransform,
    OneOf,
    RandFlipd,
    RandGaussianNoised,
    Randomizable,
    ScaleIntensityRanged,
)

from medseg.data import CaseDataset, RandomDraws
from medseg.data.cases import estimate as estimating
from medseg.data.cases.draws import Draw
from medseg.errors import DataError, MachineError, UsageError
from medseg.transforms import ClassVoxelsd
from tests.data.builders import a_label, an_image, write_nifti

KEYS = ["image", "label"]
CACHES = ["memory", "disk", "none"]
SHAPE = (12, 10, 8)


class RandBoxd(MapTransform, Randomizable):
    """The least that reads a case: a box about a voxel of a class, as tensors."""

    def randomize(self, voxels):
        chosen = voxels[sorted(voxels)[self.R.randint(len(voxels))]]
        self.centre = chosen[self.R.randint(len(chosen))]

    def __call__(self, data):
        sample = dict(data)
        self.randomize(sample.pop("class_voxels"))
        window = tuple(slice(max(0, int(c) - 2), int(c) + 2) for c in self.centre)
        for key in self.keys:
            box = np.array(sample[key][(slice(None), *window)])
            grown = [(0, 0)] + [(0, 4 - n) for n in box.shape[1:]]
            sample[key] = torch.from_numpy(np.pad(box, grown)).float()
        return sample


def preparation(high_hu=1000):
    return Compose(
        [
            LoadImaged(KEYS, reader="NibabelReader", image_only=True, ensure_channel_first=True),
            ScaleIntensityRanged("image", -1000, high_hu, 0.0, 1.0),
            ClassVoxelsd("label", max_voxels=50),
        ]
    )


def augmentation():
    return Compose(
        [
            RandBoxd(KEYS),
            RandFlipd(KEYS, spatial_axis=0, prob=0.5),
            RandGaussianNoised("image", prob=1),
        ]
    )


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cases")
    return [
        {
            "case": f"case_{number}",
            "image": str(write_nifti(folder / f"i{number}.nii.gz", an_image(number, SHAPE))),
            "label": str(write_nifti(folder / f"l{number}.nii.gz", a_label(SHAPE))),
        }
        for number in range(4)
    ]


@pytest.fixture(scope="module")
def datasets(cases, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache")
    return {
        cache: CaseDataset(
            cases, preparation(), augmentation(), cache=cache, cache_dir=folder, seed=7
        )
        for cache in CACHES
    }


@pytest.fixture(scope="module")
def stored(cases):
    four_and_one_four_times = [*cases, *cases[:1] * 4]
    return CaseDataset(
        four_and_one_four_times, preparation(), augmentation(), seed=7, stored_augmentations=3
    )


def samples(dataset, workers, epochs=2, **more):
    draws = RandomDraws(len(dataset), 6, seed=1)
    loader = DataLoader(
        dataset, sampler=draws, batch_size=2, num_workers=workers, persistent_workers=workers > 0
    )
    batches = [batch for _ in range(epochs) for batch in loader]
    return [
        (name, image.numpy(), label.numpy())
        for batch in batches
        for name, image, label in zip(batch["case"], batch["image"], batch["label"], strict=True)
    ]


def equal(one, other):
    return all(
        a[0] == b[0] and np.array_equal(a[1], b[1]) and np.array_equal(a[2], b[2])
        for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize("cache", CACHES)
@pytest.mark.parametrize("workers", [1, 2])
def test_samples_do_not_depend_on_workers_nor_on_the_cache(datasets, cache, workers):
    assert equal(samples(datasets[cache], workers), samples(datasets["memory"], 0))


def test_each_draw_of_a_training_has_its_own_random_numbers(datasets):
    drawn = samples(datasets["memory"], 2, epochs=4)
    for number, one in enumerate(drawn):
        assert not any(np.array_equal(one[1], other[1]) for other in drawn[:number])


@given(index=st.integers(0, 3), number=st.integers(0, 2**40))
@settings(max_examples=20)
def test_a_draw_is_always_the_same_sample_and_another_draw_is_another(datasets, index, number):
    def image(draw, cache="memory"):
        return datasets[cache][draw]["image"]

    wanted = image(Draw(index, number))
    image(Draw(3 - index, number + 1))
    assert torch.equal(image(Draw(index, number), "disk"), wanted)
    assert torch.equal(image((index, number)), wanted)
    others = [image(Draw(index, number + step)) for step in range(1, 4)]
    assert not all(torch.equal(other, wanted) for other in others)


def test_nested_pipelines_and_random_choices_are_seeded_by_the_draw(cases):
    noises = [RandGaussianNoised("image", prob=1, std=std) for std in (0.1, 0.5)]
    nested = Compose([Compose([RandBoxd(KEYS)]), OneOf(noises)])
    dataset = CaseDataset(cases, preparation(), nested, seed=7)
    first = [dataset[Draw(0, number)]["image"] for number in range(5)]
    again = [dataset[Draw(0, number)]["image"] for number in reversed(range(5))]
    assert all(torch.equal(a, b) for a, b in zip(first, reversed(again), strict=True))
    assert not any(torch.equal(first[0], other) for other in first[1:])


def test_another_seed_gives_another_sample(cases, datasets):
    other = CaseDataset(cases, preparation(), augmentation(), seed=8)
    same = [torch.equal(other[i]["image"], datasets["memory"][i]["image"]) for i in range(4)]
    assert not all(same)


def test_a_resumed_training_gets_the_samples_that_would_have_followed(datasets):
    whole = samples(datasets["disk"], 0)
    draws = RandomDraws(4, 6, seed=1)
    draws.load_state_dict({"next_number": 8})
    left = [datasets["disk"][draw] for draw in draws]
    assert [(s["case"], s["image"].tolist()) for s in left] == [
        (case, image.tolist()) for case, image, _ in whole[8:]
    ]


@given(index=st.integers(0, 3), number=st.integers(0, 2**40))
@settings(max_examples=20)
def test_of_three_stored_augmentations_a_draw_gets_that_of_its_number_modulo_three(
    stored, index, number
):
    version = stored[Draw(index, number)]["image"]
    assert torch.equal(version, stored[Draw(index, number % 3)]["image"])
    assert torch.equal(version, stored[Draw(index, number + 300)]["image"])
    assert not torch.equal(version, stored[Draw(index, number + 1)]["image"])


def test_stored_augmentations_are_seeded_per_case(stored):
    # One case under four names: what differs is the chance alone.
    versions = [stored[Draw(4 + index, n)]["image"] for index in range(4) for n in range(3)]
    different = {image.numpy().tobytes() for image in versions}
    assert len(different) == 12


def test_stored_augmentations_do_not_depend_on_workers_nor_on_a_stop(stored):
    assert equal(samples(stored, 2), samples(stored, 0))


def test_the_original_is_one_version_more(cases):
    plain = Compose([RandBoxd(KEYS)])
    kept = CaseDataset(
        cases, preparation(), augmentation(), seed=7, stored_augmentations=2, original=plain
    )
    versions = [kept[Draw(0, number)]["image"] for number in range(6)]
    assert all(torch.equal(versions[n], versions[n + 3]) for n in range(3))
    # Without flips and noise, its values are those of the case, or of what was added to its rim.
    values = np.append(CaseDataset(cases[:1], preparation())[0]["image"], 0)
    assert [np.isin(version, values).all() for version in versions] == 2 * [False, False, True]


def test_two_processes_see_what_one_would(datasets):
    ranks = [RandomDraws(4, 3, seed=1, rank=rank, world_size=2) for rank in range(2)]
    together = [
        datasets["memory"][draw]["image"] for pair in zip(*ranks, strict=True) for draw in pair
    ]
    alone = samples(datasets["memory"], 0, epochs=1)
    assert all(np.array_equal(a, b) for a, (_, b, _) in zip(together, alone, strict=True))


@pytest.mark.parametrize("cache", CACHES)
def test_without_augmentation_whole_cases_come_in_order(cases, tmp_path, cache):
    dataset = CaseDataset(cases, preparation(), cache=cache, cache_dir=tmp_path)
    assert len(dataset) == 4
    for case, sample in zip(cases, dataset, strict=True):
        assert set(sample) == {"case", "image", "label"}
        assert sample["case"] == case["case"]
        assert (sample["image"].dtype, sample["label"].dtype) == (np.float32, np.uint8)
        assert sample["image"].shape == sample["label"].shape == (1, *SHAPE)
    image = an_image(0, SHAPE)
    np.testing.assert_allclose(dataset[0]["image"][0], (image + 1000) / 2000, atol=2**-11)
    np.testing.assert_array_equal(dataset[0]["label"][0], a_label(SHAPE))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        batch = next(iter(DataLoader(dataset, batch_size=2)))
    assert batch["image"].shape == (2, 1, *SHAPE)


def test_large_labels_come_out_in_a_type_torch_computes_with(tmp_path):
    label = write_nifti(tmp_path / "l.nii.gz", a_label(SHAPE).astype(np.uint16) * 300)
    image = write_nifti(tmp_path / "i.nii.gz", an_image(0, SHAPE))
    case = {"case": "a", "image": str(image), "label": str(label)}
    assert CaseDataset([case], preparation())[0]["label"].dtype == np.int32


def test_nobody_can_change_a_case_that_waits_in_memory(cases):
    def spoil(sample):
        sample["image"] += 1

    spoil.set_random_state = lambda state: None
    with pytest.raises(ValueError, match="read-only"):
        CaseDataset(cases, preparation(), spoil)[0]


def test_a_disk_cache_is_made_once_and_anew_for_another_recipe_or_file(cases, tmp_path, caplog):
    caplog.set_level(logging.DEBUG, logger="medseg")

    def made(cases, recipe):
        caplog.clear()
        CaseDataset(cases, recipe, cache="disk", cache_dir=tmp_path / "cache")
        return caplog.text.count(": prepared in")

    assert made(cases, preparation()) == 4
    # Chosen before an entry of another file is added, which these cases would not read again.
    damaged = next((tmp_path / "cache").glob("*/label.b2nd"))
    assert made(cases, preparation()) == 0
    assert f"cache disk: 4 of 4 cases are in {tmp_path / 'cache'}" in caplog.text
    assert made(cases, preparation(high_hu=999)) == 4
    other = write_nifti(tmp_path / "other.nii.gz", an_image(9, SHAPE))
    assert made([*cases[:3], {**cases[3], "image": str(other)}], preparation()) == 1
    damaged.write_bytes(b"short")
    assert made(cases, preparation()) + made(cases, preparation(high_hu=999)) == 1


def test_a_disk_cache_is_used_by_processes_that_share_nothing(cases, tmp_path):
    dataset = CaseDataset(cases, preparation(), augmentation(), cache="disk", cache_dir=tmp_path)
    expected = [dataset[index]["image"] for index in range(4)]
    sent = pickle.loads(pickle.dumps(dataset))
    assert all(torch.equal(sent[index]["image"], expected[index]) for index in range(4))
    # What travels is where the cases are, not what is open.
    assert b"b2nd" not in pickle.dumps(dataset)


TRAINING = """
import sys
import numpy as np
from medseg.data import CaseDataset

def prepare(case):
    prepared.append(case["case"])
    return {**case, "image": np.full((1, 40, 40, 40), case["value"])}

prepared = []
cases = [{"case": str(value), "image": f"made {value}", "value": value} for value in range(8)]
data = CaseDataset(cases, prepare, cache="disk", cache_dir=sys.argv[1])
assert [int(sample["image"].max()) for sample in data] == list(range(8))
print(len(prepared))
"""


def test_parallel_trainings_make_one_cache(tmp_path):
    (tmp_path / "training.py").write_text(TRAINING)
    command = [sys.executable, str(tmp_path / "training.py"), str(tmp_path / "cache")]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    told = [run.communicate()[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert sum(map(int, told)) >= 8
    assert len(list((tmp_path / "cache").iterdir())) == 8
    assert int(subprocess.run(command, capture_output=True, check=True).stdout) == 0


def test_an_entry_removed_during_training_is_reported_in_one_line(cases, tmp_path):
    dataset = CaseDataset(cases, preparation(), cache="disk", cache_dir=tmp_path)
    for entry in tmp_path.glob("*/entry.json"):
        entry.unlink()
    with pytest.raises(DataError, match="removed or damaged while in use; start again"):
        dataset[0]


@pytest.mark.parametrize("cache", ["memory", "disk"])
def test_the_expected_size_is_logged_before_the_cache_is_filled(cases, tmp_path, caplog, cache):
    caplog.set_level(logging.DEBUG, logger="medseg")
    CaseDataset(cases, preparation(), cache=cache, cache_dir=tmp_path)
    lines = [record.getMessage() for record in caplog.records]
    told = next(number for number, line in enumerate(lines) if line.startswith(f"cache {cache}: 4"))
    # 960 voxels of 3 bytes, and lists of 50 and of 3 voxels: some kilobytes.
    assert "cases" in lines[told]
    assert " 0.0 MB" in lines[told]
    assert sum(": prepared in" in line for line in lines[:told]) == 2
    assert sum(": prepared in" in line for line in lines[told:]) == 2


def test_a_log_has_no_line_for_each_case_but_one_for_all(cases, caplog):
    caplog.set_level(logging.INFO, logger="medseg")
    CaseDataset(cases, preparation())
    lines = [record.getMessage() for record in caplog.records]
    assert sum("prepared in" in line for line in lines) == 1
    assert lines[-1].startswith("4 cases prepared in ")


def test_too_little_memory_is_refused_with_advice(cases, monkeypatch):
    monkeypatch.setattr(estimating, "available_bytes", lambda: 5000)
    told = r"^cache memory: 4 cases need about 0\.0 MB more, and only 0\.0 MB .* take cache disk"
    with pytest.raises(MachineError, match=told):
        CaseDataset(cases, preparation())


def test_too_little_disk_space_is_refused_with_advice(cases, tmp_path, monkeypatch):
    usage = estimating.shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(estimating.shutil, "disk_usage", lambda folder: usage)
    told = rf"^{tmp_path}: 4 cases need about 0\.0 MB more, and only 0\.0 MB is free; make room"
    with pytest.raises(MachineError, match=told):
        CaseDataset(cases, preparation(), cache="disk", cache_dir=tmp_path)


def test_a_case_that_cannot_be_prepared_is_named(cases):
    def fail(case):
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug") as caught:
        CaseDataset(cases[2:3], fail)
    assert caught.value.__notes__ == ["while preparing case_2"]


def test_preparing_ends_at_the_first_error(cases):
    asked = []

    def fail(case):
        asked.append(case["case"])
        raise DataError("no")

    with pytest.raises(DataError, match="no"):
        CaseDataset(cases * 10, fail)
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"cases": []}, "cases must list at least one case"),
        ({"cases": {"image": "a"}}, "cases must list at least one case"),
        ({"cache": "ram"}, "cache must be one of memory, disk, none, got 'ram'"),
        ({"preparation": None}, "preparation must be callable, got NoneType"),
        ({"preparation": augmentation()}, "preparation must be the same .* RandBoxd is random"),
        ({"preparation": OneOf([])}, "preparation must be the same .* OneOf is random"),
        ({"augmentation": print}, "augmentation must have set_random_state"),
        ({"seed": -1}, "seed must be a whole number from 0, got -1"),
        (
            {"augmentation": augmentation(), "stored_augmentations": 0},
            "stored_augmentations must be a whole number from 1, got 0",
        ),
        ({"stored_augmentations": 3}, "stored_augmentations need an augmentation"),
        (
            {"augmentation": augmentation(), "original": augmentation()},
            "original is one version beside stored_augmentations; give their number",
        ),
        (
            {"augmentation": augmentation(), "stored_augmentations": 3, "original": print},
            "original must have set_random_state",
        ),
        ({"seed": 1.5}, r"seed must be a whole number from 0, got 1\.5"),
    ],
)
def test_arguments_that_make_no_sense_are_one_line(cases, changes, told):
    with pytest.raises(UsageError, match=f"^{told}.*$"):
        CaseDataset(**{"cases": cases, "preparation": preparation(), **changes})


def test_an_index_past_the_end_ends_an_iteration(datasets):
    with pytest.raises(IndexError, match="there are 4 cases, got index 4"):
        datasets["memory"][4]
    with pytest.raises(IndexError):
        datasets["memory"][-1]
