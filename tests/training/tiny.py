"""A training of the real parts that takes a second, to be stopped, killed and taken up again."""

import numpy as np
import torch
from monai.inferers import SimpleInferer
from torch import nn

from medseg.inference import AutocastInferer
from medseg.training import (
    Control,
    prepare_training,
    supervised_evaluator,
    supervised_trainer,
    training_dataset,
    training_handlers,
    training_parts,
    validation_dataset,
    validation_handlers,
)

EPOCHS, ITERATIONS = 4, 3
TINY = {
    "epochs": EPOCHS,
    "iterations_per_epoch": ITERATIONS,
    "batch_size": 2,
    "learning_rate": 0.05,
    "plateau_patience": 0,
    "plateau_factor": 0.1,
    "early_stop_patience": 100,
    "precision": "fp32",
    "seed": 2,  # its scores rise for three epochs, and fall in the fourth
    "tensorboard": "none",
}


def cases(count=5):
    rng = np.random.default_rng(0)
    shape = (count, 1, 6, 6)
    images, labels = rng.random(shape, dtype=np.float32), rng.integers(0, 2, shape, dtype=np.uint8)
    return [
        {"image": image, "label": label, "case": f"case_{n}"}
        for n, (image, label) in enumerate(zip(images, labels, strict=True))
    ]


def network():
    # Dropout draws from torch's generator, batch norm has a state that no gradient reaches.
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Dropout(0.3), nn.Conv2d(4, 2, 1)
    )


def loss(logits, label):
    return nn.functional.cross_entropy(logits, label[:, 0].long())


def as_it_is(case):
    return dict(case)


class RandNoise:
    """An augmentation that draws from its own generator."""

    def __init__(self):
        self.std = 0.1

    def set_random_state(self, seed=None, state=None):
        self.R = np.random.RandomState(seed) if state is None else state

    def __call__(self, case):
        image = np.asarray(case["image"][...], dtype=np.float32)
        noise = self.R.normal(0, self.std, image.shape).astype(np.float32)
        label = np.array(case["label"][...])
        return {"image": image + noise, "label": label, "case": case["case"]}


def training(folder, *, net=None, loss=loss, device="cpu", data=None, **choices):
    """A trainer built by the functions that bundles call, of a network that a second trains.

    Args:
        folder: The training's `output_dir`.
        net: The network; by default that of `network()`.
        loss: Of logits and labels.
        device: Where it trains.
        data: The cases, by default those of `cases()`.
        choices: Of `Control`, beside those of TINY.
    """
    torch.set_num_threads(1)
    torch.manual_seed(0)
    control = Control(output_dir=str(folder), **{**TINY, **choices})
    device, data = torch.device(device), cases() if data is None else data
    net = (network() if net is None else net).to(device)
    optimizer = torch.optim.Adam(net.parameters(), lr=control.learning_rate)
    prepare_training(net, device=device, control=control)
    parts = training_parts(
        net, optimizer, class_names=["background", "one"], settings={}, control=control
    )
    inferer = AutocastInferer(SimpleInferer(), precision=control.precision)
    evaluator = supervised_evaluator(
        parts,
        device=device,
        dataset=validation_dataset(data, preparation=as_it_is, control=control),
        inferer=inferer,
        val_handlers=validation_handlers(parts, control=control),
    )
    augmentation = RandNoise()
    handlers = training_handlers(
        parts, evaluator=evaluator, described={"augmentation": augmentation}, control=control
    )
    trainer = supervised_trainer(
        parts,
        max_epochs=control.max_epochs,
        device=device,
        dataset=training_dataset(
            data, preparation=as_it_is, augmentation=augmentation, control=control
        ),
        loss_function=loss,
        inferer=inferer,
        train_handlers=handlers,
        control=control,
    )
    trainer.evaluator = evaluator
    return trainer


def run(trainer):
    """Run it to its end, whatever that is, and end its workers then."""
    try:
        trainer.run()
    finally:
        iterator = getattr(trainer.data_loader, "_iterator", None)
        if iterator is not None:
            # Garbage collection would do it, and wait five seconds for each.
            iterator._shutdown_workers()


def train(folder, **choices):
    """A whole training, in whatever process."""
    trainer = training(folder, **choices)
    run(trainer)
    return trainer
