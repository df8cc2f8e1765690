from importlib.metadata import version

import pytest
import torch
from monai.data.meta_tensor import MetaTensor

from medseg.inference import EngineInferer, SlidingWindowLabels
from medseg.inference.engines import check, key, verdict
from medseg.networks import UNet


def network(seed=0):
    torch.manual_seed(seed)
    return UNet(
        spatial_dims=3, in_channels=1, out_channels=3, depth=2, first_width=4, norm="none"
    ).eval()


def inferer(**options):
    return EngineInferer(SlidingWindowLabels((16, 16, 16), grid="network"), **options)


def test_the_label_is_the_one_that_the_network_gives():
    image, net = torch.rand(1, 1, 24, 20, 16), network()
    direct = SlidingWindowLabels((16, 16, 16), grid="network")(image, net)
    label = inferer(engine="torch", precision="fp32")(image, net)
    assert torch.equal(label, direct)


def test_an_engine_serves_its_network_and_no_other():
    image, step = torch.rand(1, 1, 16, 16, 16), inferer(engine="torch", precision="fp32")
    first, second = network(0), network(1)
    step(image, first)
    direct = SlidingWindowLabels((16, 16, 16), grid="network")(image, second)
    assert torch.equal(step(image, second), direct)


def test_the_engine_is_held_against_windows_side_by_side():
    volume = torch.rand(1, 40, 16, 16)
    windows = inferer().inferer.windows_apart(volume)
    assert len(windows) == 3
    for found, start in zip(windows, (0, 16, 24), strict=True):
        assert torch.equal(found, volume[:, start : start + 16])


def test_a_volume_smaller_than_the_window_is_padded():
    label = inferer(engine="torch")(MetaTensor(torch.rand(1, 1, 9, 8, 7)), network())
    assert label.shape == (1, 1, 9, 8, 7)


@pytest.fixture
def checks(monkeypatch, tmp_path):
    """Which engines were held against torch in fp32, in a cache of their own."""
    monkeypatch.setenv("MEDSEG_CACHE", str(tmp_path))
    found, measure = [], check.label_agreement

    def counted(engine, reference, windows):
        found.append(f"{engine.name} {engine.precision}")
        return measure(engine, reference, windows)

    monkeypatch.setattr(check, "label_agreement", counted)
    return found


IMAGE = torch.rand(1, 1, 16, 16, 16, generator=torch.Generator().manual_seed(0))


def changed(monkeypatch, what):
    """What is opened the second time, and what of the machine is another then."""
    if what == "another processor":
        monkeypatch.setattr(verdict, "_model_of_cpu", lambda: "abacus")
    elif what.startswith("another version"):
        package = what.split()[-1]
        other = {package: "0.0.0"}
        monkeypatch.setattr(key, "version", lambda name: other.get(name) or version(name))
    elif what == "another layer":
        net = network()
        net.add_module("more", torch.nn.Identity())
        return net
    return network(1 if what == "other weights" else 0)


def test_an_engine_that_has_passed_is_not_checked_again(checks):
    inferer()(IMAGE, network())
    before = len(checks)
    assert before >= 1
    inferer()(IMAGE, network())
    assert len(checks) == before


@pytest.mark.parametrize(
    "what",
    [
        "other weights",
        "another layer",
        "another processor",
        *(f"another version of {name}" for name in ("torch", "openvino", "monai", "medseg")),
    ],
)
def test_anything_else_is_checked_anew(what, checks, monkeypatch):
    inferer()(IMAGE, network())
    before = len(checks)
    net = changed(monkeypatch, what)
    inferer()(IMAGE, net)
    assert len(checks) > before
