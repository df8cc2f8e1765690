"""Names that are not what they look like: Unicode forms, confusables, direction, zero width."""

from tests.bundles.attacks.case import Attack, attacks

__all__ = ["NAMES"]

TRUST = "needs trust"
NEVER = "refused"

NAMES: list[Attack] = attacks(
    {
        "full-width builtin, which Python folds to ASCII": (
            NEVER,
            "x: \"$\uff4f\uff50\uff45\uff4e('canary', 'w')\"",
        ),
        "mathematical builtin": (
            NEVER,
            "x: \"$\U0001d428\U0001d429\U0001d41e\U0001d427('canary', 'w')\"",
        ),
        "ligature in an attribute": (NEVER, "x: \"$torch.os.path.is\ufb01le('canary')\""),
        "superscript letter in an attribute": (NEVER, "x: \"$torch.o\u02e2.mkdir('canary')\""),
        "full-width underscores of a dunder": (
            NEVER,
            'x: "$@network_def.\uff3f\uff3fclass\uff3f\uff3f.__init__"',
        ),
        "full-width name of a module by a keyword": (
            TRUST,
            "x: \"$dict(\uff46=torch.os.mkdir('canary'))\"",
        ),
        "Cyrillic letter in a target": (NEVER, "x: {_target_: m\u0435dseg.networks.UNet}"),
        "Greek letter in a bare target": (NEVER, "x: {_target_: \u039boadImaged, keys: image}"),
        "Cyrillic key beside its Latin twin": (TRUST, "c: 1\n\u0441: \"$open('canary', 'w')\""),
        "text that runs from right to left": (
            NEVER,
            "x: \"$'\u202e' or open('canary', 'w')\"",
        ),
        "isolate in a target": (NEVER, 'x: {_target_: "medseg.networks.UNet\u2066"}'),
        "zero width in a target": (NEVER, 'x: {_target_: "medseg\u200b.networks.UNet"}'),
        "soft hyphen in a target": (NEVER, 'x: {_target_: "Com\u00adpose", transforms: []}'),
        "byte order mark within a target": (NEVER, 'x: {_target_: "\ufeffos.mkdir", path: canary}'),
        "no-break space before the target": (
            NEVER,
            'x: {_target_: "\u00a0os.mkdir", path: canary}',
        ),
        "key _target_ in full width": (
            TRUST,
            'x: {"_t\uff41rget_": "os.mkdir", _target_: "os.mkdir", path: canary}',
        ),
        "Cyrillic module in an import": (NEVER, 'imports: ["$import \u043es"]'),
        "combining mark in a name": (NEVER, 'x: "$len\u0301(@class_names)"'),
        "tag characters in an expression": (
            NEVER,
            "x: \"$'\U000e0041\U000e0042' or open('canary', 'w')\"",
        ),
    }
)
