"""Texts of a config."""

from medseg.bundles.config_texts import config_texts


def test_each_text_has_the_key_that_it_or_its_list_stands_under():
    config = {"a": "x", "b": [{"_target_": "y"}, "z", [1, "w"]], "c": 2, 3: None}
    assert list(config_texts(config)) == [("a", "x"), ("_target_", "y"), ("b", "z"), ("b", "w")]
    assert list(config_texts("x", "a")) == [("a", "x")]
