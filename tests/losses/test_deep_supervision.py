"""Deep supervision: one loss at several levels, weighted by halves."""

import pytest
import torch

from medseg.errors import UsageError
from medseg.losses import CrossEntropyLoss, DeepSupervision, PixelWeightedCELoss
from medseg.training.weighted_batch import WeightedLabel, WeightedLoss
from tests.losses.examples import example


class Size(torch.nn.Module):
    """A loss that is the number of voxels along the first axis."""

    def forward(self, logits, label):
        assert logits.shape[2:] == label.shape[2:]
        return torch.tensor(float(logits.shape[2]))


def test_levels_weigh_one_a_half_and_a_quarter():
    # (1 * 8 + 1/2 * 4 + 1/4 * 2) / 1.75 = 6
    levels = [torch.zeros(1, 2, size, size) for size in (8, 4, 2)]
    label = torch.zeros(1, 1, 8, 8, dtype=torch.uint8)
    assert DeepSupervision(Size())(levels, label).item() == 6


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int64, torch.float32])
def test_a_coarser_label_has_the_nearest_voxels_of_the_finer(dtype):
    seen = []

    class Kept(torch.nn.Module):
        def forward(self, logits, label):
            seen.append(label)
            return logits.sum()

    label = torch.tensor([[0, 1, 2, 3], [4, 5, 6, 7]], dtype=dtype)[None, None]
    levels = [torch.zeros(1, 2, 2, 4), torch.zeros(1, 2, 1, 2)]
    DeepSupervision(Kept())(levels, label)
    # The voxel behind the centre of each block of two by two.
    assert seen[1].tolist() == [[[[5, 7]]]]
    assert seen[0] is label


def test_of_one_tensor_it_is_the_inner_loss():
    logits, label = example((4, 5), 0)
    inner = CrossEntropyLoss()
    assert torch.equal(DeepSupervision(inner)(logits, label), inner(logits, label))


def test_a_weight_map_is_brought_along_with_its_label():
    logits, label = example((4, 4), 0)
    weight = torch.rand(label.shape)
    loss = DeepSupervision(WeightedLoss(PixelWeightedCELoss()))
    coarse = torch.nn.functional.avg_pool2d(logits, 2)
    value = loss([logits, coarse], WeightedLabel(label, weight))
    fine = PixelWeightedCELoss()(logits, label, weight)
    below = PixelWeightedCELoss()(coarse, label[..., 1::2, 1::2], weight[..., 1::2, 1::2])
    torch.testing.assert_close(value, (fine + below / 2) / 1.5)


def test_what_is_no_loss_is_refused():
    with pytest.raises(UsageError, match="loss must be a loss, got 'dice'"):
        DeepSupervision("dice")
