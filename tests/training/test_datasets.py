"""A training whose patches could not lie where it wants them ends before it reads a case."""

import pytest
from monai.transforms import Compose, EnsureTyped

from medseg.errors import UsageError
from medseg.training import Control, training_dataset
from medseg.transforms import Centres, ClassVoxelsd, RandWarpPatchd

# None of these files is there: what is refused is refused before they are looked for.
CASES = [{"case": "a", "image": "a.nii.gz", "label": "a_seg.nii.gz"}]


def warp(foreground):
    return RandWarpPatchd(
        ["image", "label"],
        [8, 8],
        [1, 1],
        ["linear", "nearest"],
        centres=Centres(foreground=foreground),
    )


def dataset(tmp_path, preparing, foreground):
    control = Control(output_dir=tmp_path, ckpt_dir=tmp_path, cache="none")
    return training_dataset(
        CASES,
        preparation=Compose(preparing),
        augmentation=Compose([Compose([warp(foreground)])]),
        control=control,
    )


def test_patches_around_voxels_that_nobody_lists_are_refused(tmp_path):
    with pytest.raises(UsageError, match=r"centres.foreground is 0\.75, but .* lists no voxels"):
        dataset(tmp_path, [EnsureTyped("image")], 0.75)


def test_a_label_that_changes_after_its_voxels_were_listed_is_refused(tmp_path):
    steps = [ClassVoxelsd("label"), EnsureTyped(["image", "label"])]
    with pytest.raises(UsageError, match="EnsureTyped changes label after ClassVoxelsd"):
        dataset(tmp_path, steps, 0.5)


@pytest.mark.parametrize(
    ("steps", "foreground"),
    [([], 0), ([ClassVoxelsd("label")], 0.5), ([ClassVoxelsd("label"), EnsureTyped("image")], 0.5)],
)
def test_random_patches_and_listed_voxels_are_accepted(tmp_path, steps, foreground):
    assert len(dataset(tmp_path, steps, foreground)) == 1
