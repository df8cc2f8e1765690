"""A fast engine is used only while its labels are those of torch in fp32."""

import json
import logging
from dataclasses import replace

import pytest
import torch
from torch import nn

from medseg.inference.engines.check import agreeing_engine, label_agreement, representative_windows
from medseg.inference.engines.open_engine import Engine

WINDOWS = list(torch.rand(2, 1, 20, 20, generator=torch.Generator().manual_seed(0)))


class Threshold(nn.Module):
    """Class 1 where the image is above a half."""

    def forward(self, image):
        return torch.cat([0.5 - image, image - 0.5], dim=1)


def right(windows):
    return Threshold()(windows)


def wrong(windows):
    return Threshold()(1 - windows)


def engine(run, verdict=None, fallback=None):
    return Engine(
        name="openvino",
        precision="bf16",
        window=(20, 20),
        channels=1,
        device=torch.device("cpu"),
        run=run,
        verdict=verdict,
        fallback=fallback,
    )


def last():
    return replace(engine(right), name="torch", precision="fp32")


def test_agreement_found_by_hand():
    # Labels 1 1 0 0 against 1 0 0 0: three of four equal; DSC 2*2/(2+3) of 0, 2*1/(2+1) of 1.
    def logits(labels):
        one_hot = torch.nn.functional.one_hot(torch.tensor(labels), 2)
        return one_hot.T.reshape(1, 2, 2, 2).float()

    found = label_agreement(
        lambda _: logits([1, 1, 0, 0]), lambda _: logits([1, 0, 0, 0]), torch.zeros(1, 1, 2, 2)
    )
    assert found.equal == 0.75
    assert found.classes == 2
    assert found.dice == pytest.approx(2 / 3)


def test_a_lost_lesion_shows_though_nearly_all_voxels_are_equal():
    image = torch.zeros(1, 1, 40, 40)
    image[..., :2, :2] = 1
    found = label_agreement(lambda w: right(torch.zeros_like(w)), right, image)
    assert found.equal > 0.997
    assert found.dice == 0


def test_an_engine_that_agrees_stays():
    fast = engine(right, fallback=last)
    assert agreeing_engine(fast, Threshold(), WINDOWS) is fast


def test_one_that_does_not_gives_way_and_says_so_once_as_a_matter_of_time(caplog, tmp_path):
    verdict = tmp_path / "verdict.json"
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            used = agreeing_engine(
                engine(wrong, verdict=verdict, fallback=last), Threshold(), WINDOWS
            )
            assert (used.name, used.precision) == ("torch", "fp32")
    (record,) = caplog.records
    assert record.levelno == logging.INFO
    assert record.message.startswith("openvino in bf16 is fast, but some of its labels")
    assert record.message.endswith("torch in fp32 is used, which takes longer")


def test_one_class_that_differs_is_proof_enough_to_be_remembered(tmp_path):
    verdict = tmp_path / "verdict.json"
    ones = [torch.ones(1, 20, 20)]
    used = agreeing_engine(engine(wrong, verdict, last), Threshold(), ones)
    assert used.precision == "fp32"
    assert verdict.exists()


def test_what_the_user_named_is_not_questioned():
    named = engine(wrong)
    assert agreeing_engine(named, Threshold(), WINDOWS) is named


@pytest.mark.parametrize("run", [right, wrong])
def test_a_verdict_is_remembered(run, tmp_path):
    verdict = tmp_path / "verdict.json"
    first = agreeing_engine(engine(run, verdict, last), Threshold(), WINDOWS)

    def never(windows):
        raise AssertionError("asked again")

    again = agreeing_engine(engine(never, verdict, last), Threshold(), WINDOWS)
    assert again.name == first.name


def test_a_window_of_one_class_settles_nothing(tmp_path):
    verdict = tmp_path / "verdict.json"
    agreeing_engine(engine(right, verdict, last), Threshold(), [torch.zeros(1, 20, 20)])
    assert not verdict.exists()


class Levels(nn.Module):
    """Class n where the image is nearest to n."""

    def forward(self, image):
        return torch.cat([-((image - n) ** 2) for n in range(4)], dim=1)


def test_windows_with_most_of_the_rarest_classes_are_the_ones_that_tell():
    windows = [torch.zeros(1, 6, 6) for _ in range(6)]
    windows[1][0, 0, 0] = 3.0  # less of the rarest class than in 4
    windows[2][0, :, :3] = 1.0
    windows[3][0, :4, :4] = 1.0
    windows[4][0, 0, :2] = 3.0
    windows[5][0, :2, :] = 2.0  # spreads most
    found = representative_windows(Levels(), windows)
    assert [id(one) for one in found] == [id(windows[n]) for n in (5, 4, 2, 0)]
    assert len(representative_windows(Levels(), windows, most=2)) == 2


def test_of_many_windows_some_are_looked_through():
    seen = []

    def counted(windows):
        seen.append(len(windows))
        return Levels()(windows)

    representative_windows(counted, list(torch.rand(100, 1, 6, 6)))
    assert sum(seen) == 25


def test_a_class_that_is_in_no_busy_window_is_held_against_torch_all_the_same():
    busy, dull = 4 * torch.rand(1, 40, 40), torch.zeros(1, 40, 40)
    busy[busy < 1.5] = 0.6
    busy[busy > 1.5] = 0.0
    dull[0, :5, :5] = 3.0

    def blurred(windows):
        logits = Levels()(windows)
        logits[:, 3, :1] = -9.0  # a row of the rarest class is lost
        return logits

    fast = replace(engine(blurred, fallback=last), window=(40, 40))
    assert agreeing_engine(fast, Levels(), [busy]) is fast
    assert agreeing_engine(fast, Levels(), [busy, dull]).name == "torch"


CHANGES = {
    "another processor": {"dice": 0.0, "processor": "abacus"},
    "another engine": {"dice": 0.0, "name": "another.json"},
    "more than one": {"dice": 7.0},
    "no number": {"dice": float("nan")},
    "a text": {"dice": "1"},
    "no classes": {"classes": 0},
}


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"dice": 1}', *CHANGES])
def test_a_verdict_that_is_damaged_or_anothers_is_asked_for_again(content, tmp_path):
    verdict = tmp_path / "verdict.json"
    agreeing_engine(engine(right, verdict, last), Threshold(), WINDOWS)
    whole = verdict.read_text()
    other = json.dumps({**json.loads(whole), **CHANGES.get(content, {})})
    verdict.write_text(other if content in CHANGES else content)
    assert agreeing_engine(engine(right, verdict, last), Threshold(), WINDOWS).name == "openvino"
    assert verdict.read_text() == whole


@pytest.mark.parametrize("bound", [0, 1.5, float("nan")])
def test_a_bound_outside_its_range_is_refused(bound):
    with pytest.raises(ValueError, match=r"least_dice must be in \(0, 1\]"):
        agreeing_engine(engine(right), Threshold(), WINDOWS, least_dice=bound)
