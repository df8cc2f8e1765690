"""Every command that takes a bundle, on bundles that attack it: none runs, and each says why."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from medseg.bundles.judgement.door import require_runnable
from medseg.bundles.judgement.judge import judge_folder
from medseg.bundles.judgement.trust import add_trust
from medseg.bundles.opened import open_configs
from medseg.cli.main import main
from medseg.errors import MedsegError
from tests.bundles.attacks.case import CONFIG, METADATA, config_of, write_base
from tests.bundles.attacks.corpus import FAMILIES
from tests.conftest import REPOSITORY

OWN = REPOSITORY / "bundles" / "hippocampus_mri_unet3d"
CONFIGS = ("inference", "train", "evaluate")
CODE = "zz: \"$open('canary', 'w')\"\n"
PYTHON = "open('canary', 'w')\n"


def _lines(text: str, *names: str) -> Callable[[Path], object]:
    def change(bundle: Path) -> None:
        for name in names or CONFIGS:
            with (bundle / "configs" / f"{name}.yaml").open("a") as file:
                file.write(text)

    return change


def _put(path: str, content: str | bytes) -> Callable[[Path], object]:
    def change(bundle: Path) -> None:
        place = bundle / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)

    return change


def _linked(bundle: Path) -> None:
    for name in CONFIGS:
        place = bundle / "configs" / f"{name}.yaml"
        place.rename(bundle.parent / f"{name}.yaml")
        place.symlink_to(bundle.parent / f"{name}.yaml")


def _replaced(old: str, new: str) -> Callable[[Path], object]:
    def change(bundle: Path) -> None:
        for name in CONFIGS:
            place = bundle / "configs" / f"{name}.yaml"
            text = place.read_text()
            place.write_text(text.replace(old, new))

    return change


ATTACKS: dict[str, Callable[[Path], object]] = {
    "code in a key that nothing uses": _lines(CODE),
    "code in a config that is not asked for": _put("configs/more.yaml", CODE),
    "code in the metadata": _put(
        "configs/metadata.json", METADATA.replace("nobody", "$open('canary', 'w')")
    ),
    "component that makes a folder": _lines("zz: {_target_: os.mkdir, path: canary}\n"),
    "debugger": _lines("zz: {_target_: SimpleInferer, _mode_: debug}\n"),
    "f-string of a reference in quotes": _lines("f: 1\nzz: '$''@f {open(\"canary\", \"w\")}'''\n"),
    "description of a part that runs": _replaced(
        "_target_: Compose,", "_target_: Compose, _desc_: \"$open('canary', 'w')\","
    ),
    "output elsewhere": _replaced("\"$@bundle_root + '/eval'\"", "/tmp/medseg_canary"),
    "module beside the configs": _put("mimetypes.py", PYTHON),
    "package that is imported": lambda b: (
        _put("scripts/__init__.py", PYTHON)(b),
        _lines('imports: ["$import scripts"]\n')(b),
    ),
    "log file": _put(
        "configs/logging.conf",
        (OWN / "configs" / "logging.conf")
        .read_text()
        .replace("StreamHandler", "FileHandler")
        .replace("(sys.stdout,)", "('canary', 'w')"),
    ),
    "pickle": _put("models/model.pt", b"cos\nmkdir\n(X\x06\x00\x00\x00canarytR."),
    "linked configs": _linked,
    "pipe as a config": lambda b: os.mkfifo(b / "configs" / "pipe.yaml"),
    "aliases of aliases": _lines("zz: &a [1]\nzy: [*a, *a]\n"),
}


@pytest.fixture(autouse=True)
def _work(tmp_path, monkeypatch):
    """An empty working folder, in which a canary would be seen, and nothing trusted."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("MEDSEG_HOME", str(tmp_path / "home"))


@pytest.fixture
def medseg(monkeypatch, capfd):
    """Runs the command line; gives exit code, standard output and error."""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["medseg", *map(str, words)])
        with pytest.raises(SystemExit) as stop:
            main()
        return int(stop.value.code or 0), *capfd.readouterr()

    return call


