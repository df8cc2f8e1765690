import weakref

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.data.meta_tensor import MetaTensor
from monai.data.utils import list_data_collate
from monai.transforms.compose import Compose
from monai.transforms.io.dictionary import LoadImaged
from monai.transforms.spatial.dictionary import Orientationd, Spacingd
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from medseg.data.phantoms.chest.phantom import chest_phantom
from medseg.errors import DataError, MachineError
from medseg.inference import ConstantWindows, OutsideBody, SlidingWindowLabels


def three_classes(stack):
    """Logits that need no training: dark, middling, bright."""
    return torch.cat((0.3 - stack, 0.25 - (stack - 0.5).abs(), stack - 0.7), dim=1)


def inferer(window=(8, 8, 8), **options):
    return SlidingWindowLabels(window, **{"grid": "network", **options})


shapes = st.tuples(*[st.integers(3, 20)] * 3)


@given(shape=shapes, overlap=st.floats(0, 0.8), batch=st.integers(1, 4))
def test_a_network_that_looks_at_single_voxels_gives_the_label_of_the_whole(shape, overlap, batch):
    volume = torch.rand(1, 1, *shape)
    label = inferer(overlap=overlap, window_batch=batch)(volume, three_classes)
    logits = three_classes(volume)
    chosen = logits.gather(1, label.as_subclass(torch.Tensor).long())
    assert label.dtype == torch.uint8
    torch.testing.assert_close(chosen, logits.max(dim=1, keepdim=True).values, atol=1e-5, rtol=0)


def test_two_dimensional_images():
    image = torch.rand(1, 3, 20, 9)
    network = torch.nn.Conv2d(3, 4, 1)
    label = inferer(window=(8, 16))(image, network)
    assert label.shape == (1, 1, 20, 9)


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    """A phantom as a recipe hands it over: turned, resampled, windowed, with its history."""
    import nibabel

    folder = tmp_path_factory.mktemp("scan")
    phantom = chest_phantom(3, shape=(48, 40, 30), orientation="LPS")
    nibabel.Nifti1Image(phantom.image, phantom.affine).to_filename(folder / "ct.nii.gz")
    steps = Compose(
        [
            LoadImaged(keys="image", image_only=True, ensure_channel_first=True),
            Orientationd(keys="image", axcodes="RAS", labels=None),
            Spacingd(keys="image", pixdim=(6.0, 6.0, 7.0), mode="bilinear"),
        ]
    )
    image = list_data_collate([steps({"image": str(folder / "ct.nii.gz")})])["image"]
    return phantom, ((image + 1000) / 1200).clamp(0, 1)


def test_a_label_comes_back_in_the_images_own_grid(scan):
    phantom, image = scan
    label = inferer(window=(16, 16, 16), grid="source")(image, three_classes)
    assert label.shape[2:] == phantom.image.shape
    np.testing.assert_allclose(label.affine[0], phantom.affine)
    # What is brighter than 140 HU in the scan is mostly what is called bright.
    bright = phantom.image > 140
    found = label[0, 0].numpy() == 2
    assert (found & bright).sum() > 0.5 * bright.sum()


@pytest.mark.parametrize(
    "rule", [ConstantWindows(), OutsideBody(above_hu=-500, window=(-1000, 200))], ids=repr
)
def test_skipping_windows_changes_no_label_inside_the_body(scan, rule):
    phantom, image = scan
    everything = inferer(window=(8, 8, 8), grid="source")(image, three_classes)
    less = inferer(window=(8, 8, 8), grid="source", skip=rule)(image, three_classes)
    body = phantom.label > 0
    assert torch.equal(everything[0, 0][body], less[0, 0][body])


def test_skipping_saves_calls(scan):
    calls = []

    def counting(stack):
        calls.append(len(stack))
        return three_classes(stack)

    inferer(window=(8, 8, 8))(scan[1], counting)
    everything = sum(calls)
    inferer(window=(8, 8, 8), skip=OutsideBody(above_hu=-500, window=(-1000, 200)))(
        scan[1], counting
    )
    assert sum(calls) - everything < everything


# As torch says it on a GPU and on a CPU.
OUT_OF_MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory"),
    RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 64 bytes"),
]


