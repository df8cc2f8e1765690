"""`medseg bundle trust`, and what commands do with a bundle before and after it."""

import json
import os
import pty
import re
import shutil
import subprocess
import sys

import pytest

from tests.conftest import BUNDLE

# Not on the list, and of no harm; what MONAI hands to `eval` it may as well be anything else.
SING = "print('sang', flush=True)"
NOTHING = "you have trusted nothing that is not safe"
DIGEST = re.compile(r"\b[0-9a-f]{64}\b")


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDSEG_HOME", str(tmp_path / "home"))


@pytest.fixture
def bundle(tmp_path):
    """A stranger's bundle, in a folder with a space: one key of each config runs its code."""
    folder = tmp_path / "a stranger"
    shutil.copytree(BUNDLE, folder, ignore=shutil.ignore_patterns("eval", "docs"))
    for config, key in (("inference", "output_dir"), ("train", "output_dir")):
        path = folder / "configs" / f"{config}.yaml"
        text = path.read_text()
        path.write_text(re.sub(rf"^{key}: .*$", f"{key}: \"${SING} or 'eval'\"", text, flags=re.M))
    return folder


@pytest.fixture
def medseg(command, capfd):
    """Runs the command line; gives exit code, standard output and error."""
    return lambda *words: (command(*words), *capfd.readouterr())


@pytest.fixture
def commands(bundle, tmp_path):
    """Every command that takes a bundle, a recipe or a config."""
    image, label, out = tmp_path / "none.nii.gz", tmp_path / "label.nii.gz", tmp_path / "out"
    for file in (image, label):
        file.touch()
    return [
        ("predict", bundle, tmp_path / "nowhere" / "*.nii", "-o", out),
        ("predict", bundle, image, "-o", out, "--dry-run"),
        ("predict", bundle, image, "-o", out, "--json"),
        ("train", bundle),
        ("train", bundle, "--keys"),
        ("train", bundle, "--quick", f"dataset_dir={tmp_path}"),
        ("train", bundle, "--config", "train", "--config", "evaluate", "--run-id", "evaluating"),
        ("bundle", "export", bundle, "-o", out / "model.onnx"),
        ("data", "preview", bundle, image, label, "-o", out / "page.png"),
        ("data", "preview", bundle / "configs" / "train.yaml", image, label, "-o", out / "p.png"),
    ]


def test_no_command_runs_a_strangers_bundle(medseg, commands, tmp_path):
    for words in commands:
        code, out, err = medseg(*words)
        assert (code, out) == (10, ""), words
        assert len(err.splitlines()) == 1, words
        assert re.search(r"needs trust, not run: \d+ places?: configs/", err), words
        assert f"medseg bundle inspect '{tmp_path}/a stranger'" in err, words
        assert f"medseg bundle trust '{tmp_path}/a stranger'" in err, words
        assert not (tmp_path / "out").exists(), words


def test_a_command_from_a_shell_does_not_either(bundle, tmp_path):
    words = ["predict", str(bundle), "nowhere.nii", "-o", str(tmp_path / "out"), "--dry-run"]
    code = f"import sys; from medseg.cli.main import main; sys.argv[1:] = {words!r}; main()"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (10, "")


def test_trust_shows_each_place_and_is_given_by_digest(medseg, bundle):
    code, out, err = medseg("bundle", "trust", bundle)
    assert code == 10
    assert re.search(r"^needs trust: configs/inference\.yaml:\d+: output_dir: ", out, re.M)
    assert re.search(r"^needs trust: configs/train\.yaml:\d+: output_dir: ", out, re.M)
    (digest,) = set(DIGEST.findall(out))
    assert (
        f"nobody is there to be asked; look at the places above, and if you trust them, add "
        f"--digest {digest}" in err
    )
    code, _, err = medseg("bundle", "trust", bundle, "--digest", "0" * 64)
    assert code == 2
    assert f"its digest is {digest}, not 0000" in err
    code, _, err = medseg("bundle", "trust", bundle, "--digest", digest[:63])
    assert code == 2
    assert medseg("bundle", "trust", "--list") == (0, f"{NOTHING}\n", "")
    code, out, _ = medseg(
        "bundle", "trust", bundle, "--digest", digest, "--reason", "read by A. B."
    )
    assert code == 0
    assert out.endswith(f"{bundle}: trusted, as it is now\n")
    code, out, _ = medseg("bundle", "trust", "--list")
    assert digest in out
    assert "read by A. B." in out
    (entry,) = json.loads(medseg("bundle", "trust", "--list", "--json")[1])
    assert (entry["digest"], entry["name"]) == (digest, str(bundle))
    assert medseg("bundle", "trust", bundle)[1] == f"{bundle}: is trusted ({digest})\n"


def test_what_is_trusted_runs_until_trust_is_removed(medseg, bundle, tmp_path):
    export = ("bundle", "export", bundle, "-o", tmp_path / "model.onnx")
    digest = DIGEST.findall(medseg("bundle", "trust", bundle)[1])[0]
    assert medseg("bundle", "trust", bundle, "--digest", digest)[0] == 0
    assert medseg("train", bundle, "--keys", "ema")[0] == 0
    # It trains nothing without data, but what it says of its folder is evaluated.
    code, out, _ = medseg("train", bundle, f"dataset_dir={tmp_path}")
    assert code in (2, 3)
    assert "sang" in out
    code, out, _ = medseg("bundle", "trust", "--remove", digest[:8])
    assert (code, out) == (0, f"{bundle}: not trusted any more ({digest})\n")
    assert medseg(*export)[0] == 10
    assert medseg("bundle", "trust", "--remove", digest[:8])[0] == 2