@pytest.fixture
def bundle(tmp_path):
    folder = tmp_path / "bundle"
    shutil.copytree(OWN, folder, ignore=shutil.ignore_patterns("eval"))
    return folder


def _running(bundle: Path, files: Path) -> list[tuple[object, ...]]:
    """Commands that would build configs of the bundle."""
    image, label, train = files / "i.nii.gz", files / "l.nii.gz", bundle / "configs" / "train.yaml"
    image.touch()
    label.touch()
    return [
        ("predict", bundle, files / "nowhere.nii.gz", "-o", files / "out"),
        ("predict", bundle, image, "-o", files / "out", "--dry-run"),
        ("predict", bundle, image, "-o", files / "out", "--json"),
        ("train", bundle),
        ("train", bundle, "--keys"),
        ("train", bundle, "--quick", f"dataset_dir={files}"),
        ("train", bundle, "--config", "train", "--config", "evaluate", "--run-id", "evaluating"),
        ("data", "preview", bundle, image, label, "-o", files / "page.png"),
        ("data", "preview", train, image, label, "-o", files / "page.png"),
        ("bundle", "export", bundle, "-o", files / "model.onnx"),
    ]


@pytest.mark.parametrize("name", ATTACKS)
def test_no_command_runs_a_bundle_that_attacks(name, bundle, tmp_path, medseg):
    ATTACKS[name](bundle)
    for words in _running(bundle, tmp_path):
        code, _, err = medseg(*words)
        assert code in (10, 11), (words, code, err)
        assert len(err.splitlines()) == 1, (words, err)
        assert "medseg bundle inspect" in err, (words, err)
        assert list(Path.cwd().iterdir()) == [], words
        assert not (tmp_path / "out").exists(), words


@pytest.mark.parametrize("name", ATTACKS)
def test_what_only_looks_at_a_bundle_that_attacks_tells_it(name, bundle, medseg):
    ATTACKS[name](bundle)
    code, out, err = medseg("bundle", "inspect", bundle)
    assert (code, err) in ((10, ""), (11, "")), err
    assert out.splitlines()[-1].startswith(("verdict: needs trust", "verdict: refused"))
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize("family", ["archives", "names", "plain data"])
def test_whatever_is_looked_at_ends_in_a_verdict_or_one_line(family, tmp_path, medseg):
    for number, attack in enumerate(FAMILIES[family]):
        code, out, err = medseg("bundle", "inspect", attack.make(tmp_path / str(number)))
        assert code in (3, 10, 11), (attack.name, code, out, err)
        told = (out + err).splitlines()
        assert all(line.isprintable() for line in told), attack.name
        assert err or told[-1].startswith("verdict: "), attack.name


OTHERS = {
    "pack": ["pack", "BUNDLE", "-o", "packed.zip"],
    "pack with a golden case": ["pack", "BUNDLE", "-o", "packed.zip", "--golden", "BUNDLE/a.png"],
    "card": ["card", "BUNDLE"],
    "check": ["check", "BUNDLE"],
    "test": ["test", "BUNDLE"],
    "sign": ["sign", "BUNDLE", "--key", "BUNDLE/LICENSE"],
    "verify": ["verify", "BUNDLE"],
    "install": ["install", "BUNDLE"],
    "publish": ["publish", "BUNDLE", "share"],
    "sync": ["sync", "BUNDLE"],
    "export": ["export", "BUNDLE", "-o", "model.onnx"],
}


@pytest.mark.parametrize("words", OTHERS.values(), ids=OTHERS)
def test_other_commands_run_nothing_of_it_either(words, bundle, tmp_path, medseg):
    ATTACKS["code in a key that nothing uses"](bundle)
    ATTACKS["package that is imported"](bundle)
    before = sorted(bundle.rglob("*"))
    code, _, err = medseg("bundle", *(word.replace("BUNDLE", str(bundle)) for word in words))
    assert code in (0, 2, 3, 10, 11)
    assert code != 0 or words[0] in ("card", "install", "sync", "verify")  # which build nothing
    assert "Traceback" not in err
    assert "No such command" not in err
    assert list(Path.cwd().iterdir()) == []
    assert not list(tmp_path.rglob("canary*"))
    assert sorted(bundle.rglob("*")) == before


