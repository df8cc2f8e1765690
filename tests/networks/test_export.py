"""What leaves Python: TorchScript, ONNX and safetensors give the same logits."""

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file, save_file

from medseg.networks import UNet

# torch.export warns of its own use of LeafSpec.
LEAF_SPEC = pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")
VARIANTS = {
    "2-D": {"spatial_dims": 2},
    "3-D": {"spatial_dims": 3},
    "2-D valid": {"spatial_dims": 2, "convolution": "valid", "norm": "none"},
    "3-D anisotropic": {
        "spatial_dims": 3,
        "kernel_sizes": [(1, 3, 3), 3],
        "pool_sizes": [(1, 2, 2)],
        "norm": "one",
        "norm_kind": "group",
        "activation": "elu",
    },
    "2-D batch": {"spatial_dims": 2, "norm_kind": "batch", "dropout": 0.3},
}


@pytest.fixture(params=VARIANTS.values(), ids=VARIANTS.keys())
def network(request) -> UNet:
    torch.manual_seed(0)
    return UNet(in_channels=1, out_channels=2, depth=2, first_width=4, **request.param).eval()


@pytest.fixture
def image(network) -> torch.Tensor:
    # 20 fits the valid network: 20 -4 16 /2 8 -4 4 *2 8 -4 4
    size = {4: (20, 20), 5: (4, 8, 12)}[network.stem[0].weight.ndim]
    return torch.randn(1, 1, *size, generator=torch.Generator().manual_seed(0))


def test_script_gives_the_same_logits(network, image):
    torch.testing.assert_close(torch.jit.script(network)(image), network(image))


# A trace fixes sizes, and says so where torch's norms check theirs.
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_trace_gives_the_same_logits(network, image):
    torch.testing.assert_close(torch.jit.trace(network, image)(image), network(image))


def test_a_script_survives_its_file(network, image, tmp_path):
    torch.jit.script(network).save(tmp_path / "model.ts")
    torch.testing.assert_close(torch.jit.load(tmp_path / "model.ts")(image), network(image))


def test_a_script_takes_other_sizes(network, image):
    larger = torch.cat([image, image], dim=-1) if image.ndim == 5 else torch.rand(2, 1, 24, 28)
    torch.testing.assert_close(torch.jit.script(network)(larger), network(larger))


@LEAF_SPEC
def test_onnx_gives_the_same_logits(network, image, tmp_path):
    path = tmp_path / "model.onnx"
    torch.onnx.export(network, (image,), path, dynamo=True, verbose=False, input_names=["image"])
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {"image": image.numpy()})
    np.testing.assert_allclose(logits, network(image).detach().numpy(), rtol=1e-3, atol=1e-4)


@LEAF_SPEC
def test_onnx_takes_any_number_of_windows_and_any_size_that_fits(tmp_path):
    torch.manual_seed(0)
    network = UNet(3, 1, 2, depth=3, first_width=2).eval()
    path = tmp_path / "model.onnx"
    names = [torch.export.Dim("batch"), None, *(4 * torch.export.Dim(axis) for axis in "ijk")]
    torch.onnx.export(
        network,
        (torch.rand(2, 1, 8, 12, 16),),
        path,
        dynamo=True,
        verbose=False,
        input_names=["image"],
        dynamic_shapes=[dict(enumerate(names))],
    )
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    image = torch.randn(1, 1, 16, 8, 20)
    (logits,) = session.run(None, {"image": image.numpy()})
    np.testing.assert_allclose(logits, network(image).detach().numpy(), rtol=1e-3, atol=1e-4)


def test_the_compiler_takes_the_network_in_one_piece(network, image):
    compiled = torch.compile(network, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(image), network(image))


def test_safetensors_give_the_same_logits(network, image, tmp_path):
    save_file(network.state_dict(), tmp_path / "model.safetensors")
    with torch.no_grad():
        expected = network(image).clone()
        for parameter in network.parameters():
            parameter.zero_()
        assert not torch.equal(network(image), expected)
        network.load_state_dict(load_file(tmp_path / "model.safetensors"))
        assert torch.equal(network(image), expected)
