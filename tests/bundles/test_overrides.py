"""What overrides promise: a key that is wrong is never taken without a word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.bundles.overrides import check_run_id, parse_overrides
from medseg.errors import UsageError

CONFIG = {
    "max_epochs": 5,
    "network_def": {"_target_": "UNet", "depth": 4},
    "handlers": [{"_target_": "Stats", "interval": 1}],
    "initialize": ["$seed()"],
    "run": ["$train()"],
    "training": "%run",
    "evaluating": [{"_target_": "medseg.networks.load_weights"}, "$go()"],
}


def test_values_are_read_as_yaml():
    pairs = ["max_epochs=7", "network_def#depth=3", "handlers::0::interval=2.5"]
    assert parse_overrides(pairs, CONFIG) == {
        "max_epochs": 7,
        "network_def::depth": 3,
        "handlers::0::interval": 2.5,
    }
    assert parse_overrides(["max_epochs=[1, 2]"], CONFIG) == {"max_epochs": [1, 2]}
    assert parse_overrides(["max_epochs=$1 + 1"], CONFIG) == {"max_epochs": "$1 + 1"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("-2.5E4", -25000.0),
        (".5e1", 5.0),
        ("[1e-3, [2, 3e2]]", [0.001, [2, 300.0]]),
        ("1e", "1e"),
        ("e3", "e3"),
        ("2026-07-01", "2026-07-01"),
        ("null", None),
    ],
)
def test_numbers_are_those_that_people_type_and_days_are_names_of_folders(text, value):
    read = parse_overrides([f"max_epochs={text}"], CONFIG)["max_epochs"]
    assert read == value
    assert type(read) is type(value)


def test_hyphens_are_underscores_as_on_monais_command_line():
    assert parse_overrides(["max-epochs=7"], CONFIG) == {"max_epochs": 7}


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("max_epoch=5", "max_epoch: no such key in this config; did you mean max_epochs?"),
        ("network_def#dept=5", "did you mean network_def#depth"),
        ("zzz=5", r"zzz: no such key in this config; keys: .*max_epochs"),
        ("max_epochs", "must be KEY=VALUE"),
        ("max_epochs=[1", "the value is not valid YAML; quote it"),
    ],
)
def test_a_wrong_override_is_refused_with_the_way_out(pair, message):
    with pytest.raises(UsageError, match=message):
        parse_overrides([pair], CONFIG)


@given(st.text(st.characters(categories=["L"]), min_size=1).filter(lambda text: text not in CONFIG))
def test_no_unknown_key_gets_through(key):
    with pytest.raises(UsageError, match="no such key"):
        parse_overrides([f"{key}=1"], CONFIG)


@pytest.mark.parametrize("run_id", ["run", "training", "evaluating"])
def test_run_ids_are_lists_of_steps_and_what_points_to_them(run_id):
    check_run_id(run_id, CONFIG)


@pytest.mark.parametrize("run_id", ["trainin", "initialize", "max_epochs", "handlers"])
def test_a_wrong_run_id_gets_the_list_of_ids(run_id):
    with pytest.raises(UsageError, match=r"it has evaluating, run, training"):
        check_run_id(run_id, CONFIG)