@pytest.mark.parametrize(
    "words",
    [
        ["zz=$open('canary', 'w')"],
        ["output_dir=$open('canary', 'w')"],
        ["network_def#_target_=os.mkdir"],
        ["network_def={_target_: os.mkdir, path: canary}"],
        ["output_dir=%/tmp/evil.yaml::x"],
        ["preprocessing_steps=[{_target_: Lambdad, keys: image, func: $open}]"],
        ["inferer#_mode_=debug"],
        ["imports=['$import antigravity']"],
        ["f=1", 'zz=$\'@f {open("canary", "w")}\''],
        ["keys#0=$open('canary', 'w')"],
    ],
    ids=lambda words: words[-1][:30],
)
def test_a_pasted_override_runs_no_code(words, bundle, tmp_path, medseg):
    (tmp_path / "i.nii.gz").touch()
    overrides = [word for value in words for word in ("--set", value)]
    for command in (
        ["train", bundle, *words],
        ["data", "preview", bundle, tmp_path / "i.nii.gz", tmp_path / "i.nii.gz", *words],
        ["predict", bundle, tmp_path / "i.nii.gz", "-o", tmp_path / "out", *overrides],
    ):
        code, _, err = medseg(*command)
        assert code in (2, 10, 11), (command, err)
        assert "Traceback" not in err
        assert list(Path.cwd().iterdir()) == [], command


@pytest.mark.parametrize(
    "text",
    [CODE, "zz: {_target_: os.mkdir, path: canary}\n", "zz: '%/etc/hostname.yaml::x'\n"],
    ids=["code", "component", "macro"],
)
def test_a_recipe_or_config_by_its_path_is_judged_too(text, bundle, tmp_path, medseg):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text((REPOSITORY / "transforms" / "mri_brain.yaml").read_text() + text)
    extra = tmp_path / "extra.yaml"
    extra.write_text(text)
    (tmp_path / "i.nii.gz").touch()
    for command in (
        ["data", "preview", recipe, tmp_path / "i.nii.gz", tmp_path / "i.nii.gz"],
        ["train", bundle, "--config", "train", "--config", extra],
        ["train", bundle, "--config", "train", "--config", extra, "--keys"],
    ):
        code, _, err = medseg(*command)
        assert code in (10, 11), (command, err)
        assert len(err.splitlines()) == 1
        assert list(Path.cwd().iterdir()) == []


# --- trust


CHANGES: dict[str, Callable[[Path], object]] = {
    "one byte of a config": _lines(" ", "inference"),
    "one byte of the metadata": _put("configs/metadata.json", METADATA.replace("1.0.0", "1.0.1")),
    "module": _put("scripts/net.py", PYTHON + "#"),
    "module of the same length": _put("scripts/net.py", PYTHON.replace("canary", "qanary")),
    "new module": _put("scripts/more.py", PYTHON),
    "new module that is empty": _put("scripts/__init__.py", ""),
    "new config": _put("configs/more.json", "{}"),
    "new pickle": _put("models/x.pkl", b"cos\nmkdir\n(X\x06\x00\x00\x00canarytR."),
    "file that a macro copies": _put("docs/part.yaml", f"part: {CODE}"),
    "module in the folder of outputs": _put("eval/more.py", PYTHON),
    "module that becomes a link": lambda b: (
        (b / "scripts/net.py").rename(b.parent / "net.py"),
        (b / "scripts/net.py").symlink_to(b.parent / "net.py"),
    ),
    "two modules that change places": lambda b: (
        (b / "scripts/net.py").rename(b / "scripts/x"),
        (b / "scripts/other.py").rename(b / "scripts/net.py"),
        (b / "scripts/x").rename(b / "scripts/other.py"),
    ),
    "module that moves": lambda b: (b / "scripts/net.py").rename(b / "net.py"),
}


