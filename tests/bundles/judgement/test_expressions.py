"""Expressions by chance: those of the grammar pass, and nothing forbidden passes at any place."""

import ast

from hypothesis import given
from hypothesis import strategies as st

from tests.bundles.judgement.trees import expression_verdict

numbers = st.integers(0, 9).map(str) | st.just("@count") | st.just("len(@names)")
texts = st.sampled_from(["'a'", "'b.nii.gz'", "@names[0]", "str(@device)", "@case['image']"])
flags = st.sampled_from(["True", "@control.first_process", "torch.cuda.is_available()"])


def _numeric(inner):
    pairs = st.tuples(inner, st.sampled_from(["+", "-", "*", "//"]), inner)
    return (
        pairs.map(lambda p: f"({p[0]} {p[1]} {p[2]})")
        | st.tuples(inner, flags, inner).map(lambda p: f"({p[0]} if {p[1]} else {p[2]})")
        | st.lists(inner, min_size=2, max_size=3).map(lambda v: f"max({', '.join(v)})")
        | inner.map(lambda v: f"(-{v})")
    )


def _whole(inner):
    several = st.lists(inner, min_size=1, max_size=3)
    return (
        several.map(lambda v: f"[{', '.join(v)}]")
        | several.map(lambda v: f"({', '.join(v)},)")
        | inner.map(lambda v: f"{{'key': {v}}}")
        | st.tuples(flags, inner).map(lambda p: f"({p[0]} and {p[1]})")
        | inner.map(lambda v: f"(not {v})")
        | st.tuples(inner, flags, inner).map(lambda p: f"({p[0]} if {p[1]} else {p[2]})")
    )


scalars = st.recursive(numbers, _numeric, max_leaves=4) | texts
loops = (
    scalars.map(lambda v: f"[{v} for i in @names]")
    | scalars.map(lambda v: f"[{{'image': i, 'more': {v}}} for i in @names if i == 'a']")
    | st.tuples(scalars, scalars).map(lambda p: f"({p[0]} == {p[1]})")
)
allowed = st.recursive(scalars | loops, _whole, max_leaves=6)
forbidden = st.sampled_from(
    [
        "__import__('os')",
        "eval('1')",
        "open('x')",
        "(lambda: 1)",
        "(lambda: 1)()",
        "(y := 1)",
        "f'{1}'",
        "@net.__class__",
        "@net._parameters",
        "@net.forward",
        "@net.state_dict()",
        "@net(1)",
        "[].append(1)",
        "''.join(@names)",
        "'{0.__class__}'.format(@net)",
        "'%s' % 1",
        "[*@names]",
        "{**@case}",
        "(2 ** 3)",
        "(1 << 3)",
        "os.environ",
        "os.system('x')",
        "torch.load('x')",
        "torch.hub",
        "np.load",
        "monai.bundle.run()",
        "getattr(1, 'real')",
        "type(1)",
        "globals()",
        "print(1)",
        "99999999999999999999",
        "('a' * 100000)",
        "range(10 ** 9)",
        "'__class__'",
        "b''",
        "@missing",
        "[x for x in @names for y in @names]",
        "[len for len in @names]",
        "(yield)",
        "__local_refs",
    ]
)

outside = st.sampled_from(
    ["'/etc'", "(@empty + '/etc')", "(@empty + '~')", "(@bundle_root + '/../x')", "['/etc'][0]"]
)


def _carried(inner):
    return (
        inner.map(lambda v: f"[1, {v}]")
        | inner.map(lambda v: f"{{'a': {v}}}")
        | inner.map(lambda v: f"[{v} for i in @names]")
        | inner.map(lambda v: f"({v} if @count else 'a')")
        | inner.map(lambda v: f"(@count and {v})")
        | inner.map(lambda v: f"({v}, 'a')[0]")
        | inner.map(lambda v: f"[{v}][:1]")
        | inner.map(lambda v: f"list(zip(@names, [{v}]))")
        | inner.map(lambda v: f"max('a', {v})")
    )


@given(expression=st.recursive(outside, _carried, max_leaves=3))
def test_a_path_that_leads_out_is_seen_however_it_is_carried(expression):
    assert expression_verdict(expression) != "safe"


@given(expression=allowed)
def test_an_expression_of_the_grammar_is_safe(expression):
    assert expression_verdict(expression) == "safe"


@given(expression=allowed, intruder=forbidden, data=st.data())
def test_nothing_forbidden_passes_wherever_it_is_put(expression, intruder, data):
    marked = expression.replace("@", "at_")
    tree = ast.parse(marked, mode="eval")
    spots = [node for node in ast.walk(tree) if _is_a_value(node)]
    spot = data.draw(st.sampled_from(spots))
    source = ast.get_source_segment(marked, spot) or ""
    start, end = spot.col_offset, spot.end_col_offset
    assert marked[start:end] == source
    changed = f"{marked[:start]}({intruder}){marked[end:]}".replace("at_", "@")
    assert expression_verdict(changed) != "safe"


def _is_a_value(node: ast.AST) -> bool:
    """Whether a whole expression stands there, and not the name of a function or a loop."""
    if not isinstance(node, ast.expr) or isinstance(getattr(node, "ctx", None), ast.Store):
        return False
    return not isinstance(node, ast.Name | ast.Attribute) or "." not in ast.unparse(node)
