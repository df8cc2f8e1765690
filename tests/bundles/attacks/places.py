"""Places of a config where MONAI evaluates or resolves what looks like mere text."""

from tests.bundles.attacks.case import CONFIG, Attack, attacks, base_config, config_of, made

__all__ = ["PLACES"]

TRUST = "needs trust"
NEVER = "refused"
OPEN = "open('canary', 'w')"
CODE = f'"${OPEN}"'

_LINES: list[Attack] = attacks(
    {
        "description of a component": (
            TRUST,
            f"x: {{_target_: SimpleInferer, _desc_: {CODE}}}",
        ),
        "requirement of a component": (
            TRUST,
            f"x: {{_target_: SimpleInferer, _requires_: {CODE}}}",
        ),
        "list of requirements": (
            TRUST,
            f"x: {{_target_: SimpleInferer, _requires_: [a, {CODE}]}}",
        ),
        "requirement of a disabled component": (
            TRUST,
            f"x: {{_target_: SimpleInferer, _disabled_: true, _requires_: {CODE}}}",
        ),
        "switch of a component": (TRUST, f"x: {{_target_: SimpleInferer, _disabled_: {CODE}}}"),
        "argument of a disabled component": (
            TRUST,
            f"x: {{_target_: SimpleInferer, _disabled_: true, y: {CODE}}}",
        ),
        "component within a disabled component": (
            TRUST,
            "x: {_target_: Compose, _disabled_: true, transforms: [{_target_: os.mkdir, "
            "path: canary}]}",
        ),
        "mode of a component": (TRUST, f"x: {{_target_: SimpleInferer, _mode_: {CODE}}}"),
        "debugger by the mode": (NEVER, "x: {_target_: SimpleInferer, _mode_: debug}"),
        "debugger by a mode in other letters": (
            TRUST,
            "x: {_target_: SimpleInferer, _mode_: Debug}",
        ),
        "debugger by a referenced mode": (
            TRUST,
            'm: debug\nx: {_target_: SimpleInferer, _mode_: "@m"}',
        ),
        "debugger by a macro as the mode": (
            TRUST,
            'm: debug\nx: {_target_: SimpleInferer, _mode_: "%m"}',
        ),
        "debugger by an argument that MONAI takes away": (
            TRUST,
            "x: {_target_: SimpleInferer, _debug_: true}",
        ),
        "import that runs at once": (TRUST, 'imports: ["$import antigravity"]'),
        "import in a key that nothing uses": (TRUST, 'unused: {deep: ["$import scripts"]}'),
        "import from a package of the bundle": (TRUST, 'imports: ["$from scripts.net import Net"]'),
        "import under the name of a builtin": (
            TRUST,
            'imports: ["$from os import mkdir as len"]\nx: "$len(\'canary\')"',
        ),
        "import under the name of a module": (
            TRUST,
            'imports: ["$import os as monai"]\nx: "$monai.mkdir(\'canary\')"',
        ),
        "import under the name of a listed function's module": (
            TRUST,
            'imports: ["$import os as torch"]\nx: "$torch.device(\'canary\')"',
        ),
        "import of a listed module's module": (
            TRUST,
            'imports: ["$from glob import os as np"]\nx: "$np.mkdir(\'canary\')"',
        ),
        "import of a function of torch as a builtin": (
            TRUST,
            "imports: [\"$from torch.hub import load as max\"]\nx: \"$max('owner/name', 'net')\"",
        ),
        "import of a name by a star": (TRUST, 'imports: ["$from os import *"]'),
        "import behind a line's end": (TRUST, 'imports: ["$\\nimport scripts"]'),
        "metadata key in the config": (
            TRUST,
            f"_meta_: {{version: {CODE}}}\nx: '%_meta_::version'",
        ),
        "item of a list of lists": (TRUST, f"x: [[1, [2, {CODE}]]]"),
        "value under a number as its key": (TRUST, f"x: {{1: {CODE}}}"),
        "value under a truth as its key": (TRUST, f"x: {{true: {CODE}}}"),
        "value under null as its key": (TRUST, f"x: {{null: {CODE}}}"),
        "macro takes code from a text": (TRUST, f"note: {{text: {CODE}}}\nx: '%note::text'"),
        "macro as a target": (
            TRUST,
            "names: [os.mkdir]\nx: {_target_: '%names::0', path: canary}",
        ),
        "macro with a relative id as a target": (
            TRUST,
            "x: {name: os.mkdir, y: {_target_: '%##name', path: canary}}",
        ),
        "macro that makes a component of a dictionary": (
            TRUST,
            "a: {_target_: os.mkdir, path: canary, _disabled_: true}\nx: '%a'",
        ),
        "macro of the class names": (
            TRUST,
            "class_names: [os.mkdir, tumour]\nx: {_target_: '%class_names#0', path: canary}",
        ),
        "macro of an absolute file": (TRUST, "x: '%/tmp/evil.json::code'"),
        "macro of a file above": (TRUST, "x: '%../evil.yaml::code'"),
        "macro of a file of the home folder": (TRUST, "x: '%~/evil.yaml'"),
        "macro of a device": (TRUST, "x: '%/dev/stdin.json::x'"),
        "macro in a target's argument": (
            TRUST,
            "x: {_target_: Compose, transforms: '%/evil.yml::t'}",
        ),
        "reference as a target": (TRUST, "t: os.mkdir\nx: {_target_: '@t', path: canary}"),
        "relative reference as a target": (
            TRUST,
            "x: {t: os.mkdir, y: {_target_: '@##t', path: canary}}",
        ),
        "key with a path into another key": (
            TRUST,
            "inferer: {_target_: SimpleInferer}\ninferer#_target_: builtins.breakpoint",
        ),
        "key with two colons": (
            TRUST,
            "inferer: {_target_: SimpleInferer}\ninferer::_target_: builtins.breakpoint",
        ),
        "plus merges into a component": (
            TRUST,
            "+preprocessing: {_desc_: \"$open('canary', 'w')\"}",
        ),
        "plus turns a dictionary into a component": (
            TRUST,
            "x: {path: canary}\n+x: {_target_: os.mkdir}",
        ),
        "plus extends a list": (TRUST, f"+keys: [{CODE}]"),
        "tilde before a key": (TRUST, f"~x: {CODE}"),
        "key that is an expression": (TRUST, "\"$open('canary', 'w')\": {_target_: os.mkdir}"),
    }
)