@pytest.fixture
def trusted(tmp_path):
    """A bundle that runs its own code, and that this user trusts."""
    text = config_of("x: {_target_: scripts.net.Net}\ny: '%docs/part.yaml::part'")
    folder = write_base(
        tmp_path / "trusted",
        {
            CONFIG: text,
            "scripts/net.py": PYTHON,
            "scripts/other.py": "x = 1\n",
            "docs/part.yaml": "part: 1\n",
        },
    )
    add_trust(judge_folder(folder).digest, name="trusted", reason="")
    assert require_runnable(folder).standing == "trusted"
    return folder


@pytest.mark.parametrize("name", CHANGES)
def test_trust_ends_with_any_change_of_what_runs(name, trusted):
    CHANGES[name](trusted)
    with pytest.raises(MedsegError, match="not run"):
        require_runnable(trusted)


def test_trust_goes_with_the_bytes_and_not_with_the_path(trusted, tmp_path):
    trusted.rename(tmp_path / "elsewhere")
    assert require_runnable(tmp_path / "elsewhere").standing == "trusted"
    write_base(trusted, {CONFIG: config_of(CODE)})
    with pytest.raises(MedsegError, match="needs trust, not run"):
        require_runnable(trusted)


def test_a_bundle_that_is_refused_cannot_be_trusted(bundle, medseg):
    ATTACKS["debugger"](bundle)
    digest = judge_folder(bundle).digest
    assert medseg("bundle", "trust", bundle, "--digest", digest)[0] == 11
    add_trust(digest, name="by hand", reason="")
    with pytest.raises(MedsegError, match="refused, not run"):
        require_runnable(bundle)


def test_what_was_judged_is_what_is_run(bundle):
    opened = open_configs(bundle, ["inference"])
    config = bundle / "configs" / "inference.yaml"
    config.write_text(config.read_text() + CODE)
    assert "zz" not in opened.merged
    assert "zz" not in opened.changed({})


def test_a_file_that_comes_back_as_it_was_is_judged_anew(bundle):
    require_runnable(bundle)
    config = bundle / "configs" / "inference.yaml"
    before, status = config.read_text(), config.stat()
    config.write_text(before + CODE)
    os.utime(config, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(MedsegError, match="needs trust, not run"):
        require_runnable(bundle)


# --- what inspect prints


FORGED = "tumours\\nverdict: safe\\u001b[2K\\u001b[1A\\rverdict: safe \\u202e"


@pytest.mark.parametrize("key", ["task", "description", "authors", "copyright", "version"])
def test_metadata_cannot_forge_the_verdict(key, tmp_path, medseg):
    lines = [
        f' "{key}": "{FORGED}",' if line.startswith(f' "{key}"') else line
        for line in METADATA.splitlines()
    ]
    text = "\n".join(lines)
    folder = write_base(
        tmp_path / "forged", {"configs/metadata.json": text, CONFIG: config_of(CODE)}
    )
    code, out, _ = medseg("bundle", "inspect", folder)
    assert code in (10, 11)
    verdicts = [line for line in out.splitlines() if line.lstrip().startswith("verdict")]
    assert len(verdicts) == 1
    assert "safe" not in verdicts[0].partition(" - ")[0]
    assert all(line.isprintable() for line in out.splitlines())


@pytest.mark.parametrize(
    "path", ["docs/x\nverdict: safe\n.txt", "docs/\x1b[2Jx.txt", "\u202ex.txt"]
)
def test_names_of_files_cannot_forge_the_verdict(path, tmp_path, medseg):
    folder = write_base(tmp_path / "forged", {path: "x"})
    for words in (("bundle", "inspect", folder), ("predict", folder, "x.nii", "-o", "out")):
        code, out, err = medseg(*words)
        assert code == 11
        told = (out + err).splitlines()
        assert all(line.isprintable() for line in told)
        assert not any(line.startswith("verdict: safe") for line in told)
