"""A training of the real parts that takes a second, to be stopped, killed and taken up again."""

import numpy as np
import torch
from ignite.engine import Events
from monai.data import DataLoader
from monai.engines import SupervisedEvaluator, SupervisedTrainer
from monai.handlers import ValidationHandler
from monai.inferers import SimpleInferer
from torch import nn

from medseg.data import CaseDataset, RandomDraws
from medseg.inference import AutocastInferer
from medseg.networks import compile_network
from medseg.training import (
    AgreedScores,
    BestWeights,
    Checkpoints,
    ClipGradients,
    EarlyStop,
    EpochTable,
    MaxTime,
    RestoreBest,
    StopOnNan,
    WeightAverage,
    require_start,
)

EPOCHS, ITERATIONS, BATCH = 4, 3, 2


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


class Accuracy:
    """Handler of an evaluator: the share of pixels that are right, as `score`."""

    def attach(self, engine):
        engine.add_event_handler(Events.EPOCH_STARTED, self._clear)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._add)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._tell)

    def _clear(self, _):
        self.right = []

    def _add(self, engine):
        output = engine.state.output
        self.right.append((output["pred"].argmax(1) == output["label"][:, 0]).float().mean())

    def _tell(self, engine):
        engine.state.metrics["score"] = torch.stack(self.right).mean().item()


def training(folder, *, start="fresh", overwrite="refuse", epochs=EPOCHS, workers=0, **more):
    """The trainer of a bundle in small.

    Args of `more`: `network`, `rate`, `patience`, `tolerance`, `minutes`, `accumulation`, `loss`,
        `interval`, `batch`, `iterations`, `clip`, `ema`, `compile`, `precision`, `device`, `cases`,
        `dataset`, `draws`.
    """
    torch.set_num_threads(1)
    torch.manual_seed(0)
    weights, states = str(folder / "models" / "model.safetensors"), str(folder / "checkpoints")
    require_start(weights, states, start=start, overwrite=overwrite)
    device = torch.device(more.get("device", "cpu"))
    net, data = more.get("network", network()).to(device), more.get("cases", cases())
    compile_network(net, more.get("compile", "none"), device)
    average = WeightAverage(net, more["ema"]) if "ema" in more else None
    validated = net if average is None else average.network
    optimizer = torch.optim.Adam(net.parameters(), lr=more.get("rate", 0.05))
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode="max", patience=0)
    best = BestWeights(
        validated,
        weights,
        metric="score",
        settings={},
    )
    evaluator = SupervisedEvaluator(
        device=device,
        val_data_loader=DataLoader(CaseDataset(data, as_it_is), batch_size=1),
        network=validated,
        val_handlers=[Accuracy(), AgreedScores(), best],
        decollate=False,
    )
    evaluator.add_event_handler(
        Events.COMPLETED, lambda engine: plateau.step(engine.state.metrics["score"])
    )
    augmentation = RandNoise()
    batch = more.get("batch", BATCH)
    draws = RandomDraws(
        len(data), more.get("iterations", ITERATIONS) * batch, seed=1, **more.get("draws", {})
    )
    table = EpochTable(
        str(folder / "metrics.csv"), optimizer=optimizer, evaluator=evaluator, metrics=["score"]
    )
    patience = more.get("patience", 100)
    stop = EarlyStop(
        evaluator, metric="score", patience=patience, tolerance=more.get("tolerance", 0)
    )
    checkpoints = Checkpoints(
        states,
        parts={
            "network": net,
            "optimizer": optimizer,
            "plateau": plateau,
            "best_weights": best,
            "table": table,
            "early_stop": stop,
            "average": average,
        },
        draws=draws,
        settings={"rate": more.get("rate", 0.05), "augmentation": augmentation},
        start=start,
    )
    clip = ClipGradients(more["clip"]) if "clip" in more else None
    handlers = [
        StopOnNan(),
        clip,
        average,
        ValidationHandler(more.get("interval", 1), evaluator),
        MaxTime(evaluator, more.get("minutes")),
        RestoreBest(net, str(best.path), start=start),
        stop,
        table,
        checkpoints,
    ]
    trainer = SupervisedTrainer(
        device=device,
        max_epochs=epochs,
        train_data_loader=DataLoader(
            CaseDataset(data, as_it_is, augmentation, seed=1, **more.get("dataset", {})),
            sampler=draws,
            batch_size=batch,
            num_workers=workers,
            persistent_workers=workers > 0,
        ),
        network=net,
        optimizer=optimizer,
        loss_function=more.get("loss", loss),
        accumulation_steps=more.get("accumulation", 1),
        inferer=AutocastInferer(SimpleInferer(), precision=more.get("precision", "fp32")),
        amp=more.get("precision") == "fp16",
        train_handlers=[handler for handler in handlers if handler is not None],
        decollate=False,
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
