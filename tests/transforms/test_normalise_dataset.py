import pytest
import torch

from medseg.errors import DataError, UsageError
from medseg.transforms import DatasetZScored

NUMBERS = {"low": -100.0, "high": 300.0, "mean": 50.0, "std": 25.0}


def test_it_clips_and_scales_by_hand():
    # -1000 is cut off at -100: (-100 - 50) / 25 = -6; 1000 at 300: 10; 75 is one above the mean
    image = torch.tensor([[[-1000.0, 50.0], [75.0, 1000.0]]])
    assert DatasetZScored("image", **NUMBERS)({"image": image})["image"].tolist() == [
        [[-6, 0], [1, 10]]
    ]


def test_every_channel_has_its_own_numbers():
    step = DatasetZScored("image", low=[0, 0], high=[10, 100], mean=[5, 50], std=[5, 50])
    image = torch.tensor([10.0, 100.0])[:, None, None].expand(2, 3, 3)
    assert step({"image": image})["image"].eq(1).all()


def test_the_same_tissue_has_the_same_value_in_every_image():
    step = DatasetZScored("image", **NUMBERS)
    first, second = torch.rand(1, 5, 5) * 40, torch.rand(1, 5, 5) * 200
    first[0, 0, 0] = second[0, 0, 0] = 60.0
    found = [step({"image": image})["image"][0, 0, 0] for image in (first, second)]
    assert found[0] == found[1] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"std": 0}, "std above 0"),
        ({"low": 300}, "low must be below high"),
        ({"mean": float("nan")}, "mean must be finite numbers, got nan"),
        ({"high": float("inf")}, "high must be finite numbers, got inf"),
        ({"low": []}, "low must be finite numbers"),
        ({"low": "low"}, "low must be finite numbers"),
        ({"mean": [1, 2]}, "must be one a channel each"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(changes, says):
    with pytest.raises(UsageError, match=says) as caught:
        DatasetZScored("image", **{**NUMBERS, **changes})
    assert "\n" not in str(caught.value)


def test_an_image_with_other_channels_is_refused():
    with pytest.raises(DataError, match="an image has 2 channels, but low, high, mean and std"):
        DatasetZScored("image", **NUMBERS)({"image": torch.rand(2, 3, 3)})
