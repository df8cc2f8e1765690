"""What the U-Net promises: shapes, sizes, gradients, and which arguments it refuses."""

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from medseg.networks import UNet
from medseg.networks.cpu.instance_norm import InstanceNorm

CONVOLUTIONS = (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def published_2015() -> UNet:
    return UNet(2, 1, 2, depth=5, first_width=64, norm="none", convolution="valid")


def count(network: nn.Module, kind) -> int:
    return sum(isinstance(module, kind) for module in network.modules())


def test_the_network_of_2015_maps_572_voxels_to_388():
    with torch.device("meta"):  # shapes without the arithmetic
        network, image = published_2015(), torch.empty(1, 1, 572, 572)
        assert network(image).shape == (1, 2, 388, 388)
    assert network.output_size((572, 572)) == (388, 388)


def test_the_network_of_2015_has_23_convolutions():
    # 5 levels down x 2, 4 levels up x 2, 4 up-convolutions, 1 of one voxel: 10 + 8 + 4 + 1
    network = published_2015()
    kernels = [m.kernel_size for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert kernels.count((3, 3)) == 18
    assert kernels.count((1, 1)) == 1
    assert count(network, nn.ConvTranspose2d) == 4
    assert count(network, CONVOLUTIONS) == 23


def test_the_network_of_2015_has_the_published_widths():
    outputs = [m.out_channels for m in published_2015().modules() if isinstance(m, CONVOLUTIONS)]
    assert outputs == [
        *(64, 64, 128, 128, 256, 256, 512, 512, 1024, 1024),
        *(512, 512, 512, 256, 256, 256, 128, 128, 128, 64, 64, 64),
        2,
    ]


def test_the_parameters_of_a_tiny_network_by_hand():
    # 2-D, 1 -> 2, widths 3 and 6, no norm; weights + biases of each convolution:
    # down: 1*3*9+3 = 30, 3*3*9+3 = 84;  bottleneck: 3*6*9+6 = 168, 6*6*9+6 = 330
    # up: 6*3*4+3 = 75, 6*3*9+3 = 165, 3*3*9+3 = 84;  logits: 3*2*1+2 = 8
    network = UNet(2, 1, 2, depth=2, first_width=3, norm="none")
    assert sum(p.numel() for p in network.parameters()) == 30 + 84 + 168 + 330 + 75 + 165 + 84 + 8


@settings(max_examples=25)
@given(
    spatial_dims=st.integers(2, 3),
    depth=st.integers(2, 5),
    norm=st.sampled_from(["none", "one", "both"]),
    norm_kind=st.sampled_from(["batch", "instance", "group"]),
    activation=st.sampled_from(["relu", "elu"]),
)
def test_any_depth_keeps_the_size_and_names_the_classes(
    spatial_dims, depth, norm, norm_kind, activation
):
    network = UNet(
        spatial_dims,
        2,
        3,
        depth=depth,
        first_width=2,
        growth=1.5,
        norm=norm,
        norm_kind=norm_kind,
        activation=activation,
    ).eval()
    size = (2**depth, *(2 ** (depth - 1),) * (spatial_dims - 1))
    logits = network(torch.rand(1, 2, *size))
    assert logits.shape == (1, 3, *size)
    assert torch.isfinite(logits).all()
    blocks = 2 * depth - 1
    norms = (nn.modules.batchnorm._BatchNorm, InstanceNorm, nn.GroupNorm)
    assert count(network, norms) == {"none": 0, "one": 1, "both": 2}[norm] * blocks


@settings(max_examples=25)
@given(data=st.data())
def test_output_size_predicts_the_size_of_the_logits(data):
    depth = data.draw(st.integers(2, 4))
    kernels = data.draw(st.lists(st.integers(1, 3), min_size=depth, max_size=depth))
    pools = data.draw(st.lists(st.integers(1, 3), min_size=depth - 1, max_size=depth - 1))
    network = UNet(
        2,
        1,
        1,
        depth=depth,
        first_width=1,
        norm="none",
        convolution="valid",
        kernel_sizes=kernels,
        pool_sizes=pools,
    )
    size = data.draw(st.integers(1, 120))
    try:
        expected = network.output_size((size, size))
    except ValueError as error:
        fit = int(re.findall(r"\d+", str(error))[-1])
        assert fit > size
        assert network(torch.rand(1, 1, fit, fit)).shape[2] == network.output_size((fit,))[0]
        return
    assert network(torch.rand(1, 1, size, size)).shape[2:] == expected


def test_kernels_and_pools_may_differ_by_axis_and_level():
    network = UNet(
        3,
        1,
        2,
        depth=3,
        first_width=2,
        kernel_sizes=[(1, 3, 3), 3, (3, 5, 5)],
        pool_sizes=[(1, 2, 2), (2, 2, 2)],
    )
    kernels = [m.kernel_size for m in network.modules() if isinstance(m, nn.Conv3d)]
    assert kernels[:-1:2] == [(1, 3, 3), (3, 3, 3), (3, 5, 5), (3, 3, 3), (1, 3, 3)]
    ups = [m.stride for m in network.modules() if isinstance(m, nn.ConvTranspose3d)]
    assert ups == [(2, 2, 2), (1, 2, 2)]
    # each axis a multiple of its pools' product: 1*2 = 2, 2*2 = 4, 2*2 = 4
    assert network(torch.rand(1, 1, 6, 8, 12)).shape == (1, 2, 6, 8, 12)


@pytest.mark.parametrize(("convolution", "rim"), [("padded", 24), ("valid", 0)])
def test_a_shift_by_the_product_of_the_pools_shifts_the_logits(convolution, rim):
    # Pools 2 and 2: the network commutes with shifts by 4. A logit sees, to either side,
    # 2 voxels by the kernels of level 0, 2*2 of level 1, 2*4 of level 2, on the way up 2*2
    # and 2, and at most 3 by the pooling: 23. Valid convolutions never see a border.
    torch.manual_seed(0)
    network = UNet(2, 1, 2, depth=3, first_width=3, norm="none", convolution=convolution).double()
    noise = torch.rand(1, 1, 104, 100, dtype=torch.float64)
    unmoved, moved = network(noise[:, :, :100]), network(noise[:, :, 4:])
    length = unmoved.shape[2]
    columns = slice(rim, length - rim)
    expected = unmoved[:, :, 4 + rim : length - rim, columns]
    found = moved[:, :, rim : length - rim - 4, columns]
    assert expected.numel() > 0
    torch.testing.assert_close(found, expected)
    assert not torch.allclose(unmoved[:, :, rim : length - rim - 4, columns], expected)


@pytest.mark.parametrize("norm", ["none", "one", "both"])
@pytest.mark.parametrize("activation", ["relu", "elu"])
@pytest.mark.parametrize("spatial_dims", [2, 3])
def test_every_parameter_receives_a_gradient(spatial_dims, activation, norm):
    torch.manual_seed(1)
    network = UNet(
        spatial_dims, 1, 2, depth=3, first_width=4, activation=activation, norm=norm, dropout=0.1
    )
    logits = network(torch.randn(2, 1, *(8,) * spatial_dims))
    (logits * torch.randn_like(logits)).sum().backward()
    gradients = {name: p.grad for name, p in network.named_parameters()}
    still = [name for name, grad in gradients.items() if grad is None or not grad.abs().sum() > 0]
    assert still == []


@pytest.mark.parametrize("kind", ["batch", "instance"])
def test_an_input_norm_takes_away_brightness_and_contrast_of_the_image(kind):
    network = UNet(2, 3, 2, depth=2, first_width=2, norm="none", input_norm=kind)
    image = torch.rand(4, 3, 8, 8)
    torch.testing.assert_close(network(image), network(30 * image + 7), rtol=1e-3, atol=1e-3)
    assert network.describe()["input_norm"] == kind


def test_without_an_input_norm_weights_have_the_names_of_before():
    names = set(UNet(2, 1, 2, depth=2, first_width=2).state_dict())
    assert not {name for name in names if "input" in name}


def test_dropout_is_by_level_and_off_in_evaluation():
    network = UNet(2, 1, 2, depth=3, first_width=4, dropout=[0.0, 0.1, 0.5])
    rates = [m.p for m in network.modules() if isinstance(m, nn.Dropout)]
    assert rates == [0.1, 0.5, 0.1]  # level 1 down, bottleneck, level 1 up; none at level 0
    image = torch.rand(1, 1, 16, 16)
    network.train()
    assert not torch.equal(network(image), network(image))
    network.eval()
    assert torch.equal(network(image), network(image))


def test_one_rate_of_dropout_is_for_all_levels():
    network = UNet(2, 1, 2, depth=3, first_width=4, dropout=0.2)
    assert [m.p for m in network.modules() if isinstance(m, nn.Dropout)] == [0.2] * 5


@pytest.mark.parametrize("spatial_dims", [2, 3])
def test_bf16_on_the_processor_stays_close_to_float32(spatial_dims):
    torch.manual_seed(0)
    network = UNet(spatial_dims, 1, 2, depth=3, first_width=4)
    image = torch.randn(1, 1, *(16,) * spatial_dims)
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(image)
        logits.float().square().mean().backward()
    assert logits.dtype == torch.bfloat16
    # bf16 keeps 8 bits (0.4 %); some ten layers add up to a few per cent of the spread
    exact = network(image)
    assert (logits - exact).abs().mean() < 0.05 * exact.std()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters())


@pytest.mark.parametrize("spatial_dims", [2, 3])
def test_channels_last_changes_nothing_but_the_speed(spatial_dims):
    torch.manual_seed(0)
    layout = {2: torch.channels_last, 3: torch.channels_last_3d}[spatial_dims]
    network = UNet(spatial_dims, 2, 2, depth=3, first_width=4).eval()
    image = torch.randn(1, 2, *(8,) * spatial_dims)
    expected = network(image)
    found = network.to(memory_format=layout)(image.contiguous(memory_format=layout))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_the_input_is_left_as_it_was():
    image = torch.randn(1, 1, 16, 16)
    before = image.clone()
    UNet(2, 1, 2, depth=2, first_width=2)(image)
    assert torch.equal(image, before)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"spatial_dims": 4}, r"spatial_dims must be one of 2, 3, got 4"),
        ({"in_channels": 0}, "in_channels must be a whole number from 1, got 0"),
        ({"out_channels": 0}, "out_channels must be a whole number from 1, got 0"),
        ({"depth": 1}, "depth must be a whole number from 2, got 1"),
        ({"first_width": 0}, "first_width must be a whole number from 1, got 0"),
        ({"growth": 0.5}, "growth must be a finite number of at least 1, got 0.5"),
        ({"growth": float("nan")}, "growth must be a finite number of at least 1, got nan"),
        ({"max_width": 8}, "max_width must be a whole number from 32, got 8"),
        ({"activation": "tanh"}, r"activation must be one of relu, elu, got 'tanh'"),
        ({"norm": True}, r"norm must be one of none, one, both, got True"),
        ({"norm_kind": "layer"}, "norm_kind must be one of .*, got 'layer'"),
        ({"initialisation": "zero"}, "initialisation must be one of .*, got 'zero'"),
        ({"convolution": "same"}, "convolution must be one of .*, got 'same'"),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\), got 1.0"),
        ({"dropout": [0.1, 0.2]}, "dropout must have 5 entries at this depth, got 2"),
        ({"kernel_sizes": [3, 3]}, "kernel_sizes must have 5 entries at this depth, got 2"),
        ({"kernel_sizes": []}, "kernel_sizes must have 5 entries at this depth, got 0"),
        ({"kernel_sizes": [3, 3, 2, 3, 3]}, r"kernel_sizes must be odd .*, got \[\(2, 2\)\]"),
        ({"pool_sizes": [2, 2, 2]}, "pool_sizes must have 4 entries at this depth, got 3"),
        ({"pool_sizes": [2, 2, 2, (2, 2, 2)]}, "pool_sizes must be 2 whole numbers from 1"),
        ({"pool_sizes": [2, 2, 0, 2]}, r"an entry of pool_sizes must be .* from 1, got \(0, 0\)"),
    ],
)
def test_a_wrong_argument_is_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        UNet(**{"spatial_dims": 2, "in_channels": 1, "out_channels": 2} | arguments)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 1, 20, 16), r"a multiple of \(8, 8\), got \(20, 16\)"),
        ((1, 3, 16, 16), r"image must be \(B, 1, \*spatial\) with 2 spatial axes, got \(1, 3"),
        ((1, 16, 16), r"image must be \(B, 1, \*spatial\) with 2 spatial axes, got \(1, 16, 16\)"),
        ((1, 1, 8, 8), r"instance norm needs more than one voxel at the bottleneck"),
    ],
)
def test_an_image_that_does_not_fit_is_refused_with_the_way_out(shape, message):
    network = UNet(2, 1, 2, depth=4, first_width=2)
    with pytest.raises(ValueError, match=message):
        network(torch.zeros(shape))


