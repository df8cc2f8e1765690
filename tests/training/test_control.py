"""The training control: every key has a meaning, a check, and a default that passes it."""

import dataclasses
import math
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.bundles.docstrings import documented_arguments
from medseg.errors import UsageError
from medseg.training import Control
from medseg.training.control import choices

FIELDS = [field.name for field in dataclasses.fields(Control)]
# Values that no key takes.
WRONG = st.one_of(
    st.just(math.nan),
    st.just(math.inf),
    st.floats(max_value=-1e-6, allow_nan=False),
    st.text(st.characters(categories=["Lu"]), min_size=1),
    st.lists(st.booleans(), min_size=1),
)
UNCHECKED = {
    "output_dir", "ckpt_dir", "checkpoint_dir", "cache_dir", "mlflow", "experiment",  # texts
    "init_weights",
    "case_weights",  # by RandomDraws, which knows how many cases there are
}  # fmt: skip


def control(**values):
    return Control(output_dir="out", **values)


@pytest.mark.parametrize("name", FIELDS)
def test_each_key_has_its_meaning_in_the_docstring(name):
    assert len(documented_arguments("medseg.training.Control")[name].meaning) > 10


@pytest.mark.parametrize("name", sorted(set(FIELDS) - UNCHECKED))
@given(value=WRONG)
def test_a_wrong_value_of_any_key_is_refused_by_its_name(name, value):
    with pytest.raises(UsageError, match=f"^{name} must be "):
        control(**{name: value})


@pytest.mark.parametrize("name", sorted(choices()))
def test_the_words_of_a_choice_are_those_of_its_type(name):
    for word in choices()[name]:
        assert getattr(control(**{name: word}), name) == word
    if name != "quick":
        with pytest.raises(UsageError, match=rf"{name} must be one of .*, got 'another'"):
            control(**{name: "another"})


@pytest.mark.parametrize("name", sorted(set(FIELDS) - {"output_dir"}))
def test_null_is_taken_where_the_type_says_so_and_nowhere_else(name):
    if type(None) in get_args(get_type_hints(Control)[name]):
        assert getattr(control(**{name: None}), name) is None
    elif name != "experiment":
        with pytest.raises(UsageError, match=name):
            control(**{name: None})


def test_a_quick_pass_is_one_short_epoch_in_folders_of_its_own():
    quick = control(quick=True, epochs=100, iterations_per_epoch=80, val_interval=10)
    assert (quick.max_epochs, quick.steps_per_epoch, quick.epochs_between_validations) == (1, 5, 1)
    assert quick.log_dir == Path("out/quick")
    assert quick.weights_path == Path("out/models/quick/model.safetensors")
    assert quick.checkpoint_folder == Path("out/checkpoints/quick")
    assert quick.existing == "replace"


def test_a_training_shorter_than_the_interval_is_validated_once():
    assert control(epochs=3, val_interval=10).epochs_between_validations == 3


@pytest.mark.parametrize(
    ("schedule", "share"),
    [("plateau", 0.0), ("constant", 0.0), ("polynomial", 0.05), ("one_cycle", 0.3)],
)
def test_warm_up_goes_by_the_schedule_unless_it_is_given(schedule, share):
    assert control(schedule=schedule).warmup_share == share
    assert control(schedule=schedule, warmup=0.1).warmup_share == 0.1
    assert control(schedule=schedule, warmup=0.0).warmup_share == 0.0


def test_a_resume_may_change_places_speed_and_end_but_nothing_that_a_step_depends_on():
    kept = control().resume_settings()
    for name, value in {
        "start": "resume", "num_workers": 4, "cache": "disk", "max_minutes": 3.0,
        "tensorboard": "none", "checkpoint_dir": "elsewhere", "epochs": 100,
    }.items():  # fmt: skip
        assert control(**{name: value}).resume_settings() == kept, name
    for name, value in {
        "batch_size": 3, "learning_rate": 0.1, "seed": 1, "ema": 0.9, "clip_gradients": 1.0,
        "precision": "fp32", "schedule": "constant", "val_interval": 2, "warmup": 0.1,
    }.items():  # fmt: skip
        assert control(**{name: value}).resume_settings() != kept, name


def test_the_length_counts_on_resuming_where_the_rate_depends_on_it():
    for schedule, counts in (("plateau", False), ("polynomial", True), ("one_cycle", True)):
        one, other = (control(schedule=schedule, epochs=n).resume_settings() for n in (10, 20))
        assert (one != other) == counts