@pytest.mark.parametrize("error", OUT_OF_MEMORY)
def test_when_memory_runs_out_fewer_windows_go_at_once_and_the_label_is_the_same(error, caplog):
    volume = torch.rand(1, 1, 20, 12, 12)

    def small(stack):
        if len(stack) > 1:
            raise error
        return three_classes(stack)

    label = inferer(window_batch=4)(volume, small)
    assert torch.equal(label, inferer(window_batch=1)(volume, three_classes))
    assert "out of memory: 1 windows at a time for the rest of this volume" in caplog.text


def test_when_one_window_is_too_much_the_error_says_what_to_do():
    def tiny(_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(MachineError, match="one window at a time; use a smaller window"):
        inferer(window_batch=2)(torch.rand(1, 1, 8, 8, 8), tiny)


def test_an_error_that_is_not_of_memory_stays_what_it_is():
    def broken(_):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        inferer(window_batch=2)(torch.rand(1, 1, 8, 8, 8), broken)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_a_network_that_gives_no_numbers_is_no_background(value):
    def diverged(stack):
        logits = three_classes(stack)
        logits[..., 0] = value
        return logits

    with pytest.raises(DataError, match="returns NaN or infinity; check the weights"):
        inferer()(torch.rand(1, 1, 8, 8, 8), diverged)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"grid": "mine"}, "grid must be one of"),
        ({"interpolate": "x"}, "interpolate must be one of"),
        ({"window_batch": 0}, "window_batch must be a whole number from 1, got 0"),
        ({"overlap": 2}, r"overlap must be in \[0, 1\)"),
        ({"blend": "x"}, "blend must be one of"),
    ],
)
def test_wrong_arguments_are_refused_at_once(options, says):
    with pytest.raises(ValueError, match=says):
        inferer(**options)


def test_only_a_meta_tensor_knows_its_sources_grid():
    with pytest.raises(ValueError, match="inputs must be a MetaTensor"):
        inferer(grid="source")(torch.rand(1, 1, 8, 8, 8), three_classes)


def test_one_volume_at_a_time():
    with pytest.raises(ValueError, match="one volume at a time, got 2"):
        inferer()(MetaTensor(torch.rand(2, 1, 8, 8, 8)), three_classes)


def test_foreground_comes_in_the_place_of_labels():
    image = torch.rand(1, 1, 20, 9)
    given = inferer(window=(8, 8), gives="foreground")(image, three_classes)
    expected = 1 - three_classes(image).softmax(dim=1)[:, :1]
    torch.testing.assert_close(given.as_subclass(torch.Tensor), expected, atol=1e-5, rtol=0)
    with pytest.raises(ValueError, match="gives must be one of"):
        inferer(gives="background")


class Held(TorchDispatchMode):
    """The most bytes that tensors made in it held at once."""

    def __init__(self):
        super().__init__()
        self.now = self.most = 0
        self.known = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if (
                isinstance(tensor, torch.Tensor)
                and tensor.untyped_storage()._cdata not in self.known
            ):
                self.keep(tensor.untyped_storage())
        return result

    def keep(self, storage):
        self.known.add(storage._cdata)
        self.now += storage.nbytes()
        self.most = max(self.most, self.now)
        weakref.finalize(storage, self.forget, storage._cdata, storage.nbytes())

    def forget(self, key, size):
        self.known.discard(key)
        self.now -= size


def test_classes_cost_little_more_than_a_slab_of_their_logits():
    twice_as_fine = torch.diag(torch.tensor([0.5, 0.5, 0.5, 1.0]))
    meta = {"original_affine": twice_as_fine, "spatial_shape": (320, 128, 128)}
    volume = MetaTensor(torch.rand(1, 1, 160, 64, 64), affine=torch.eye(4), meta=meta)
    most = {}
    for classes in (2, 25):
        with Held() as held:
            inferer((96, 32, 32), grid="source")(
                volume, lambda stack, n=classes: torch.cat([stack] * n, dim=1)
            )
        most[classes] = held.most
    slab, window = (4 * 23 * 96 * edge * edge for edge in (64, 32))
    pieces = 3 * 8 * slab // 96
    assert most[25] - most[2] < slab + window + pieces
