"""Attacks on this judge: where what it takes a config for is not what MONAI makes of it.

Each line by itself is on the list. The path attacks end in `../canary`, put together of parts that
are harmless where the judge believes to find them.
"""

from tests.bundles.attacks.case import CONFIG, METADATA, Attack, attacks, config_of, made

__all__ = ["DIFFERENCES"]

TRUST = "needs trust"
REFUSED = "refused"
SAVE = "{_target_: medseg.inference.SaveLabeld, keys: pred, output_dir: '@output_dir'}"
RUN = """\
steps: {_target_: Compose, transforms: %s}
set: {_target_: Dataset, data: [canary], transform: "@steps"}
x: "$any(@set)"
"""

_LINES: list[Attack] = attacks(
    {
        # --- functions that are imported from listed modules, and called by a listed component
        "imported function in a list of transforms": (
            TRUST,
            RUN % '["$from os import mkdir"]',
        ),
        "reference to an imported function in a list": (
            TRUST,
            'f: "$from os import mkdir"\n' + RUN % '["@f"]',
        ),
        "macro of an imported function in a list": (
            TRUST,
            'f: "$from os import mkdir"\n' + RUN % '["%f"]',
        ),
        "imported function in a list of lists": (
            TRUST,
            RUN % '[{_target_: OneOf, transforms: ["$from os import mkdir"]}]',
        ),
        "imported function in a mapping of metrics": (
            TRUST,
            'f: "$from os import abort"\nx: {_target_: SupervisedEvaluator, device: cpu, '
            "val_data_loader: '@datalist', network: '@network', key_val_metric: {a: '@f'}}",
        ),
        "imported function as a handler": (
            TRUST,
            "x: {_target_: SupervisedEvaluator, device: cpu, val_data_loader: '@datalist', "
            "network: '@network', val_handlers: ['$from functools import partial']}",
        ),
        # --- imported functions in keys that medseg takes by their names
        "imported functions as steps of a preprocessing": (
            TRUST,
            "preprocessing_steps:\n"
            "- {_target_: CopyItemsd, keys: image, names: '`touch canary`'}\n"
            "- $from numpy import str_\n"
            "- $from os import system",
        ),
        "imported function as the inferer": (TRUST, "inferer: $from os import abort"),
        "imported module as the network": (TRUST, "network: $import os"),
        "list of imports as the steps of a preprocessing": (
            TRUST,
            'imports: ["$from os import system"]\npreprocessing_steps: "@imports"',
        ),
        "macro of imports as the steps of a preprocessing": (
            TRUST,
            'imports: ["$from os import system"]\npreprocessing_steps: "%imports"',
        ),
        "one of the imports as a step, by an expression": (
            TRUST,
            'imports: ["$from os import system"]\npreprocessing_steps: "$[i for i in @imports]"',
        ),
        # --- ids that MONAI takes for others: it drops blanks, and reads positions by `int`
        "plus and a blank after the name": (
            TRUST,
            'x: {_target_: LoadImaged, keys: image}\n"+x ": {reader: os.abort}',
        ),
        "plus and a wide blank before the name": (
            TRUST,
            'x: {_target_: LoadImaged, keys: image}\n"+\u3000x": {reader: os.abort}',
        ),
        # --- components that are put together of parts
        "plus makes a component of a plain mapping": (
            TRUST,
            "x: {keys: pred, output_dir: eval, overwrite: replace}\n"
            "+x: {_target_: medseg.inference.SaveLabeld}",
        ),
        "plus makes a reader of a plain mapping": (
            TRUST,
            "x: {keys: image, reader: os.abort}\n+x: {_target_: LoadImaged}",
        ),
        "plus exchanges the target": (
            TRUST,
            "x: {_target_: Dataset, data: [1], transform: null}\n+x: {_target_: LoadImaged, "
            "keys: image, reader: os.abort}",
        ),
        "plus gives a component an argument": (
            TRUST,
            "x: {_target_: LoadImaged, keys: image}\n+x: {reader: [os.abort]}",
        ),
        "key with a path gives a component an argument": (
            TRUST,
            "x: {_target_: LoadImaged, keys: image}\nx#reader: os.abort",
        ),
        "plus merges a mapping by a macro": (
            TRUST,
            "a: {_target_: LoadImaged, keys: image}\nb: '%a'\n+a: {reader: os.abort}\nx: '%b'",
        ),
        # --- keys that are one key to MONAI
        "two keys that are one as text: numbers": (
            TRUST,
            "x: {0x1: \"$open('canary', 'w')\", '1': 2}",
        ),
        "two keys that are one as text: a truth": (
            TRUST,
            "x: {true: \"$open('canary', 'w')\", 'True': 2}",
        ),
        "two keys that are one as text: nothing": (
            TRUST,
            "x: {null: \"$open('canary', 'w')\", 'None': 2}",
        ),
        "key that MONAI renames": (
            TRUST,
            "required_packages_version: eval\noptional_packages_version: .\n"
            "output_dir: \"$@required_packages_version + './canary'\"",
        ),
        "reader behind a key that MONAI renames": (
            TRUST,
            "required_packages_version: ITKReader\noptional_packages_version: os.abort\n"
            "x: {_target_: LoadImaged, keys: image, reader: '@required_packages_version'}",
        ),
        # --- values that are others in Python
        "disabled part shifts the positions of a list": (
            TRUST,
            "p: [{_target_: SimpleInferer, _disabled_: true}, eval, .]\n"
            "output_dir: \"$@p[1] + './canary'\"",
        ),
        "component that gives nothing shifts the positions of a list": (
            TRUST,
            "p: [{_target_: medseg.bundles.explain_errors}, eval, .]\n"
            "output_dir: \"$@p[1] + './canary'\"",
        ),
        "sorting changes the positions of a list": (
            TRUST,
            "output_dir: \"$sorted(['eval', '.'])[0] + './canary'\"",
        ),
        "set changes the positions of a list": (
            TRUST,
            "output_dir: \"$list(set(['eval', 'eval', '.']))[1] + './canary'\"",
        ),
        "set without repeats changes the positions": (
            TRUST,
            "output_dir: \"$list({'eval', '.'})[0] + './canary'\"",
        ),
        "1 and True are one key": (
            TRUST,
            "output_dir: \"${1: 'eval', True: '.'}[1] + './canary'\"",
        ),
        "1 and 1.0 are one key": (TRUST, "output_dir: \"${1: 'eval', 1.0: '.'}[1] + './canary'\""),
        "0 and False are one key": (
            TRUST,
            "output_dir: \"${0: 'eval', False: '.'}[0] + './canary'\"",
        ),
        "later pair of a mapping counts": (
            TRUST,
            "output_dir: \"${'a': 'eval', 'a': '.'}['a'] + './canary'\"",
        ),
        "word in other letters by strip": (TRUST, "overwrite: \"$' replace '.strip()\""),
        "word by split": (TRUST, "overwrite: \"$'x replace'.split()[1]\""),
        "word by lower": (TRUST, "overwrite: \"$'REPLACE'.lower()\""),
        "word by min": (TRUST, "overwrite: \"$min('replace', 'z')\""),
        "path by strip": (TRUST, "output_dir: \"$' /tmp'.strip()\""),
        "path by split": (TRUST, "output_dir: \"$'x /tmp'.split()[-1]\""),
        "path by a loop over letters": (TRUST, "output_dir: \"$[c for c in '/'][0] + 'tmp'\""),
        "path by zip": (TRUST, "output_dir: \"$[a + b for a, b in zip(['/'], ['tmp'])][0]\""),
        "path by a sum of texts in a list": (TRUST, "output_dir: \"$max(['.']) + './canary'\""),
        "path by os.path.join": (
            TRUST,
            "imports: ['$import os']\noutput_dir: \"$os.path.join(@bundle_root, '/', 'tmp')\"",
        ),
        "path by os.path.join of a sum": (
            TRUST,
            "imports: ['$import os']\noutput_dir: \"$os.path.join(@bundle_root, '.' + '.')\"",
        ),
        "parent by a space that Windows drops": (TRUST, "output_dir: 'eval/.. /.. /canary'"),
        "parent by dots that Windows drops": (TRUST, "output_dir: 'eval/... /canary'"),
        # --- time and memory
        "loop within a loop's result": (
            TRUST,
            'x: "$[[[0 for c in range(10000)] for b in range(10000)] for a in range(10000)]"',
        ),
        "text of lists of lists": (
            TRUST,
            'a: "$[0 for i in range(10000)]"\nb: "$[@a for i in range(10000)]"\n'
            'c: "$[@b for i in range(10000)]"\nx: "$str(@c)"',
        ),
        "workers without end": (
            TRUST,
            "x: {_target_: DataLoader, dataset: [1, 2], num_workers: 100000}",
        ),
        "network of a billion channels": (
            TRUST,
            "network_def: {_target_: medseg.networks.UNet, spatial_dims: 3, in_channels: 1, "
            "out_channels: 2, first_width: 1000000000, depth: 3}",
        ),
        "sum over loops over loops": (
            TRUST,
            'a: "$[sum(range(10000)) for i in range(10000)]"\n'
            'x: "$[sum(@a) for i in range(10000)]"',
        ),
    }
)
LOADER = "x: {_target_: LoadImaged, keys: image}\n"
_FILES: list[Attack] = [
    # A second config holds what the judge takes the id for, and is never merged.
    *(
        made(
            f"id that MONAI takes for another: {what}",
            TRUST,
            {CONFIG: config_of(lines), "configs/evaluate.yaml": other},
            CONFIG,
        )
        for what, lines, other in (
            ("a blank after a name", f'{LOADER}"x #reader": os.abort', '"x ": {a: 1}\n'),
            (
                "a position with a zero before it",
                'x: [{_target_: LoadImaged, keys: image}]\n"x#00#reader": os.abort',
                'x: {"00": {a: 1}}\n',
            ),
            (
                "an empty name, which is the whole config",
                'r: ITKReader\nx: {_target_: LoadImaged, keys: image, reader: "@r"}\n'
                '"#r": os.abort',
                '"": {a: 1}\n',
            ),
            (
                "a macro's position with a zero before it",
                'r: [os.abort]\nx: {_target_: LoadImaged, keys: image, reader: "%r::00"}',
                'r: {"00": ITKReader}\n',
            ),
            (
                "a macro's position counted from the end",
                'r: [os.abort]\nx: {_target_: LoadImaged, keys: image, reader: "%r::-1"}',
                'r: {"-1": ITKReader}\n',
            ),
        )
    ),
    *(
        made(f"text that takes all time to be searched: {what}", REFUSED, {name: text}, name)
        for what, name, text in (
            ("macro of dots", "configs/a.json", '{"a": "%' + "." * 200_000 + '"}'),
            ("references to nothing", "configs/a.json", '{"a": "$' + "@" * 200_000 + '"}'),
            ("name of a key", "configs/a.json", '{"' + "a" * 200_000 + '": {"b": "@##c"}}'),
            (
                "references to a long list",
                "configs/a.json",
                f'{{"a": [{",".join(["1"] * 15_000)}], "b": [{",".join(["%s"] * 50_000)}]}}'
                % (('"$@a"',) * 50_000),
            ),
        )
    ),
    made(
        "metadata whose key with # makes a component",
        TRUST,
        {
            "configs/metadata.json": METADATA.replace(
                '"task"', '"a": {"path": "canary"}, "a#_target_": "os.mkdir", "task"'
            ),
            CONFIG: config_of('x: "@_meta_::a"'),
        },
        None,
    ),
    made(
        "metadata whose key with + makes a component",
        TRUST,
        {
            "configs/metadata.json": METADATA.replace(
                '"task"', '"a": {"path": "canary"}, "+a": {"_target_": "os.mkdir"}, "task"'
            ),
            CONFIG: config_of('x: "@_meta_::a"'),
        },
        None,
    ),
    made(
        "config of plain values sends elsewhere what another builds",
        TRUST,
        {"configs/evaluate.yaml": "output_dir: /tmp/canary\n", CONFIG: config_of(f"x: {SAVE}")},
        None,
    ),
    made(
        "config of plain values that is always merged",
        TRUST,
        {"configs/train.yaml": "x: 1\n", "configs/evaluate.yaml": "output_dir: /tmp/canary\n"},
        "configs/evaluate.yaml",
    ),
    made(
        "component of one config, arguments of another",
        TRUST,
        {
            "configs/train.yaml": "x: {keys: image, reader: os.abort}\n",
            "configs/evaluate.yaml": "+x: {_target_: LoadImaged}\n",
        },
        None,
    ),
    made(
        "module of the standard library's name beside a listed import",
        TRUST,
        {"glob.py": "x = 1\n", CONFIG: config_of('imports: ["$import glob"]')},
        "glob.py",
    ),
]
DIFFERENCES: list[Attack] = [*_LINES, *_FILES]
