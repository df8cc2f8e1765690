"""Max-pooling in 3-D: torch's, in the precision that its features have."""

import pytest
import torch

from medseg.networks.cpu.pooling import MaxPool3d

SIZES = [(2, 2, 2), (2, 2, 1)]


@pytest.mark.parametrize("size", SIZES)
def test_under_autocast_values_and_gradients_are_torchs_and_stay_in_bf16(size):
    features = torch.randn(2, 3, 4, 6, 8).bfloat16()
    results = []
    for pool in (MaxPool3d(size), torch.nn.MaxPool3d(size)):
        given = features.clone().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16):
            pooled = pool(given)
        pooled.float().square().sum().backward()
        results.append((pooled, given.grad))
    (mine, mine_back), (others, others_back) = results
    assert mine.dtype == torch.bfloat16
    assert torch.equal(mine.float(), others.float())
    assert torch.equal(mine_back, others_back)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_a_script_and_a_trace_have_torchs_operator(size):
    image, pool = torch.randn(1, 1, 4, 4, 4), MaxPool3d(size)
    for exported in (torch.jit.script(pool), torch.jit.trace(pool, image)):
        assert "with_indices" not in str(exported.inlined_graph)
        assert torch.equal(exported(image), pool(image))