def test_an_error_about_a_tile_states_the_next_size_that_fits():
    # 572 fits; so does each size 16 further on (the product of the pools), and none between
    network = published_2015()
    with pytest.raises(ValueError, match=r"got \(573, 560\); the next size that fits is \(588, 57"):
        network.output_size((573, 560))


@settings(max_examples=25)
@given(data=st.data())
def test_mirrored_convolutions_give_what_valid_ones_give_of_the_mirrored_image(data):
    depth = data.draw(st.integers(2, 3))
    size = data.draw(st.integers(50, 61))
    torch.manual_seed(0)
    mirrored = UNet(2, 1, 2, depth=depth, first_width=1, norm="none", convolution="mirrored")
    valid = UNet(2, 1, 2, depth=depth, first_width=1, norm="none", convolution="valid")
    valid.load_state_dict(mirrored.state_dict())
    image = torch.rand(1, 1, size, size)
    # By hand: levels of 2 and 3 lose 8 and 20 voxels on each side.
    rim = {2: 8, 3: 20}[depth]
    wide = size + 2 * rim
    while True:
        try:
            valid.output_size((wide, wide))
            break
        except ValueError:
            wide += 1
    after = wide - size - rim
    bordered = torch.nn.functional.pad(image, (rim, after, rim, after), mode="reflect")
    expected = valid(bordered)[..., :size, :size]
    assert mirrored(image).shape == (1, 2, size, size)
    torch.testing.assert_close(mirrored(image), expected)
    assert mirrored.output_size((size, size)) == (size, size)


def test_a_border_wider_than_the_image_has_nothing_to_mirror():
    network = UNet(2, 1, 2, depth=3, first_width=1, norm="none", convolution="mirrored")
    with pytest.raises(ValueError, match=r"has no more than 15 to mirror; use larger patches"):
        network(torch.rand(1, 1, 16, 16))
