"""`$` expressions: builtins, attribute chains, scopes, strings that become code, bombs.

The table gives for each attack its name, the mildest verdict that will do, and the lines of the
config. Several need no forbidden name in what Python's parser sees: MONAI replaces `@id` within
quotes as well, and `#` by `::`, before it evaluates.
"""

from tests.bundles.attacks.case import Attack, attacks

__all__ = ["EXPRESSIONS"]

TRUST = "needs trust"
NEVER = "refused"
OPEN = "open('canary', 'w')"
LONG = 200_000

EXPRESSIONS: list[Attack] = attacks(
    {
        # --- builtins
        "open for writing": (TRUST, f'x: "${OPEN}"'),
        "__import__": (NEVER, "x: \"$__import__('os').mkdir('canary')\""),
        "eval of a text": (NEVER, "x: \"$eval('open(\\\\'canary\\\\', \\\\'w\\\\')')\""),
        "exec of a text": (NEVER, "x: \"$exec('open(\\\\'canary\\\\', \\\\'w\\\\')')\""),
        "compile, then eval": (
            NEVER,
            "x: \"$eval(compile('open(\\\\'canary\\\\', \\\\'w\\\\')', 'x', 'eval'))\"",
        ),
        "eval of a text in pieces": (
            NEVER,
            "x: \"$eval('op' + 'en' + '(\\\\'canary\\\\', \\\\'w\\\\')')\"",
        ),
        "subscript of __builtins__": (NEVER, "x: \"$__builtins__['open']('canary', 'w')\""),
        "subscript of __builtins__ by a name in pieces": (
            NEVER,
            "x: \"$__builtins__['op' + 'en']('canary', 'w')\"",
        ),
        "globals": (TRUST, "x: \"$globals()['__builtins__']['open']('canary', 'w')\""),
        "vars of a module": (TRUST, "x: \"$vars(torch)['os'].mkdir('canary')\""),
        "getattr of a module": (TRUST, "x: \"$getattr(torch, 'os').mkdir('canary')\""),
        "getattr by a name in pieces": (
            TRUST,
            "x: \"$getattr(getattr(torch, 'o' + 's'), 'mk' + 'dir')('canary')\"",
        ),
        "setattr replaces a listed function": (
            TRUST,
            """\
a: "$setattr(torch, 'float', torch.os.mkdir)"
x: "$[@a, torch.float('canary')]"
""",
        ),
        "type makes a class with a destructor": (
            TRUST,
            "x: \"$type('X', (), {'__del__': lambda self: open('canary', 'w')})()\"",
        ),
        "breakpoint": (TRUST, 'x: "$breakpoint()"'),
        "exit": (TRUST, 'x: "$exit(0)"'),
        "input waits for ever": (TRUST, 'x: "$input()"'),
        "print into a file": (TRUST, f"x: \"$print('x', file={OPEN})\""),
        "help starts a pager": (TRUST, "x: \"$help('os')\""),
        # --- a function that is never called by its name
        "map": (TRUST, "x: \"$list(map(open, ['canary'], ['w']))\""),
        "filter": (TRUST, "x: \"$list(filter(torch.os.mkdir, ['canary']))\""),
        "key of sorted": (TRUST, "x: \"$sorted(['canary'], key=torch.os.mkdir)\""),
        "key of max": (TRUST, "x: \"$max(['canary', 'c2'], key=torch.os.mkdir)\""),
        "key of min by keywords in a dictionary": (
            TRUST,
            "x: \"$min(['canary', 'c2'], **{'key': torch.os.mkdir})\"",
        ),
        "iter with a sentinel": (
            TRUST,
            "x: \"$list(iter(lambda: open('canary', 'w').write(''), 0))\"",
        ),
        "function in a list, called by index": (TRUST, "x: \"$[open][0]('canary', 'w')\""),
        "function in a dictionary": (TRUST, "x: \"${'f': open}['f']('canary', 'w')\""),
        "call of a conditional": (TRUST, "x: \"$(open if True else len)('canary', 'w')\""),
        "call of a referenced value": (TRUST, "f: \"$open\"\nx: \"$@f('canary', 'w')\""),
        "call of a reference to a list's item": (
            TRUST,
            'f: ["$torch.os.mkdir"]\nx: "$@f#0(\'canary\')"',
        ),
        "call of a subscripted reference": (
            TRUST,
            'f: ["$torch.os.mkdir"]\nx: "$@f[0](\'canary\')"',
        ),
        "call of a call": (TRUST, "x: \"$(lambda: open)()('canary', 'w')\""),
        "lambda": (TRUST, "x: \"$(lambda f: f('canary', 'w'))(open)\""),
        "default of a lambda's argument": (TRUST, f'x: "$(lambda a={OPEN}: a)"'),
        "yield in a lambda": (TRUST, f'x: "$(lambda: (yield {OPEN}))().send(None)"'),
        "walrus": (TRUST, "x: \"$[f := open, f('canary', 'w')]\""),
        "starred arguments": (TRUST, "x: \"$print(*map(torch.os.mkdir, ['canary']))\""),
        "unpacked list": (TRUST, "x: \"$[*map(torch.os.mkdir, ['canary'])]\""),
        # --- names that mean something else in a scope
        "comprehension's variable named as a builtin": (
            TRUST,
            "x: \"$[len(c) for len in [torch.os.mkdir] for c in ['canary']]\"",
        ),
        "comprehension's variable named as a module": (
            TRUST,
            "x: \"$[monai.mkdir('canary') for monai in [torch.os]]\"",
        ),
        "comprehension's variable named as the module it comes from": (
            TRUST,
            'utils: "$torch.os"\nx: "$[torch.device(\'canary\') for torch in [np.__class__]]"',
        ),
        "lambda's argument named as a builtin": (
            TRUST,
            "x: \"$(lambda len: len('canary'))(torch.os.mkdir)\"",
        ),
        "comprehension that assigns to an attribute": (
            TRUST,
            """\
a: "$[0 for monai.utils.set_determinism in [torch.os.mkdir]]"
x: "$@a and monai.utils.set_determinism('canary')"
""",
        ),
        "comprehension that assigns to an item of a reference": (
            TRUST,
            "d: {len: 0}\nx: \"$[0 for @d['len'] in [open('canary', 'w')]]\"",
        ),
        "condition of a comprehension": (TRUST, f'x: "$[c for c in [1] if {OPEN}]"'),
        "source of a set comprehension": (TRUST, f'x: "${{c for c in {OPEN}.name}}"'),
        "value of a dictionary comprehension": (TRUST, f'x: "${{c: {OPEN} for c in [1]}}"'),
        "generator in any": (TRUST, "x: \"$any(open(c, 'w') for c in ['canary'])\""),
        # --- places within an expression
        "branch of a conditional": (TRUST, f'x: "${OPEN} if @class_names else None"'),
        "condition of a conditional": (TRUST, f'x: "$1 if {OPEN} else 2"'),
        "right side of and": (TRUST, f'x: "$@class_names and {OPEN}"'),
        "end of a chain of comparisons": (TRUST, f'x: "$1 < 2 < {OPEN}.fileno()"'),
        "subscript": (TRUST, f'x: "$[1, 2][{OPEN}.fileno() * 0]"'),
        "slice": (TRUST, f'x: "$[1, 2][{OPEN}.fileno() * 0:]"'),
        "key of a dictionary": (TRUST, f'x: "${{{OPEN}: 1}}"'),
        "argument of a listed call": (TRUST, f'x: "$len([{OPEN}])"'),
        "keyword of a listed call": (TRUST, f'x: "$monai.utils.set_determinism(seed={OPEN})"'),
        "argument of a listed method": (TRUST, f'x: "$@network.parameters({OPEN})"'),
        "operand of percent formatting": (TRUST, f"x: \"$'%s' % {OPEN}\""),
        "f-string": (TRUST, f'x: "$f\\"{{{OPEN}}}\\""'),
        "format specification of an f-string": (
            TRUST,
            f'x: "$f\\"{{1:{{{OPEN}.fileno()}}}}\\""',
        ),
        "f-string within an f-string": (
            TRUST,
            'x: "$f\\"{f\'{torch.os.mkdir(str(chr(99)) + chr(97))}\'}\\""',
        ),
        # --- attributes
        "globals of a function": (
            NEVER,
            "x: \"$@network_def.__init__.__globals__['__builtins__']['open']('canary', 'w')\"",
        ),
        "class, base, subclasses": (
            NEVER,
            'x: "$[c for c in ().__class__.__base__.__subclasses__() if c.__name__ == '
            "'_wrap_close'][0].__init__.__globals__['mkdir']('canary')\"",
        ),
        "mro without a dunder": (TRUST, 'x: "$type(1).mro()[1]"'),
        "self of a builtin method": (
            NEVER,
            "x: \"$print.__self__.open('canary', 'w')\"",
        ),
        "frame of a generator": (
            TRUST,
            "x: \"$(c for c in [1]).gi_frame.f_builtins['open']('canary', 'w')\"",
        ),
        "code of a lambda": (TRUST, 'x: "$(lambda: 0).__code__.replace(co_consts=())"'),
        "traceback of an error kept by a reference": (
            TRUST,
            'e: {_target_: builtins.Exception}\nx: "$@e.with_traceback(None).tb_frame"',
        ),
        "private attribute of a reference": (TRUST, 'x: "$@preprocessing.transforms[0]._loader"'),
        "module in an attribute of a module": (TRUST, "x: \"$torch.os.mkdir('canary')\""),
        "module in a module of a module": (
            TRUST,
            "x: \"$monai.utils.misc.shutil.os.mkdir('canary')\"",
        ),
        "modules of sys": (
            TRUST,
            "x: \"$torch.sys.modules['os'].mkdir('canary')\"",
        ),
        "builtins of a module": (NEVER, "x: \"$torch.__builtins__['open']('canary', 'w')\""),
        "loader of a module": (
            NEVER,
            "x: \"$torch.__loader__.load_module('os').mkdir('canary')\"",
        ),
        "hook of a network": (
            TRUST,
            'x: "$@network_def.register_forward_hook(torch.os.mkdir)"',
        ),
        "apply of a network": (TRUST, 'x: "$@network_def.apply(torch.save)"'),
        "class assigned to by a method": (
            NEVER,
            "x: \"$@network_def.__setattr__('forward', torch.os.mkdir)\"",
        ),
        "dictionary of a module updated": (
            NEVER,
            "x: \"$torch.__dict__.update({'float': torch.os.mkdir})\"",
        ),
        "list of a config grown by a method": (
            TRUST,
            'x: "$@preprocessing.transforms.append(torch.os.mkdir)"',
        ),
        # --- texts that format
        "str.format reads attributes": (
            TRUST,
            "x: \"$'{0.__init__.__globals__}'.format(@network_def)\"",
        ),
        "str.format of a text in pieces": (
            TRUST,
            "x: \"$('{0.__in' + 'it__.__globals__}').format(@network_def)\"",
        ),
        "str.format_map": (
            TRUST,
            "x: \"$'{n.__init__.__globals__}'.format_map({'n': @network_def})\"",
        ),
        "format of a referenced text": (
            TRUST,
            "t: '{0.__init__.__globals__}'\nx: \"$@t.format(@network_def)\"",
        ),
        # --- what MONAI makes of the text before it is evaluated
        "reference in quotes whose id makes an f-string": (
            TRUST,
            "f: 1\nx: '$''@f {open(\"canary\", \"w\")}'''",
        ),
        "nested reference in quotes, in a subscript": (
            TRUST,
            "rf: 1\nx: '$[''@rf {open(\"canary\", \"w\")}'']'",
        ),
        "reference in quotes whose id is an operator": (
            TRUST,
            "or: 1\nf: 1\nand: 1\nx: '$''@and @f {open(\"canary\", \"w\")}'''",
        ),
        "comment that becomes a slice": (
            TRUST,
            "x: \"$[1, 2][0 # open('canary', 'w').fileno()\\n]\"",
        ),
        "comment in a list that becomes a slice": (
            TRUST,
            "x: \"$@class_names[0 #open('canary', 'w').fileno()\\n]\"",
        ),
        "line's end before the expression": (TRUST, f'x: "$\\n{OPEN}"'),
        "form feed before the expression": (TRUST, f'x: "$\\f{OPEN}"'),
        "expression over several lines": (TRUST, "x: \"$(open\\n)('canary',\\n 'w')\""),
        "expression in a folded block": (TRUST, f"x: >-\n  ${OPEN}"),
        "expression in a literal block": (TRUST, f"x: |\n  ${OPEN}"),
        "dollar as an escape": (TRUST, f'x: "\\x24{OPEN}"'),
        "the resolver's own variable": (TRUST, 'x: "$__local_refs"'),
        "two statements": (TRUST, f'x: "$import os; {OPEN}"'),
        # --- bombs, of memory and of the parser
        "power of powers": (TRUST, 'x: "$9**9**9"'),
        "text times a number": (TRUST, "x: \"$'a' * 10000000000\""),
        "list times a product of numbers": (TRUST, 'x: "$[0] * 100000 * 100000 * 100000"'),
        "shift": (TRUST, 'x: "$1 << 99999999999"'),
        "list of a range": (TRUST, 'x: "$list(range(99999999999))"'),
        "sum of a range": (TRUST, 'x: "$sum(range(9999999999999))"'),
        "comprehension over comprehensions": (
            TRUST,
            'x: "$[0 for a in range(9999) for b in range(9999) for c in range(9999)]"',
        ),
        "width in percent formatting": (TRUST, "x: \"$'%99999999999d' % 1\""),
        "width in an f-string": (TRUST, "x: '$f\"{1:99999999999}\"'"),
        "tensor of a size": (TRUST, 'x: "$torch.zeros(99999999999)"'),
        "bytes of a size": (TRUST, 'x: "$bytes(99999999999)"'),
        "doubling by references": (
            TRUST,
            "d0: [0, 0]\n"
            + "".join(f'd{i + 1}: "$@d{i} + @d{i} + @d{i} + @d{i}"\n' for i in range(20)),
        ),
        "number of 50,000 digits": (TRUST, f'x: "$0x{"f" * 50_000}"'),
        "brackets within brackets": (TRUST, f'x: "${"(" * 5_000}1{")" * 5_000}"'),
        "minus of minus": (TRUST, f'x: "${"-" * LONG}1"'),
        "not of not": (TRUST, f'x: "${"not " * 50_000}1"'),
        "sum of very many": (TRUST, f'x: "${"1+" * LONG}1"'),
        "attribute of attribute": (TRUST, f'x: "$@network{".a" * 50_000}"'),
        "subscript of subscript": (TRUST, f'x: "$@class_names{"[0]" * 20_000}"'),
        "lambda in lambda": (TRUST, f'x: "${"lambda:" * 20_000}0"'),
        "zero byte in an expression": (TRUST, 'x: "$1 + \\0 1"'),
        "half of a surrogate pair in an expression": (TRUST, "x: \"$'\\ud800'\""),
        "no Python": (TRUST, 'x: "$1 +"'),
        "nothing behind the dollar": (TRUST, 'x: "$"'),
    }
)
