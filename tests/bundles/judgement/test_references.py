"""References and macros are read exactly as MONAI reads them, which is the oracle here."""

from hypothesis import given
from hypothesis import strategies as st
from monai.bundle import ConfigParser, ReferenceResolver

from medseg.bundles.judgement.configs.references import (
    LOCAL,
    expression_text,
    macro_target,
    reference_id,
    resolved,
)

pieces = st.sampled_from(
    ["@", "@a", "@ab", "@a#b", "@a::b", "@#", "@##a", "%", "%#a", "%a", "#", "::", ":", "'",
     "[", "]", " ", "+", "a", "b", "f{", "}", "(", ")", ".json", ".yaml", ".YML",
     "$", "/", "ä", "1", "\n"]
)  # fmt: skip
texts = st.lists(pieces, max_size=8).map("".join)
paths = st.lists(st.sampled_from(["a", "b", "0", "a b", "x[", "f()"]), min_size=1, max_size=4)


def _monai_resolved(text, path):
    try:
        return ConfigParser.resolve_relative_ids("::".join(path), text)
    except ValueError:
        return None


@given(text=texts, path=paths)
def test_relative_ids_become_those_of_monai(text, path):
    assert resolved(text, tuple(path)) == _monai_resolved(text, path)


@given(text=texts)
def test_an_expression_becomes_the_text_that_monai_evaluates(text):
    expression = ReferenceResolver.normalize_id(f"${text}")
    refs = dict.fromkeys(ReferenceResolver.match_refs_pattern(expression), 0)
    assert ReferenceResolver._vars == LOCAL
    theirs = ReferenceResolver.update_refs_pattern(expression, refs)
    assert expression_text(expression) == theirs.removeprefix("$")


@given(text=texts)
def test_a_text_is_a_reference_where_it_is_one_for_monai(text):
    plain = ReferenceResolver.normalize_id(text)
    if not plain.startswith("$"):
        ours = reference_id(plain)
        assert ([] if ours is None else [ours]) == list(ReferenceResolver.match_refs_pattern(plain))


@given(text=texts)
def test_a_macro_names_the_file_and_the_id_that_monai_takes(text):
    macro = ReferenceResolver.normalize_id(f"%{text}")
    assert macro_target(macro) == ConfigParser.split_path_id(macro[1:])


def test_a_reference_within_quotes_breaks_out_of_them():
    # Python would evaluate what follows as a formatted text.
    assert expression_text("$'@f{x}'") == "'__local_refs['f']{x}'"
