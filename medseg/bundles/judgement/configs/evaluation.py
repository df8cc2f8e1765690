"""Evaluation of an expression by its tree, on abstract values: nothing is computed or called."""

import ast
from collections.abc import Callable, Mapping
from typing import Any, cast

from medseg.bundles.judgement.configs.abstract import (
    COUNT,
    FLAG,
    NEVER,
    NOTHING,
    NUMBER,
    UNKNOWN,
    Known,
    Listing,
    Many,
    Named,
    Of,
    Table,
    TooLargeError,
    Value,
    a_kind,
    either,
    is_single,
    kind_of,
    options,
    parts,
)
from medseg.bundles.judgement.configs.operations import binary, bindings, item, items_of, sliced
from medseg.bundles.judgement.configs.references import LOCAL
from medseg.bundles.judgement.configs.results import astray, given, unfit
from medseg.bundles.judgement.configs.syntax import Fault, bound_names, is_reference
from medseg.bundles.judgement.configs.wording import used_fault
from medseg.bundles.judgement.rules import Call, Rules

__all__ = ["Evaluation"]

Scope = Mapping[str, Value]


class Evaluation:
    """Evaluates one expression, and collects its faults."""

    def __init__(
        self, rules: Rules, names: Mapping[str, str], refers: Callable[[str], Value]
    ) -> None:
        """Takes the rules, dotted names by the expression's own, and what an id refers to."""
        self.faults: list[Fault] = []
        self._looping = False
        self._rules = rules
        self._names = names
        self._refers = refers

    def value(self, tree: ast.expr) -> Value:
        """What the expression gives."""
        if self._is_form(tree):
            return NOTHING
        try:
            return self._used(tree, {})
        except TooLargeError:
            return self._fault("a number, text or list too large to be honest", grade="refused")

    def _is_form(self, tree: ast.expr) -> bool:
        """Whether it is a whole expression of the list, and its names mean what they say."""
        if ast.unparse(tree) not in self._rules.forms:
            return False
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        return all(self._names.get(name, name) == name for name in names)

    def _fault(self, reason: str, *, grade: Any = "needs trust") -> Value:
        self.faults.append(Fault(grade, reason))
        return UNKNOWN

    def _named_fault(self, named: Named, *, does: str) -> Value:
        self.faults.append(used_fault(self._rules, named, does))
        return UNKNOWN

    def _used(self, node: ast.expr, scope: Scope) -> Value:
        """A value that is used as such; a name of a module becomes what it stands for."""
        value = self._value(node, scope)
        return either(self._meant(option) for option in options(value))

    def _meant(self, value: Value) -> Value:
        if not isinstance(value, Named):
            return value
        kind = self._rules.values.get(value.name) if value.imported else None
        return self._named_fault(value, does="uses") if kind is None else Of(kind)

    def _value(self, node: ast.expr, scope: Scope) -> Value:
        visit = cast("Any", getattr(self, f"_visit_{type(node).__name__.lower()}", None))
        return self._not_listed(node, scope) if visit is None else visit(node, scope)

    def _not_listed(self, node: ast.expr, scope: Scope) -> Value:
        """What is not followed, such as a lambda: the names in it are looked at all the same."""
        inner = {LOCAL: UNKNOWN, **scope, **dict.fromkeys(bound_names(node), UNKNOWN)}
        for part in ast.walk(node):
            if isinstance(part, ast.Name | ast.Attribute) and part is not node:
                self._used(part, inner)
        return UNKNOWN

    def _visit_constant(self, node: ast.Constant, scope: Scope) -> Value:
        value = node.value
        return Known(value) if isinstance(value, str | int | float | None) else UNKNOWN

    def _visit_name(self, node: ast.Name, scope: Scope) -> Value:
        if node.id in scope:
            return scope[node.id]
        if node.id == LOCAL:
            return self._fault(f"{LOCAL}: reaches into MONAI's own values", grade="refused")
        if node.id in self._names:
            return Named(self._names[node.id])
        if node.id in self._rules.functions:
            return Named(node.id)
        return Named(node.id, imported=False)

    def _visit_attribute(self, node: ast.Attribute, scope: Scope) -> Value:
        base = self._value(node.value, scope)
        return either(self._attribute(option, node.attr) for option in options(base))

    def _attribute(self, base: Value, name: str) -> Value:
        if isinstance(base, Named):
            return Named(f"{base.name}.{name}", base.imported)
        if base == UNKNOWN:
            return UNKNOWN
        kind = self._rules.kinds.get(kind_of(base))
        gives = None if kind is None else kind.attributes.get(name)
        if gives is None:
            return self._fault(f"unknown: medseg's rules do not list .{name} of {a_kind(base)}")
        return given(gives, ()) or UNKNOWN

    def _visit_call(self, node: ast.Call, scope: Scope) -> Value:
        called = node.func
        if isinstance(called, ast.Attribute):
            base = self._value(called.value, scope)
            return either(self._method(option, called, node, scope) for option in options(base))
        callee = self._value(called, scope)
        if isinstance(callee, Named):
            return self._function(callee, node, scope)
        self._arguments(node, scope)
        if callee in (UNKNOWN, NEVER):
            return callee
        return self._fault("calls a value of the config, which could be any function")

    def _method(self, base: Value, called: ast.Attribute, node: ast.Call, scope: Scope) -> Value:
        if isinstance(base, Named):
            return self._function(Named(f"{base.name}.{called.attr}", base.imported), node, scope)
        kind = self._rules.kinds.get(kind_of(base))
        rule = None if kind is None else kind.methods.get(called.attr)
        if rule is not None:
            return self._called(rule, f".{called.attr}", node, scope)
        self._arguments(node, scope)
        if base == UNKNOWN:
            return UNKNOWN
        return self._fault(
            f"unknown: medseg's rules do not list .{called.attr}() of {a_kind(base)}"
        )

    def _function(self, callee: Named, node: ast.Call, scope: Scope) -> Value:
        name = callee.name
        rule = self._rules.functions.get(name) or self._rules.components.get(name)
        # A bare name is one of MONAI's in a component, and of Python's here.
        bare = name not in self._rules.functions and "." not in name
        if rule is None or bare or not callee.imported:
            self._arguments(node, scope)
            return self._named_fault(callee, does="calls")
        return self._called(rule, name, node, scope)

    def _called(self, rule: Call, name: str, node: ast.Call, scope: Scope) -> Value:
        values = [self._used(argument, scope) for argument in node.args]
        if name != "len":
            self._bounded(*values)
        for position, value in enumerate(values):
            self._require(rule, name, rule.name_at(position), value)
        for keyword in node.keywords:
            if keyword.arg is None:
                return self._fault(f"calls {name} with arguments that cannot be followed (**)")
            value = self._used(keyword.value, scope)
            self._require(rule, name, keyword.arg, value)
            if keyword.arg in rule.takes and rule.takes.index(keyword.arg) == len(values):
                values.append(value)
        result = given(rule.gives, values)
        return self._fault(f"calls {name} of what cannot be followed") if result is None else result

    def _require(self, rule: Call, name: str, argument: str | None, value: Value) -> None:
        allowed = None if argument is None else rule.argument(argument)
        if allowed is None:
            said = "more values than" if argument is None else f"the argument {argument}, which"
            tail = "medseg's rules list" if argument is None else "medseg's rules do not list"
            self._fault(f"calls {name} with {said} {tail}")
            return
        reason = unfit(value, allowed)
        if reason:
            self._fault(f"calls {name}, whose {argument} {reason}")
        lost = astray(value)
        if lost:
            self._fault(f"calls {name} with {lost}")

    def _arguments(self, node: ast.Call, scope: Scope) -> None:
        """What is given to a call that is not followed is judged by itself."""
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            self._used(argument, scope)

    def _visit_subscript(self, node: ast.Subscript, scope: Scope) -> Value:
        target, key = node.value, node.slice
        if is_reference(node):
            return self._refers(cast("Any", key).value)
        value = self._used(target, scope)
        if isinstance(key, ast.Slice):
            for bound in (key.lower, key.upper, key.step):
                if bound is not None:
                    self._used(bound, scope)
            self._bounded(value)
            result = sliced(value)
        else:
            result = item(value, self._used(key, scope))
        return self._fault(f"takes a part of {a_kind(value)}") if result is None else result

    def _visit_binop(self, node: ast.BinOp, scope: Scope) -> Value:
        left, right = self._used(node.left, scope), self._used(node.right, scope)
        self._bounded(left, right)
        result = binary(node.op, left, right)
        sign = type(node.op).__name__.lower()
        said = f"unknown: {sign} of {a_kind(left)} and {a_kind(right)}"
        return self._fault(said) if result is None else result

    def _visit_unaryop(self, node: ast.UnaryOp, scope: Scope) -> Value:
        value = self._used(node.operand, scope)
        if isinstance(node.op, ast.Not):
            return FLAG
        if isinstance(value, Known) and isinstance(value.value, int | float):
            return Known(-value.value if isinstance(node.op, ast.USub) else value.value)
        return value if value in (UNKNOWN, COUNT) else NUMBER

    def _visit_boolop(self, node: ast.BoolOp, scope: Scope) -> Value:
        return either(self._used(value, scope) for value in node.values)

    def _visit_compare(self, node: ast.Compare, scope: Scope) -> Value:
        values = [self._used(value, scope) for value in (node.left, *node.comparators)]
        self._bounded(*values)
        # Equal lists of lists of lists are compared to the last.
        deep = [part for value in values for part in parts(value)]
        several = sum(not is_single(value) for value in values) > 1
        if several or not all(map(is_single, deep)):
            self._fault("compares lists, which can take any time")
        return FLAG

    def _visit_ifexp(self, node: ast.IfExp, scope: Scope) -> Value:
        self._used(node.test, scope)
        return either((self._used(node.body, scope), self._used(node.orelse, scope)))

    def _visit_list(self, node: ast.List | ast.Tuple, scope: Scope) -> Value:
        return Listing(tuple(self._used(value, scope) for value in node.elts))

    _visit_tuple = _visit_list

    def _visit_set(self, node: ast.Set, scope: Scope) -> Value:
        return Many(either(self._used(value, scope) for value in node.elts))

    def _visit_dict(self, node: ast.Dict, scope: Scope) -> Value:
        if None in node.keys:
            return self._fault("unpacks a mapping (**), whose parts cannot be followed")
        keys = [self._used(key, scope) for key in node.keys if key is not None]
        values = [self._used(value, scope) for value in node.values]
        return Table(tuple(zip(keys, values, strict=True)))

    def _visit_listcomp(self, node: Any, scope: Scope) -> Value:
        return Many(self._loop(node.generators, [node.elt], scope)[0])

    _visit_setcomp = _visit_generatorexp = _visit_listcomp

    def _visit_dictcomp(self, node: ast.DictComp, scope: Scope) -> Value:
        key, value = self._loop(node.generators, [node.key, node.value], scope)
        return Table(((key, value),))

    def _loop(
        self, loops: list[ast.comprehension], results: list[ast.expr], scope: Scope
    ) -> list[Value]:
        """The values of the results of a comprehension."""
        if len(loops) > 1 or self._looping:
            self._fault("loops within loops, which can take any time")
        overs = [self._used(loop.iter, scope) for loop in loops[:1]]
        looping, self._looping = self._looping, True
        for number, loop in enumerate(loops):
            over = overs[number] if number < len(overs) else self._used(loop.iter, scope)
            items = items_of(over)
            if items is None:
                items = self._fault(f"loops over the parts of {a_kind(over)}")
            bound, faults = bindings(loop.target, items, self._names.keys() | self._rules.functions)
            self.faults += faults
            scope = {**scope, **bound}
            for condition in loop.ifs:
                self._used(condition, scope)
        values = [self._used(result, scope) for result in results]
        self._looping = looping
        return values

    def _bounded(self, *values: Value) -> None:
        """In a loop, what is done with a list is done as often as the loop is long."""
        if self._looping and not all(map(is_single, values)):
            self._fault("works on a list within a loop, which can take any time and memory")
