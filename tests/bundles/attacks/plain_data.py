"""Configs that are no plain data, or that say one thing to a reader and another to the parser."""

from tests.bundles.attacks.case import CONFIG, METADATA, Attack, base_config, config_of, made

__all__ = ["PLAIN_DATA"]

TRUST = "needs trust"
NEVER = "refused"
CODE = "\"$open('canary', 'w')\""
JSON_CODE = "\"$open('canary', 'w')\""


def _yaml(name: str, least: str, text: str | bytes) -> Attack:
    return made(name, least, {CONFIG: text}, CONFIG)


def _json(name: str, least: str, text: str | bytes) -> Attack:
    return made(name, least, {"configs/extra.json": text}, "configs/extra.json")


def _doubled(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in range(1, levels):
        items = ", ".join([f"*a{level - 1}"] * 10)
        lines.append(f"a{level}: &a{level} [{items}]")
    return "\n".join(lines) + "\n"


PLAIN_DATA: list[Attack] = [
    # --- YAML
    _yaml("tag of Python", NEVER, config_of("x: !!python/object/apply:os.mkdir [canary]")),
    _yaml("tag of a Python name", NEVER, config_of("x: !!python/name:os.mkdir")),
    _yaml(
        "tag in full", NEVER, config_of("x: !<tag:yaml.org,2002:python/object/new:os.mkdir> [c]")
    ),
    _yaml(
        "tag by a handle",
        NEVER,
        "%TAG !p! tag:yaml.org,2002:python/\n---\n" + config_of("x: !p!object/apply:os.mkdir [c]"),
    ),
    _yaml("tag of one's own", NEVER, config_of("x: !run os.mkdir")),
    _yaml(
        "tag that makes code of bytes", NEVER, config_of("x: !!binary JG9wZW4oJ2NhbmFyeScsICd3Jyk=")
    ),
    _yaml("aliases of aliases", NEVER, config_of(_doubled(9))),
    _yaml("alias within its anchor", NEVER, config_of("x: &x [*x]")),
    _yaml("code in an anchor that is used elsewhere", TRUST, config_of(f"a: &c {CODE}\nx: *c")),
    _yaml(
        "target by a merge key",
        TRUST,
        config_of("a: &t {_target_: os.mkdir}\nx: {<<: *t, path: canary}"),
    ),
    _yaml("alias as a key", TRUST, config_of("a: &t _target_\nx: {*t : os.mkdir, path: canary}")),
    _yaml(
        "target given twice",
        NEVER,
        config_of("x: {_target_: SimpleInferer, _target_: builtins.breakpoint}"),
    ),
    _yaml("key given twice, with code first", NEVER, config_of(f"x: {CODE}\nx: 1")),
    _yaml("second document", NEVER, base_config() + f"---\nx: {CODE}\n"),
    _yaml("document's end, and more", NEVER, base_config() + f"...\nx: {CODE}\n"),
    _yaml("levels without end", NEVER, config_of("x: " + "[" * 5_000 + "]" * 5_000)),
    _yaml("file of 20 million characters", NEVER, base_config() + "#" * 20_000_000),
    _yaml("number of a million digits", NEVER, config_of("x: " + "9" * 990_000)),
    _yaml("number of base sixty, of a million digits", NEVER, config_of("x: " + "1:5" * 300_000)),
    _yaml("list of 300,000 values", NEVER, config_of("x: [" + "1," * 300_000 + "]")),
    _yaml("UTF-16", NEVER, b"\xff\xfe" + config_of(f"x: {CODE}").encode("utf-16-le")),
    _yaml("UTF-16 without a mark", NEVER, config_of(f"x: {CODE}").encode("utf-16-be")),
    _yaml("UTF-7", TRUST, config_of("x: \"+ACQ-open('canary', 'w')\" # $\ny: " + CODE)),
    _yaml("Latin-1", NEVER, base_config().encode() + b"x: \xe4\n"),
    _yaml("byte order mark before code", TRUST, b"\xef\xbb\xbf" + config_of(f"x: {CODE}").encode()),
    _yaml("zero byte", NEVER, config_of("x: 1").encode() + b"\x00"),
    _yaml("zero bytes that end what C reads", NEVER, base_config() + "\0\0\0" + f"x: {CODE}\n"),
    _yaml("escape character", NEVER, base_config() + "x: \x1b[2J\n"),
    _yaml("lines that end in carriage returns", TRUST, config_of(f"x: {CODE}").replace("\n", "\r")),
    _yaml(
        "comment that ends at a next line character", TRUST, base_config() + f"# x\x85x: {CODE}\n"
    ),
    _yaml("comment that ends at a line separator", TRUST, base_config() + f"# x\u2028x: {CODE}\n"),
    _yaml("code behind 900,000 spaces", TRUST, base_config() + "x:" + " " * 900_000 + CODE + "\n"),
    _yaml("code behind 90,000 empty lines", TRUST, base_config() + "\n" * 90_000 + f"x: {CODE}\n"),
    _yaml("complex key", TRUST, config_of(f"? [a, {CODE}]\n: 1")),
    _yaml("code in a set", TRUST, config_of(f"x: !!set {{{CODE}}}")),
    _yaml("code in ordered pairs", TRUST, config_of(f"x: !!omap [a: {CODE}]")),
    _yaml("a list instead of keys", TRUST, f"- {CODE}\n"),
    _yaml("a text instead of keys", TRUST, f"{CODE}\n"),
    _yaml("half of a surrogate pair", NEVER, config_of('x: "\\ud800"')),
    _yaml("unfinished YAML", NEVER, config_of("x: [1, 2")),
    _yaml("JSON of two keys in a YAML file", NEVER, '{"x": 1, "x": ' + JSON_CODE + "}"),
    # --- JSON
    _json(
        "target given twice in JSON",
        NEVER,
        '{"x": {"_target_": "os.mkdir", "_target_": "Compose"}}',
    ),
    _json("key given twice by an escape", NEVER, '{"x": 1, "\\u0078": ' + JSON_CODE + "}"),
    _json("dollar as an escape in JSON", TRUST, "{\"x\": \"\\u0024open('canary', 'w')\"}"),
    _json("target's key by escapes", NEVER, '{"x": {"\\u005ftarget_": "os.system"}}'),
    _json("comments, which other readers skip", NEVER, '{/* */"x": ' + JSON_CODE + "}"),
    _json("not-a-number", TRUST, '{"x": NaN, "y": ' + JSON_CODE + "}"),
    _json("two values", NEVER, "{}" + '{"x": ' + JSON_CODE + "}"),
    _json("levels without end in JSON", NEVER, '{"x": ' + "[" * 100_000 + "]" * 100_000 + "}"),
    _json("number of 10,000 digits in JSON", NEVER, '{"x": ' + "9" * 10_000 + "}"),
    _json("exponent of 10 digits", TRUST, '{"x": 1e9999999999, "y": ' + JSON_CODE + "}"),
    _json("half of a surrogate pair in JSON", NEVER, '{"x": "\\ud800"}'),
    _json("UTF-16 JSON", NEVER, ('{"x": ' + JSON_CODE + "}").encode("utf-16")),
    _json("YAML in a JSON file", NEVER, f"x: {CODE}\n"),
    _json("a list instead of keys in JSON", TRUST, "[" + JSON_CODE + "]"),
    _json("nothing but white space", NEVER, "  \n"),
    # --- metadata
    made(
        "metadata that is no JSON",
        NEVER,
        {"configs/metadata.json": METADATA + "}"},
        "configs/metadata.json",
    ),
]
