import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medseg.errors import UsageError
from medseg.inference.mirror import check_mirror_axes, mirrored


@given(axes=st.lists(st.integers(0, 2), unique=True))
def test_an_identity_network_gives_the_window_back(axes):
    windows = torch.rand(2, 1, 4, 5, 6)
    torch.testing.assert_close(mirrored(lambda stack: stack, axes)(windows), windows)


@given(axes=st.lists(st.integers(0, 1), unique=True))
def test_each_axis_doubles_the_calls(axes):
    calls = []
    mirrored(lambda stack: calls.append(1) or stack, axes)(torch.rand(1, 1, 4, 4))
    assert len(calls) == 2 ** len(axes)


@given(axes=st.lists(st.integers(0, 2), unique=True, min_size=1))
def test_mirroring_the_window_mirrors_the_logits(axes):
    torch.manual_seed(0)
    network = torch.nn.Conv3d(1, 2, 3, padding=1)
    windows = torch.rand(1, 1, 5, 4, 3)
    flip = [2 + axis for axis in axes]
    with torch.no_grad():
        turned = mirrored(network, axes)(windows.flip(flip))
        torch.testing.assert_close(turned, mirrored(network, axes)(windows).flip(flip))


def test_a_mean_by_hand():
    # The network sees the first voxel: 1, and in the mirror 3; the mean is 2.
    def first(stack):
        return stack[..., :1].expand_as(stack)

    assert mirrored(first, [0])(torch.tensor([[[1.0, 3.0]]])).tolist() == [[[2.0, 2.0]]]


@pytest.mark.parametrize("axes", [[0, 0], [3], [-1]])
def test_axes_that_are_not_there_are_refused(axes):
    with pytest.raises(UsageError, match="mirror_axes must be different axes from 0 to 2"):
        check_mirror_axes(axes, 3)
