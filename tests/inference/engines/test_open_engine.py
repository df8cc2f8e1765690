"""Engines: who computes, that they agree, and what they refuse."""

import logging
import shutil

import pytest
import torch
from monai.data.meta_tensor import MetaTensor
from torch import nn

from medseg.errors import UsageError
from medseg.inference.engines.open_engine import open_engine
from medseg.inference.engines.verdict import Agreement, write_verdict
from medseg.networks import UNet

CPU = torch.device("cpu")


def small(spatial_dims=3, **more):
    torch.manual_seed(0)
    return UNet(spatial_dims, 2, 3, depth=2, first_width=4, **more).eval()


def opened(network, tmp_path, window=(8, 8, 8), **more):
    return open_engine(network, window=window, channels=2, device=CPU, cache_dir=tmp_path, **more)


@pytest.mark.parametrize("norm_kind", ["instance", "batch", "group"])
@pytest.mark.parametrize("engine", ["torch", "openvino"])
@pytest.mark.parametrize("window", [(8, 12), (8, 12, 16)])
def test_every_engine_gives_the_networks_logits(engine, norm_kind, window, tmp_path):
    network = small(len(window), norm_kind=norm_kind)
    run = opened(network, tmp_path, window, engine=engine, precision="fp32")
    assert (run.name, run.precision) == (engine, "fp32")
    windows = torch.rand(2, 2, *window)
    torch.testing.assert_close(run(windows), network(windows).detach(), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("engine", ["torch", "openvino"])
def test_bf16_stays_near_and_comes_back_in_float32(engine, tmp_path):
    if engine == "openvino":
        _need_bf16()
    network = small()
    logits = opened(network, tmp_path, engine=engine, precision="bf16")(torch.ones(1, 2, 8, 8, 8))
    assert logits.dtype == torch.float32
    torch.testing.assert_close(
        logits, network(torch.ones(1, 2, 8, 8, 8)).detach(), rtol=0, atol=0.2
    )


@pytest.mark.parametrize("engine", ["torch", "openvino"])
def test_windows_of_a_batch_do_not_see_each_other(engine, tmp_path):
    run = opened(small(), tmp_path, engine=engine, precision="fp32")
    windows = torch.rand(3, 2, 8, 8, 8)
    alone = torch.cat([run(window) for window in windows.split(1)])
    torch.testing.assert_close(run(windows), alone)


@pytest.mark.parametrize("engine", ["torch", "openvino"])
def test_the_next_call_leaves_the_last_ones_logits_alone(engine, tmp_path):
    run = opened(small(), tmp_path, engine=engine, precision="fp32")
    first = run(torch.zeros(1, 2, 8, 8, 8))
    before = first.clone()
    run(torch.rand(1, 2, 8, 8, 8))
    assert torch.equal(first, before)


@pytest.mark.parametrize("engine", ["torch", "openvino"])
def test_a_window_may_be_a_view_of_a_volume(engine, tmp_path):
    run = opened(small(), tmp_path, engine=engine, precision="fp32")
    view = torch.rand(1, 2, 16, 16, 16).transpose(2, 4)[..., 2:10, 3:11, 4:12]
    torch.testing.assert_close(run(view), run(view.contiguous()))


def test_auto_on_a_cpu_is_openvino_and_then_torch(tmp_path):
    names = []
    engine = opened(small(), tmp_path)
    names.append((engine.name, engine.precision))
    while engine.fallback is not None:
        engine = engine.fallback()
        names.append((engine.name, engine.precision))
    assert names[0][0] == "openvino"
    assert names[-1] == ("torch", "fp32")
    assert len(set(names)) == len(names)


def test_what_the_user_names_has_no_fallback(tmp_path):
    assert opened(small(), tmp_path, engine="openvino", precision="fp32").fallback is None


class Bessel(nn.Module):
    """Nothing OpenVINO has."""

    def forward(self, image):
        return torch.special.bessel_j0(image)


def test_auto_passes_over_an_engine_that_lacks_an_operation(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        engine = opened(Bessel(), tmp_path, precision="fp32")
    assert engine.name == "torch"
    assert "openvino fp32 cannot be used" in caplog.text
    assert "\n" not in caplog.messages[0]


def test_a_named_engine_that_lacks_an_operation_is_refused_in_one_line(tmp_path):
    with pytest.raises(UsageError, match="openvino cannot convert this network") as caught:
        opened(Bessel(), tmp_path, engine="openvino")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("engine", ["torch", "openvino"])
def test_a_network_that_loses_a_rim_is_refused(engine, tmp_path):
    network = small(2, convolution="valid", norm="none")
    with pytest.raises(ValueError, match=r"the window's size \(20, 20\).* \(4, 4\)"):
        opened(network, tmp_path, (20, 20), engine=engine)(torch.rand(1, 2, 20, 20))


@pytest.mark.parametrize(
    "windows",
    [torch.rand(1, 2, 8, 8, 16), torch.rand(1, 1, 8, 8, 8), torch.rand(1, 2, 8, 8, 8).double()],
    ids=["another size", "another channel", "another type"],
)
def test_other_windows_are_refused(windows, tmp_path):
    run = opened(small(), tmp_path, engine="torch")
    with pytest.raises(ValueError, match=r"windows must be float32 \(B, 2, 8, 8, 8\), got"):
        run(windows)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"engine": "tensorrt"}, "engine must be one of"),
        ({"precision": "int8"}, "precision must be one of"),
        ({"compile": "maybe"}, "compile must be one of"),
        ({"window": (8, 0, 8)}, "window must be 2 or 3 whole numbers from 1"),
        ({"window": (8,)}, "window must be 2 or 3 whole numbers from 1"),
        ({"channels": 0}, "channels must be a whole number from 1"),
        ({"precision": "fp16"}, "fp16 is not supported on a CPU"),
    ],
)
def test_wrong_words_and_sizes_are_refused(wrong, words, tmp_path):
    given = {"window": (8, 8, 8), "channels": 2, "device": CPU, "cache_dir": tmp_path, **wrong}
    with pytest.raises(UsageError, match=words):
        open_engine(small(), **given)