@pytest.mark.parametrize(("answer", "code"), [("trust", 0), ("y", 10), ("", 10)])
def test_at_a_terminal_it_asks_for_the_word(answer, code, bundle, medseg):
    words = ["bundle", "trust", str(bundle)]
    call = f"import sys; from medseg.cli.main import main; sys.argv[1:] = {words!r}; main()"
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", call],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as asked:
        os.write(ours, f"{answer}\n".encode())
        out, err = asked.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert asked.returncode == code, err
    assert "If you trust it, type trust" in out
    assert medseg("train", bundle, "--keys", "ema")[0] == code


def test_a_safe_bundle_needs_none(medseg):
    code, out, err = medseg("bundle", "trust", BUNDLE)
    assert (code, err) == (0, "")
    assert "is safe, and needs no trust" in out


def test_a_refused_bundle_cannot_be_trusted(medseg, bundle):
    with (bundle / "configs" / "train.yaml").open("a") as file:
        file.write("epochs: 1\n")
    code, out, err = medseg("bundle", "trust", bundle)
    assert code == 11
    assert "refused: configs/train.yaml" in out
    assert "refused, whoever trusts it" in err
    assert not DIGEST.search(out + err)
    code, _, err = medseg("train", bundle, "--config", "inference", "--keys")
    assert code == 11
    assert "no trust suffices" in err


def test_a_damaged_trust_file_trusts_nothing_and_is_one_line(medseg, bundle, tmp_path):
    digest = DIGEST.findall(medseg("bundle", "trust", bundle)[1])[0]
    assert medseg("bundle", "trust", bundle, "--digest", digest)[0] == 0
    (tmp_path / "home" / "trust.json").write_text("{")
    for words in (("train", bundle, "--keys"), ("bundle", "trust", "--list")):
        code, out, err = medseg(*words)
        assert (code, out) == (10, "")
        assert err.count("\n") == 1
        assert "trust.json: nothing is trusted, because it is damaged" in err
    # Safe bundles need no trust.
    assert medseg("train", BUNDLE, "--keys", "ema")[0] == 0


def test_a_config_of_ones_own_is_added_by_its_path(medseg, tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text("learning_rate: 0.5\n")
    code, out, _ = medseg("train", BUNDLE, "--config", "train", "--config", own, "--keys", "rate")
    assert code == 0
    assert re.search(r"learning_rate +0\.5", out)
    own.write_text(f'learning_rate: "${SING} or 0.5"\n')
    code, _, err = medseg("train", BUNDLE, "--config", "train", "--config", own, "--keys", "rate")
    assert code == 10
    assert f"{own}:1: learning_rate: " in err
    assert f"'medseg bundle trust {own}'" in err
    digest = DIGEST.findall(medseg("bundle", "trust", own)[1])[0]
    assert medseg("bundle", "trust", own, "--digest", digest)[0] == 0
    assert medseg("train", BUNDLE, "--config", "train", "--config", own, "--keys", "rate")[0] == 0


@pytest.mark.parametrize(
    "pair", [f"learning_rate=${SING}", "loss={_target_: os.system, command: 'true'}"]
)
def test_a_pasted_override_that_runs_code_is_refused(pair, medseg, tmp_path):
    code, out, err = medseg("train", BUNDLE, f"dataset_dir={tmp_path}", pair)
    assert (code, out) == (11 if "os.system" in pair else 10, "")
    assert err.startswith(f"medseg: {pair.partition('=')[0]}")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [(), ("--list", "--remove", "12345678"), (BUNDLE, "--list"), (BUNDLE, "--remove", "12345678")],
)
def test_one_thing_at_a_time(words, medseg):
    code, _, err = medseg("bundle", "trust", *words)
    assert code == 2
    assert "give a bundle's folder, --list, or --remove DIGEST" in err


def test_what_is_no_bundle_is_said(medseg, tmp_path):
    code, _, err = medseg("bundle", "trust", tmp_path)
    assert code == 2
    assert "not a bundle (no configs/metadata.json)" in err


def test_a_zip_is_installed_first_and_then_trusted_by_its_name(medseg, bundle, tmp_path):
    zipped = shutil.make_archive(str(tmp_path / "strange"), "zip", bundle.parent, bundle.name)
    code, _, err = medseg("bundle", "trust", zipped)
    assert (code, err.count("\n")) == (2, 1)
    assert "is a zip; install it (medseg bundle install)" in err
    folder = bundle.rename(bundle.with_name("stranger"))
    assert medseg("bundle", "install", folder)[0] == 0
    code, _, err = medseg("bundle", "trust", "stranger")
    assert code == 10
    digest = DIGEST.findall(err)[-1]
    assert medseg("bundle", "trust", "stranger", "--digest", digest)[0] == 0
    assert medseg("bundle", "trust", "stranger")[1].startswith(f"{tmp_path}/home/bundles/stranger/")


def test_a_folder_that_is_not_there_is_said_to_be_so(medseg, tmp_path):
    code, _, err = medseg("bundle", "trust", tmp_path / "nowhere")
    assert code == 2
    assert "nowhere: not a bundle (there is no such folder)" in err
