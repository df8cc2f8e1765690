"""What the autocast inferer promises."""

import pytest
import torch
from monai.inferers import SimpleInferer, SlidingWindowInferer
from torch import nn

from medseg.errors import MachineError
from medseg.inference import AutocastInferer, fast_precision


class Spy(nn.Module):
    """Remembers in which type it computed."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv3d(1, 2, 3, padding=1)
        self.seen = []

    def forward(self, image):
        result = self.layer(image)
        self.seen.append(result.dtype)
        return result


@pytest.mark.parametrize(
    ("precision", "inside"), [("fp32", torch.float32), ("bf16", torch.bfloat16)]
)
def test_the_network_computes_in_the_precision_asked_for_and_answers_in_float32(precision, inside):
    network = Spy()
    image = torch.rand(1, 1, 8, 8, 8)
    logits = AutocastInferer(SimpleInferer(), precision=precision)(image, network)
    assert network.seen == [inside]
    assert logits.dtype == torch.float32


def test_auto_is_what_the_processor_is_fast_at():
    network = Spy()
    AutocastInferer(SimpleInferer())(torch.rand(1, 1, 4, 4, 4), network)
    wanted = {"fp32": torch.float32, "bf16": torch.bfloat16}[fast_precision("cpu")]
    assert network.seen == [wanted]


def test_it_works_around_a_sliding_window():
    network = Spy()
    image = torch.rand(1, 1, 16, 8, 8)
    windows = SlidingWindowInferer(roi_size=(8, 8, 8), overlap=0.0, mode="constant")
    logits = AutocastInferer(windows, precision="bf16")(image, network)
    assert logits.shape == (1, 2, 16, 8, 8)
    assert set(network.seen) == {torch.bfloat16}


def test_a_gradient_passes_through():
    network = Spy()
    AutocastInferer(SimpleInferer(), precision="bf16")(
        torch.rand(1, 1, 8, 8, 8), network
    ).sum().backward()
    assert torch.isfinite(network.layer.weight.grad).all()


def test_an_unknown_precision_is_refused():
    with pytest.raises(
        ValueError, match="precision must be one of auto, fp32, bf16, fp16, got 'fp8'"
    ):
        AutocastInferer(SimpleInferer(), precision="fp8")


@pytest.mark.cuda
def test_it_works_on_cuda():
    network = Spy().cuda()
    image = torch.rand(1, 1, 8, 8, 8, device="cuda")
    logits = AutocastInferer(SimpleInferer())(image, network)
    assert logits.dtype == torch.float32
    assert logits.is_cuda


def test_float16_is_for_gpus():
    with pytest.raises(MachineError, match="precision fp16 needs an NVIDIA GPU"):
        AutocastInferer(SimpleInferer(), precision="fp16")(torch.rand(1, 1, 4, 4, 4), Spy())