def test_openvino_on_another_device_is_refused(tmp_path):
    with pytest.raises(UsageError, match="openvino supports CPUs only"):
        open_engine(
            small(),
            engine="openvino",
            precision="fp32",
            window=(8, 8, 8),
            channels=2,
            device=torch.device("cuda"),
            cache_dir=tmp_path,
        )


def test_the_network_is_left_as_it_is_but_for_its_mode(tmp_path):
    network = small(norm_kind="batch").train()
    before = {name: (t.clone(), t.stride()) for name, t in network.state_dict().items()}
    opened(network, tmp_path, engine="torch")(torch.rand(1, 2, 8, 8, 8))
    assert not network.training
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name][0])
        assert tensor.stride() == before[name][1]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch's compiler needs a C++ compiler")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torchs_compiler_gives_the_networks_logits(tmp_path):
    network = small(2)
    run = opened(network, tmp_path, (8, 8), engine="torch", precision="fp32", compile="default")
    windows = torch.rand(2, 2, 8, 8)
    torch.testing.assert_close(run(windows), network(windows).detach(), rtol=1e-3, atol=1e-4)


@pytest.mark.cuda
@pytest.mark.filterwarnings("ignore")
def test_logits_of_a_cuda_graph_outlast_the_next_call(tmp_path):
    network, device = small(2), torch.device("cuda")
    words = {"engine": "torch", "precision": "fp32", "compile": "reduce-overhead"}
    run = open_engine(
        network, window=(8, 8), channels=2, device=device, cache_dir=tmp_path, **words
    )
    windows = [torch.rand(2, 2, 8, 8, device="cuda") for _ in range(4)]
    logits = [run(stack) for stack in windows]
    network.cuda()
    for stack, found in zip(windows, logits, strict=True):
        torch.testing.assert_close(found, network(stack).detach(), rtol=1e-2, atol=1e-2)


def test_the_windows_of_a_volume_with_its_affine_are_taken(tmp_path):
    windows = MetaTensor(torch.rand(1, 2, 8, 8, 8))
    logits = opened(small(), tmp_path, engine="openvino", precision="fp32")(windows)
    assert type(logits) is torch.Tensor


@pytest.mark.cuda
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_cuda_gives_the_networks_logits(precision, tmp_path):
    device = torch.device("cuda")
    network = small()
    run = open_engine(
        network,
        precision=precision,
        window=(8, 8, 8),
        channels=2,
        device=device,
        cache_dir=tmp_path,
    )
    windows = torch.rand(2, 2, 8, 8, 8)
    logits = run(windows.to(device))
    assert (run.name, logits.device.type, logits.dtype) == ("torch", "cuda", torch.float32)
    torch.testing.assert_close(logits.cpu(), network(windows).detach(), rtol=0, atol=0.2)


def _need_bf16():
    from medseg.inference.engines.openvino import openvino_bf16

    if not openvino_bf16():
        pytest.skip("no bf16 on this processor")


def test_an_engine_that_was_refused_before_is_not_opened_again(tmp_path):
    refused = opened(small(), tmp_path, precision="fp32")
    assert refused.name == "openvino"
    write_verdict(refused.verdict, CPU, Agreement(dice=0.9, equal=0.9, classes=2))
    assert opened(small(), tmp_path, precision="fp32").name == "torch"
    # What the user named is used all the same.
    assert opened(small(), tmp_path, engine="openvino", precision="fp32").name == "openvino"
    write_verdict(refused.verdict, CPU, Agreement(dice=0.999, equal=0.9, classes=2))
    assert opened(small(), tmp_path, precision="fp32").name == "openvino"
