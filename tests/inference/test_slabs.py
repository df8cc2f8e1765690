import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.inferers import SlidingWindowInferer

from medseg.inference.slabs import logit_slabs
from medseg.inference.windows import plan_windows

axis = st.tuples(st.integers(1, 6), st.integers(0, 9))
plans = st.fixed_dictionaries(
    {"overlap": st.floats(0, 0.8), "blend": st.sampled_from(["constant", "gaussian"])}
)


def put_together(volume, predict, windows, **options):
    slabs = list(logit_slabs(volume, predict, windows, **options))
    ends = [slab.start + slab.logits.shape[1] for slab in slabs]
    assert [slab.start for slab in slabs] == [0, *ends[:-1]]
    return torch.cat([slab.logits for slab in slabs], dim=1)


@given(axes=st.lists(axis, min_size=2, max_size=3), plan=plans, batch=st.integers(1, 5))
def test_an_identity_network_gives_the_volume_back(axes, plan, batch):
    size = [window for window, _ in axes]
    volume = torch.rand(2, *[window + more for window, more in axes])
    windows = plan_windows(volume.shape[1:], size, **plan)
    result = put_together(volume, lambda stack: stack, windows, batch=batch)
    torch.testing.assert_close(result, volume, rtol=1e-4, atol=1e-5)


def test_windows_that_are_not_wanted_are_not_run():
    seen = []
    volume = torch.rand(1, 12, 8)
    volume[:, :6] = 0

    def network(stack):
        seen.append(len(stack))
        return torch.cat((stack, 1 - stack), dim=1)

    windows = plan_windows((12, 8), (4, 4), overlap=0)
    result = put_together(
        volume, network, windows, should_run=lambda box: bool(volume[(slice(None), *box)].any())
    )
    # The windows from 4 to 8 and from 8 to 12, and before them one to learn how many classes there
    # are, as the first slab has none of its own.
    assert sum(seen) == 4 + 1
    assert (result.argmax(dim=0)[:4] == 0).all()
    torch.testing.assert_close(result[:, 4:], torch.cat((volume, 1 - volume))[:, 4:])


def test_a_volume_of_which_nothing_is_wanted_is_background():
    windows = plan_windows((12, 8), (4, 4), overlap=0.5)
    result = put_together(
        torch.rand(1, 12, 8),
        lambda stack: stack.repeat(1, 3, 1, 1),
        windows,
        should_run=lambda _: False,
    )
    assert result.shape == (3, 12, 8)
    assert (result.softmax(dim=0)[0] > 0.999).all()


def test_a_skipped_window_counts_as_one_that_says_background():
    volume = torch.rand(1, 12, 8)
    windows = plan_windows((12, 8), (4, 4), overlap=0.5)

    def network(stack):
        known = torch.cat((0 * stack, stack), dim=1)
        certain = torch.tensor([20.0, 0.0]).view(1, 2, 1, 1)
        return torch.where(stack.amax(dim=(1, 2, 3), keepdim=True) > 0.9, known, certain)

    everything = put_together(volume, network, windows)
    less = put_together(
        volume,
        network,
        windows,
        should_run=lambda box: bool(volume[(slice(None), *box)].max() > 0.9),
    )
    torch.testing.assert_close(less, everything)


def test_slices_are_handed_on_a_few_at_a_time():
    windows = plan_windows((50, 4, 4), (20, 4, 4), overlap=0.5)
    slabs = logit_slabs(torch.rand(1, 50, 4, 4), lambda stack: stack, windows)
    assert [slab.logits.shape[1] for slab in slabs] == [8, 2, 8, 2, 8, 2, 8, 8, 4]


def test_a_batch_of_nothing_is_refused():
    windows = plan_windows((4, 4), (4, 4))
    with pytest.raises(ValueError, match="batch must be a whole number from 1, got 0"):
        list(logit_slabs(torch.rand(1, 4, 4), lambda stack: stack, windows, batch=0))


@given(
    shape=st.tuples(*[st.integers(8, 21)] * 3),
    overlap=st.sampled_from([0.25, 0.5, 0.75]),
    blend=st.sampled_from(["constant", "gaussian"]),
)
def test_logits_are_those_of_monais_inferer(shape, overlap, blend):
    torch.manual_seed(0)
    # Padded with zeros at the faces of a window, so that windows disagree where they overlap.
    network = torch.nn.Conv3d(1, 3, 3, padding=1)
    volume = torch.randn(1, *shape)
    with torch.inference_mode():
        windows = plan_windows(shape, (8, 6, 7), overlap=overlap, blend=blend)
        slabs = put_together(volume, network, windows, batch=3)
        monais = SlidingWindowInferer((8, 6, 7), overlap=overlap, mode=blend)(volume[None], network)
    torch.testing.assert_close(slabs, monais[0], atol=1e-5, rtol=1e-4)
