"""How a weight map reaches the loss: real trainings of two iterations by MONAI's trainer."""

import copy

import numpy as np
import pytest
import torch
import yaml
from ignite.metrics import Average
from monai.bundle import ConfigParser
from monai.engines import SupervisedTrainer, default_prepare_batch
from torch import nn

from medseg.errors import UsageError
from medseg.losses import MixedLoss, PixelWeightedCELoss, SoftDiceLoss
from medseg.training import WeightedBatch, WeightedLabel, WeightedLoss

# As a bundle's train.yaml says it, with the transforms of a real recipe.
CONFIG = """
network: {_target_: torch.nn.Conv2d, in_channels: 1, out_channels: 2, kernel_size: 3, padding: 1}
optimizer: {_target_: torch.optim.SGD, params: "$@network.parameters()", lr: 0.1}
loss:
  _target_: medseg.losses.MixedLoss
  losses:
    - {_target_: medseg.losses.PixelWeightedCELoss}
    - {_target_: medseg.losses.SoftDiceLoss, classes: foreground}
  weights: [1.0, 0.5]
transforms:
  _target_: Compose
  transforms:
    - {_target_: medseg.transforms.BorderWeightd, keys: label}
    - {_target_: medseg.transforms.InstancesToForegroundd, keys: label}
    - {_target_: medseg.transforms.ClassVoxelsd, keys: label}
    - _target_: medseg.transforms.RandWarpPatchd
      keys: [image, label, weight]
      modes: [linear, nearest, linear]
      patch_size: [16, 16]
      spacing_mm: [1.0, 1.0]
dataset: {_target_: Dataset, data: "@cases", transform: "@transforms"}
trainer:
  _target_: SupervisedTrainer
  device: "$torch.device('cpu')"
  max_epochs: 1
  train_data_loader: {_target_: DataLoader, dataset: "@dataset", batch_size: 2}
  network: "@network"
  optimizer: "@optimizer"
  prepare_batch: {_target_: medseg.training.WeightedBatch}
  loss_function: {_target_: medseg.training.WeightedLoss, loss: "@loss"}
  decollate: false
"""


def cases(count=4):
    """Pairs of cells with a gap of two pixels, in noise."""
    rng = np.random.RandomState(0)
    cells = np.zeros((1, 20, 20), dtype=np.uint8)
    cells[0, 4:16, 2:9], cells[0, 4:16, 11:18] = 1, 2
    noise = rng.rand(count, *cells.shape).astype(np.float32)
    return [{"image": (cells > 0) + image, "label": cells} for image in noise]


def batches(count=2):
    generator = torch.Generator().manual_seed(0)
    return [
        {
            "image": torch.rand(2, 1, 8, 8, generator=generator),
            "label": torch.randint(0, 2, (2, 1, 8, 8), generator=generator),
            "weight": 5 * torch.rand(2, 1, 8, 8, generator=generator),
        }
        for _ in range(count)
    ]


def trainer(network, loss, data, **more) -> SupervisedTrainer:
    return SupervisedTrainer(
        device=torch.device("cpu"),
        max_epochs=1,
        train_data_loader=data,
        network=network,
        optimizer=torch.optim.SGD(network.parameters(), lr=0.1),
        loss_function=loss,
        **{"prepare_batch": WeightedBatch(), "decollate": False, **more},
    )


def test_a_config_trains_with_the_border_weights_of_a_recipe():
    torch.manual_seed(0)
    parser = ConfigParser({**yaml.safe_load(CONFIG), "cases": cases()})
    running = parser.get_parsed_content("trainer")
    before = copy.deepcopy(running.network.state_dict())
    running.run()
    assert running.state.iteration == 2
    target = running.state.output["label"]
    assert target.label.shape == target.weight.shape == (2, 1, 16, 16)
    assert target.weight.max() > 5  # in the gap
    assert torch.isfinite(running.state.output["loss"])
    assert not torch.equal(running.network.weight, before["weight"])


def test_each_step_is_that_of_a_loop_that_hands_the_map_to_the_loss():
    network = nn.Conv2d(1, 2, 3, padding=1)
    by_hand = copy.deepcopy(network)
    loss = MixedLoss([PixelWeightedCELoss(), SoftDiceLoss()], [1, 1])
    trainer(network, WeightedLoss(loss), batches()).run()

    optimizer = torch.optim.SGD(by_hand.parameters(), lr=0.1)
    for batch in batches():
        optimizer.zero_grad()
        loss(by_hand(batch["image"]), batch["label"], batch["weight"]).backward()
        optimizer.step()
    assert torch.equal(network.weight, by_hand.weight)
    assert torch.equal(network.bias, by_hand.bias)


@pytest.mark.parametrize("decollate", [True, False], ids=["decollated", "batched"])
def test_metrics_of_training_find_the_label_beside_its_weights(decollate):
    def foreground(output):
        if decollate:
            return torch.stack([case["label"][0].float().mean() for case in output]).mean()
        return output["label"].label.float().mean()

    running = trainer(
        nn.Conv2d(1, 2, 1),
        WeightedLoss(PixelWeightedCELoss()),
        batches(1),
        decollate=decollate,
        key_train_metric={"foreground": Average(output_transform=foreground)},
    )
    running.run()
    expected = batches(1)[0]["label"].float().mean().item()
    assert running.state.metrics["foreground"] == pytest.approx(expected)


def test_the_batch_goes_to_the_device_and_dtype_of_the_trainer():
    batch = batches(1)[0]
    image, target = WeightedBatch()(batch, torch.device("cpu"), dtype=torch.float64)
    assert isinstance(target, WeightedLabel)
    assert {image.dtype, target.label.dtype, target.weight.dtype} == {torch.float64}
    assert torch.equal(target.weight, batch["weight"].double())


def test_the_map_may_have_another_key():
    batch = batches(1)[0]
    batch["border"] = batch.pop("weight")
    assert WeightedBatch("border")(batch)[1].weight is batch["border"]


def test_a_batch_without_map_says_what_makes_it():
    batch = batches(1)[0]
    del batch["weight"]
    message = (
        r"no 'weight' among the batch's keys image, label; .*medseg\.transforms\.BorderWeightd"
    )
    with pytest.raises(UsageError, match=message):
        WeightedBatch()(batch)


@pytest.mark.parametrize(
    ("loss", "more", "message"),
    [
        (
            PixelWeightedCELoss(),
            {},
            "no weight map; use .*WeightedBatch .*wrap .*WeightedLoss",
        ),
        (
            WeightedLoss(PixelWeightedCELoss()),
            {"prepare_batch": default_prepare_batch},
            r"label has no weight map; .*medseg\.training\.WeightedBatch",
        ),
    ],
    ids=["no WeightedLoss", "no WeightedBatch"],
)
def test_half_of_the_pair_is_refused_before_a_step_is_made(loss, more, message):
    network = nn.Conv2d(1, 2, 1)
    before = network.weight.clone()
    with pytest.raises(UsageError, match=message):
        trainer(network, loss, batches(), **more).run()
    assert torch.equal(network.weight, before)
