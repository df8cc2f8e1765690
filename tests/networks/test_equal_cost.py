"""The flat U-Net of equal cost: nearest in MACs, by trying its neighbours."""

import pytest

from medseg.errors import UsageError
from medseg.networks import SegNet, UNet
from medseg.networks.equal_cost import flat_width
from medseg.networks.macs import macs


@pytest.mark.parametrize("choices", [{}, {"depth": 4, "norm_kind": "batch"}, {"max_width": 16}])
def test_no_other_width_is_nearer(choices):
    network = UNet(2, 3, 2, **{"depth": 3, "first_width": 8, **choices})
    arguments = {**network.describe(), "growth": 1, "max_width": None}
    del arguments["_target_"]
    sought, width = macs(network, (3, 16, 24)), flat_width(network, (16, 24))

    def distance(width):
        return abs(macs(UNet(**{**arguments, "first_width": width}), (3, 16, 24)) - sought)

    assert distance(width) <= min(distance(width - 1), distance(width + 1))
    assert width > 8


def test_a_flat_network_is_its_own_equal():
    assert flat_width(UNet(3, 1, 2, depth=3, first_width=7, growth=1), (8, 8, 8)) == 7


def test_a_flat_unet_may_be_sought_for_a_segnet():
    network = SegNet(2, 1, 2, convolutions=[2, 2], first_width=8)
    width = flat_width(network, (16, 16), {"depth": 3})
    flat = macs(UNet(2, 1, 2, depth=3, first_width=width, growth=1), (1, 16, 16))
    assert flat == pytest.approx(macs(network, (1, 16, 16)), rel=0.2)


def test_a_patch_that_does_not_fit_is_refused():
    with pytest.raises(UsageError, match="multiple of"):
        flat_width(UNet(2, 1, 2, depth=3, first_width=2), (10, 8))
