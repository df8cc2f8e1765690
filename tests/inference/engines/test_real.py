"""A network that was trained, on a real image: the fast engine's labels are torch's."""

import numpy as np
import pytest
import torch

from medseg.data.images.volume import read_volume
from medseg.inference.engines.check import label_agreement
from medseg.inference.engines.open_engine import open_engine
from medseg.inference.engines.verdict import LEAST_DICE
from medseg.networks import UNet

WINDOW = (48, 48, 16)


@pytest.fixture(scope="module")
def windows(real_data):
    """Two windows of a chest, air to soft tissue on [0, 1]."""
    path = real_data / "chest_ct" / "covid19-ct-seg" / "coronacase_01_ct.nii.gz"
    image = np.asarray(read_volume(path).array, dtype=np.float32)
    image = torch.as_tensor(image[::2, ::2, ::2])
    image = ((image - image.min()) / (image.max() - image.min())).clamp(0, 1)
    start = [(n - w) // 2 for n, w in zip(image.shape, WINDOW, strict=True)]
    box = tuple(slice(s, s + w) for s, w in zip(start, WINDOW, strict=True))
    return torch.stack([image[box], image[box].flip(0)])[:, None]


@pytest.fixture(scope="module")
def network(windows):
    """Taught in a few steps to tell air from tissue in just this image."""
    torch.manual_seed(0)
    network = UNet(3, 1, 2, depth=2, first_width=4)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    label = (windows[:, 0] > windows.median()).long()
    for _ in range(40):
        loss = torch.nn.functional.cross_entropy(network(windows), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.eval()


@pytest.mark.data
@pytest.mark.parametrize("engine", ["torch", "openvino"])
@pytest.mark.parametrize("precision", ["fp32", "auto"])
def test_labels_agree_with_torch_in_fp32(engine, precision, network, windows, tmp_path):
    run = open_engine(
        network,
        engine=engine,
        precision=precision,
        window=WINDOW,
        channels=1,
        device=torch.device("cpu"),
        cache_dir=tmp_path,
    )
    found = label_agreement(run, network, windows)
    assert found.classes == 2
    assert found.dice >= (LEAST_DICE if run.precision == "bf16" else 0.9999)