def _beside(name: str, path: str, text: str, least: str = TRUST) -> Attack:
    return made(name, least, {path: text}, path)


_FILES: list[Attack] = [
    _beside("second config merges into the first", "configs/extra.yaml", f"x: {CODE}\n"),
    _beside(
        "second config replaces a target", "configs/extra.yaml", "inferer#_target_: os.abort\n"
    ),
    _beside("second config by a suffix in capitals", "configs/extra.YAML", f"x: {CODE}\n"),
    _beside("second config with yml", "configs/extra.yml", f"x: {CODE}\n"),
    _beside(
        "JSON twin that is not its YAML", "configs/inference.json", '{"x": "$open(\'canary\')"}'
    ),
    _beside("config in a folder of configs", "configs/more/deep.yaml", f"x: {CODE}\n"),
    _beside("data manifest with code", "configs/set.json", "{\"name\": \"$open('canary', 'w')\"}"),
    _beside("metadata that imports", "configs/metadata.json", '{"version": "$import scripts"}'),
    _beside(
        "metadata with a component", "configs/metadata.json", '{"x": {"_target_": "os.mkdir"}}'
    ),
    _beside(
        "code in a deprecated key of the metadata",
        "configs/metadata.json",
        "{\"optional_packages_version\": \"$open('canary', 'w')\"}",
    ),
    made(
        "macro takes code from the metadata",
        TRUST,
        {
            "configs/metadata.json": "{\"version\": \"$open('canary', 'w')\"}",
            CONFIG: config_of("x: '%_meta_::version'"),
        },
        "configs/metadata.json",
    ),
    made(
        "macro takes code from a text file's neighbour",
        TRUST,
        {"docs/notes.yaml": f"code: {CODE}\n", CONFIG: config_of("x: '%docs/notes.yaml::code'")},
        None,
    ),
    made(
        "code two macros away",
        TRUST,
        {
            "configs/a.yaml": "b: '%configs/b.yaml::c'\n",
            "configs/b.yaml": f"c: {CODE}\n",
            CONFIG: config_of("x: '%configs/a.yaml::b'"),
        },
        "configs/b.yaml",
    ),
    made(
        "config at the root",
        TRUST,
        {"inference.yaml": base_config() + f"x: {CODE}\n"},
        "inference.yaml",
    ),
]
PLACES: list[Attack] = [*_LINES, *_FILES]
