"""What makes a step: clipped, accumulated or scaled gradients, and the average of the weights."""

import math

import pytest
import torch
from ignite.engine import Engine, Events
from torch import nn

from medseg.errors import UsageError
from medseg.losses import DeepSupervision
from medseg.networks import UNet, load_weights, trained_setting
from medseg.training import ClipGradients, WeightAverage
from medseg.training.checkpoint_files import newest_checkpoint
from tests.training.tiny import network, run, train, training


def norm(trainer):
    """The length of all gradients of a trainer's network together."""
    return torch.cat([p.grad.flatten() for p in trainer.network.parameters()]).norm().item()


def norms(trainer):
    """The length of the gradient that each step was made with; a scaler's factor is undone."""
    seen = []
    trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: seen.append(norm(engine)))
    run(trainer)
    return seen


def test_a_gradient_is_no_longer_than_it_may_be_and_a_short_one_stays(tmp_path):
    free = norms(training(tmp_path / "free", epochs=1))
    ceiling = sorted(free)[1]
    clipped = norms(training(tmp_path / "clipped", epochs=1, clip_gradients=ceiling))
    # The first step is the same; later ones are made by other weights.
    assert clipped[0] == pytest.approx(min(free[0], ceiling), rel=1e-4)
    assert max(clipped) <= ceiling * (1 + 1e-4)


def test_clipping_looks_through_the_factor_of_a_loss_scaler():
    # A gradient of (3, 4), scaled by 1024: of length 5, and 2.5 after clipping.
    weight = nn.Parameter(torch.zeros(2))
    network = nn.ParameterList([weight])
    optimizer = torch.optim.SGD(network.parameters(), lr=1.0)
    trainer = Engine(lambda *_: None)
    trainer.network, trainer.optimizer = network, optimizer
    trainer.scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)

    @trainer.on(Events.ITERATION_STARTED)
    def backward():
        trainer.scaler.scale((weight * torch.tensor([3.0, 4.0])).sum()).backward()

    trainer.add_event_handler(Events.ITERATION_STARTED, ClipGradients(2.5))
    trainer.add_event_handler(
        Events.ITERATION_STARTED, lambda engine: engine.scaler.step(engine.optimizer)
    )
    trainer.run([0], max_epochs=1)
    torch.testing.assert_close(weight.detach(), torch.tensor([-1.5, -2.0]))


def test_two_batches_a_step_are_one_batch_of_twice_the_size(tmp_path):
    # Without dropout and batch norm, which look at the batch, and with a loss that is a mean.
    net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 2, 1))
    halves = training(
        tmp_path / "1",
        net=net,
        epochs=1,
        accumulation_steps=2,
        batch_size=1,
        iterations_per_epoch=6,
    )
    state = {name: value.clone() for name, value in net.state_dict().items()}
    run(halves)
    there = {name: value.clone() for name, value in net.state_dict().items()}
    net.load_state_dict(state)
    run(training(tmp_path / "2", net=net, epochs=1, batch_size=2, iterations_per_epoch=3))
    for name, value in net.state_dict().items():
        torch.testing.assert_close(value, there[name])


@pytest.mark.parametrize("length", [0, -1.0, math.nan, math.inf])
def test_a_length_that_is_none_is_refused(length):
    with pytest.raises(UsageError, match="clip_gradients must be a finite number above 0"):
        ClipGradients(length)


def test_the_average_follows_the_weights_by_hand():
    # Weights 1, 2, 3 after a start at 0; the first decays are 2/11, 3/12, 4/13, all below 0.5.
    trained = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(trained.weight)
    average = WeightAverage(trained, decay=0.5)
    trainer = Engine(lambda engine, _: nn.init.constant_(trained.weight, engine.state.iteration))
    average.attach(trainer)
    trainer.run([0] * 3, max_epochs=1)
    first = 9 / 11
    second = first * 3 / 12 + 2 * 9 / 12
    third = second * 4 / 13 + 3 * 9 / 13
    assert average.network.weight.item() == pytest.approx(third)
    assert not average.network.training
    assert not average.network.weight.requires_grad


def test_after_many_steps_the_average_is_that_of_its_decay():
    trained = nn.Linear(1, 1, bias=False)
    average = WeightAverage(trained, decay=0.9)
    average.load_state_dict(
        {"module.weight": torch.tensor([[1.0]]), "n_averaged": torch.tensor(1000)}
    )
    nn.init.constant_(trained.weight, 2.0)
    engine = Engine(lambda *_: None)
    average.attach(engine)
    engine.run([0], max_epochs=1)
    # 0.9 of 1 and 0.1 of 2.
    assert average.network.weight.item() == pytest.approx(1.1)


def test_statistics_of_a_batch_norm_are_averaged_and_its_count_is_copied():
    trained = nn.BatchNorm1d(1)
    average = WeightAverage(trained, decay=0.5)
    trainer = Engine(lambda *_: trained(torch.full((4, 1), 10.0)))
    average.attach(trainer)
    trainer.run([0], max_epochs=1)
    # torch moves its mean by a tenth of 10 to 1; the average decays by 2/11.
    assert average.network.running_mean.item() == pytest.approx(9 / 11)
    assert average.network.num_batches_tracked.item() == 1


def test_what_is_validated_and_saved_is_the_average(tmp_path):
    trainer = training(tmp_path, epochs=1, ema=0.5)
    run(trainer)
    _, state = newest_checkpoint(tmp_path / "checkpoints")
    average, last = state["parts"]["average"], state["parts"]["network"]
    saved = network()
    load_weights(saved, tmp_path / "models" / "model.safetensors")
    for name, value in saved.state_dict().items():
        assert torch.equal(value, average[f"module.{name}"])
    assert not torch.equal(average["module.0.weight"], last["0.weight"])


def test_with_accumulated_gradients_the_average_moves_once_a_step(tmp_path):
    # Three iterations with two to a step: steps after the second and, as it ends the epoch, third.
    train(tmp_path, epochs=1, ema=0.9, accumulation_steps=2)
    _, state = newest_checkpoint(tmp_path / "checkpoints")
    # The weights it began with, and those of the two steps.
    assert state["parts"]["average"]["n_averaged"] == 1 + 2


@pytest.mark.parametrize("decay", [0, 1, 1.5, math.nan])
def test_a_decay_that_is_none_is_refused(decay):
    with pytest.raises(UsageError, match="ema must be "):
        WeightAverage(nn.Linear(1, 1), decay)


@pytest.mark.cuda
def test_float16_trains_with_a_loss_scaler_whose_state_is_in_the_checkpoint(tmp_path):
    train(tmp_path, epochs=1, precision="fp16", device="cuda")
    assert newest_checkpoint(tmp_path / "checkpoints")[1]["scaler"]["scale"] > 0


def test_a_network_with_deep_supervision_is_trained_at_each_level(tmp_path):
    net = UNet(2, 1, 2, depth=3, first_width=2, norm="none", pool_sizes=[2, 1], deep_supervision=1)
    before = net.coarse_heads[0].weight.detach().clone()
    trainer = train(tmp_path, net=net)
    assert isinstance(trainer.loss_function, DeepSupervision)
    assert not torch.equal(net.coarse_heads[0].weight, before)
    weights = tmp_path / "models" / "model.safetensors"
    assert 0 <= trained_setting(weights, "val_mean_dice", None) <= 1
