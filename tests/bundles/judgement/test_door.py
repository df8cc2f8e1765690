"""Door: what is neither safe nor trusted is not built, and what was judged is what is run."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from medseg.bundles import build_steps, open_predictor, read_recipe, run_bundle
from medseg.bundles.judgement.door import (
    judge_config,
    judge_working,
    require_runnable,
    require_runnable_config,
)
from medseg.bundles.judgement.judge import judge_folder
from medseg.bundles.judgement.trust import add_trust, remove_trust
from medseg.bundles.onnx import export_onnx
from medseg.bundles.opened import open_configs
from medseg.bundles.trained_network import read_trained_network
from medseg.errors import MedsegError, NeedsTrustError, RefusedError, UsageError
from medseg.sharing.describing.inspection import inspect_bundle
from tests.bundles.test_contract import BUNDLES
from tests.conftest import BUNDLE, REPOSITORY

ROOT = REPOSITORY / "medseg"
# Who may parse configs: each reads what the door has let in, or builds nothing of it.
PARSERS = {
    "bundles/configs.py": {"ConfigParser", "read_config_file"},  # merges plain data
    "bundles/contract.py": {"read_config_file"},  # looks at keys, for `check`
    "bundles/foreign/adapter.py": {"ConfigParser"},  # builds what `open_configs` let in
    "bundles/judgement/configs/config_files.py": {"yaml"},  # judges
    "bundles/judgement/rules.py": {"read_config_file", "yaml"},  # our own rules, and the site's
    "bundles/kinds.py": {"yaml"},  # writes values for messages
    "bundles/keys.py": {"yaml"},  # writes values for a table
    "bundles/macro_files.py": {"ConfigParser"},  # finds a key in plain data
    "bundles/moved_keys.py": {"read_config"},  # looks at keys, under plain MONAI
    "bundles/monai_line.py": {"read_config_file"},  # an args file of plain MONAI
    "bundles/plain_yaml.py": {"yaml"},  # reads plain data
    "bundles/recipe.py": {"ConfigParser"},  # builds what `open_config_file` let in
    "bundles/root.py": {"ConfigParser", "ConfigWorkflow"},  # recognises one among the callers
    "bundles/trained_network.py": {"ConfigParser"},  # builds what `open_configs` let in
    "bundles/workflow.py": {"ConfigWorkflow"},  # runs what `open_configs` let in
    "sharing/describing/card.py": {"yaml"},  # writes the card's front matter
    "sharing/packing/pack_source.py": {
        "read_config_file",
        "yaml",
    },  # reads plain data, to write its twin
    "sharing/packing/trained_config.py": {"yaml"},  # writes lines into a config
    "studies/history/labels.py": {"yaml"},  # labels of a plot
    "studies/pages/repeats.py": {"yaml"},  # writes the config of a row
    "studies/pruning/smaller_bundle.py": {"yaml"},  # writes a line into a config
    "studies/study_file.py": {"read_config_file"},  # rows are judged when they are planned
}
READERS = {"ConfigParser", "ConfigWorkflow", "read_config", "read_config_file", "yaml"}


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDSEG_HOME", str(tmp_path / "home"))


@pytest.fixture
def bundle(tmp_path):
    """A copy of a bundle, without its weights."""
    folder = tmp_path / "stranger"
    shutil.copytree(BUNDLE, folder, ignore=shutil.ignore_patterns("eval", "docs"))
    return folder


@pytest.fixture
def sang(capfd):
    """Whether code of the bundle has run since it was last asked."""
    return lambda: "sang" in capfd.readouterr().out


# Not on the list, and of no harm; what MONAI hands to `eval` it may as well be anything else.
SING = "print('sang', flush=True)"


def put(bundle, key, value, config="inference"):
    """Writes another value of a key of one line."""
    path = bundle / "configs" / f"{config}.yaml"
    text, count = re.subn(
        rf"^{key}: .*$", lambda _: f"{key}: {value}", path.read_text(), flags=re.M
    )
    assert count == 1
    path.write_text(text)


def add(bundle, text, config="inference"):
    with (bundle / "configs" / f"{config}.yaml").open("a") as file:
        file.write(text)


def trust(bundle):
    with pytest.raises(NeedsTrustError):
        require_runnable(bundle)
    digest = judge_working(bundle).judgement.digest
    add_trust(digest, name=str(bundle), reason="test")
    return digest


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom | ast.Import):
            yield from (alias.name for alias in node.names)


def test_no_other_module_parses_configs():
    found = {
        str(path.relative_to(ROOT)): names
        for path in ROOT.rglob("*.py")
        if (names := READERS & set(imported(ast.parse(path.read_text()))))
    }
    assert {file: names for file, names in found.items() if names - PARSERS.get(file, set())} == {}


def test_configs_are_read_through_no_other_attribute():
    # monai.bundle.ConfigParser, and the functions that make a workflow of a file.
    ways = {"load_config_file", "load_config_files", "create_workflow", "ConfigWorkflow"}
    for path in ROOT.rglob("*.py"):
        tree = ast.parse(path.read_text())
        used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert not used & ways, path


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_the_bundles_of_the_repository_pass(bundle):
    assert require_runnable(bundle).standing == "safe"


@pytest.mark.parametrize(
    "recipe", sorted(REPOSITORY.glob("transforms/*.yaml")), ids=lambda p: p.stem
)
def test_the_recipes_of_the_repository_pass(recipe):
    assert require_runnable_config(recipe).standing == "safe"


WAYS = {
    "run": lambda bundle: run_bundle(bundle, configs=["inference"], run_id="inferring"),
    "train": lambda bundle: run_bundle(bundle, configs=["train"], run_id="training"),
    "predict": open_predictor,
    "network": read_trained_network,
    "export": lambda bundle: export_onnx(bundle, bundle.parent / "model.onnx"),
    "configs": lambda bundle: open_configs(bundle, ["train"]),
    "recipe": lambda bundle: read_recipe(bundle / "configs" / "train.yaml"),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("config", ["inference", "metadata"])
def test_no_way_in_runs_code_of_a_stranger(way, config, bundle, sang):
    if config == "metadata":
        metadata = bundle / "configs" / "metadata.json"
        metadata.write_text(metadata.read_text().replace("{", f'{{"a": "${SING}",', 1))
    else:
        put(bundle, "window", f"${SING} or [0.0, 1.0]")
    with pytest.raises((NeedsTrustError, RefusedError)) as refused:
        way(bundle)
    line = str(refused.value)
    assert "\n" not in line
    assert f"{bundle}: " in line
    assert f"configs/{config}." in line
    assert f"'medseg bundle inspect {bundle}'" in line
    assert not sang()


def test_code_runs_once_it_is_trusted_and_no_longer_when_a_byte_changes(bundle, sang):
    put(bundle, "window", "{_target_: scripts.sing.window}")
    (bundle / "scripts").mkdir()
    sing = bundle / "scripts" / "sing.py"
    sing.write_text(f"{SING}\ndef window():\n    return [-7.0, 70.0]\n")
    assert not sang()
    trust(bundle)
    assert open_predictor(bundle).window == (-7.0, 70.0)
    assert sang()
    assert not (bundle / "scripts" / "__pycache__").exists()
    sing.write_text(sing.read_text() + "\n")
    with pytest.raises(NeedsTrustError):
        open_predictor(bundle)
    assert not sang()


@pytest.mark.parametrize(
    "change",
    [
        lambda bundle: add(bundle, "# a comment\n", "train"),
        lambda bundle: (bundle / "beside.py").touch(),
        lambda bundle: (bundle / "configs" / "own.yaml").write_text("a: 1\n"),
        lambda bundle: (bundle / "configs" / "train.yaml").unlink(),
        lambda bundle: (bundle / "docs.txt").symlink_to("/etc/passwd"),
    ],
    ids=["a comment", "a module", "a config", "a config gone", "a link"],
)
def test_trust_ends_with_any_change_of_what_the_verdict_depends_on(change, bundle):
    put(bundle, "part_of", "{_target_: scripts.parts}")
    trust(bundle)
    assert require_runnable(bundle).standing == "trusted"
    change(bundle)
    with pytest.raises((NeedsTrustError, RefusedError)):
        require_runnable(bundle)


def test_trust_lasts_where_nothing_of_the_verdict_changes(bundle, tmp_path):
    put(bundle, "part_of", "{_target_: scripts.parts}")
    digest = trust(bundle)
    shutil.copytree(bundle, tmp_path / "elsewhere")
    (bundle / "eval").mkdir()
    (bundle / "eval" / "metrics.csv").write_text("epoch\n")
    for folder in (bundle, tmp_path / "elsewhere"):
        assert require_runnable(folder).standing == "trusted"
    remove_trust(digest)
    with pytest.raises(NeedsTrustError):
        require_runnable(bundle)


def test_what_is_refused_cannot_be_trusted(bundle):
    add(bundle, "a: 1\na: 2\n")
    add_trust(judge_working(bundle).judgement.digest, name="", reason="")
    with pytest.raises(RefusedError, match="no trust suffices"):
        require_runnable(bundle)


def test_a_config_that_is_replaced_after_it_was_judged_is_not_read(bundle, sang):
    opened = open_configs(bundle, ["inference"])
    put(bundle, "window", f"${SING}")
    assert opened.changed({})["window"]["name"] == "window"
    assert not sang()


def test_no_config_is_opened_again_after_it_was_judged(bundle):
    # An audit hook cannot be removed, hence a process of its own.
    code = f"""
import sys
from pathlib import Path
from medseg.bundles.judgement.door import require_runnable
from medseg.bundles.run import open_workflow
require_runnable({str(bundle)!r})
opened = []
def hook(event, words):
    if event == "open" and str(words[0]).startswith({str(bundle)!r}):
        opened.append(str(words[0]))
sys.addaudithook(hook)
open_workflow({str(bundle)!r}, configs=["train", "evaluate"], run_id="evaluating").initialize()
print([name for name in opened if not name.endswith(".safetensors")])
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("pairs", "told"),
    [
        ([f"window=${SING}"], "window"),
        (["network_def={_target_: os.system, command: 'true'}"], "network_def"),
        (["part_of='%/etc/hostname.yaml::a'"], "part_of"),
    ],
)
def test_an_override_that_could_run_code_is_refused_with_the_way_to_have_it(pairs, told, bundle):
    with pytest.raises((NeedsTrustError, RefusedError), match=told) as refused:
        open_predictor(bundle, pairs=pairs)
    assert "\n" not in str(refused.value)


def test_configs_that_are_safe_alone_are_judged_again_together(bundle, tmp_path):
    # Each is plain data; merged, the one calls what the other names.
    own = tmp_path / "own.yaml"
    own.write_text("reader: [os.system]\n")
    open_configs(bundle, [str(own)])
    with pytest.raises((NeedsTrustError, RefusedError), match=r"reader|preprocessing"):
        run_bundle(bundle, configs=["train", str(own)], run_id="training")


def test_a_config_outside_the_bundle_is_judged_and_may_be_trusted(bundle, tmp_path, sang):
    own = tmp_path / "own.yaml"
    own.write_text(f'window: "${SING} or [-7.0, 70.0]"\n')
    names = ["inference", str(own)]
    with pytest.raises(NeedsTrustError, match=rf"{own}:1: window: .*'medseg bundle trust {own}'"):
        open_configs(bundle, names)
    add_trust(require_digest(own), name=str(own), reason="")
    assert open_configs(bundle, names).texts[1] == own.read_text()
    assert not sang()


def require_digest(config):
    return judge_config(config).judgement.digest


def test_a_recipe_is_judged_and_may_be_trusted(tmp_path, sang):
    recipe = tmp_path / "own.yaml"
    sections = "preprocessing_steps: []\nlabel_steps: []\n"
    recipe.write_text(f'{sections}augmentation_steps: [$print, "${SING} or print"]\n')
    with pytest.raises((NeedsTrustError, RefusedError), match=f"^{recipe}: "):
        read_recipe(recipe)
    assert not sang()
    add_trust(require_digest(recipe), name=str(recipe), reason="")
    assert len(build_steps(read_recipe(recipe), "augmentation_steps", recipe)) == 2
    assert sang()


def test_a_trusted_bundles_modules_are_found_last_and_its_folder_is_not_on_the_path(bundle):
    (bundle / "beside.py").write_text("")
    trust(bundle)
    code = f"""
import sys
from medseg.bundles.run import open_workflow
before = list(sys.path)
workflow = open_workflow({str(bundle)!r}, configs=["inference"], run_id="inferring")
# What is installed comes first, whatever the bundle calls its modules.
print([type(finder).__name__ for finder in sys.meta_path][-1], sys.path == before)
import beside
print(beside.__file__)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-2:] == ["_TrustedCode True", str(bundle / "beside.py")]
    assert not (bundle / "__pycache__").exists()


def test_a_module_in_the_place_of_pythons_own_is_refused(bundle):
    (bundle / "mimetypes.py").write_text("")
    with pytest.raises(RefusedError, match=r"mimetypes\.py: takes the place of mimetypes"):
        require_runnable(bundle)


def test_a_folder_without_an_init_file_is_a_package_as_elsewhere(bundle):
    (bundle / "scripts" / "deep").mkdir(parents=True)
    (bundle / "scripts" / "deep" / "window.py").write_text("def window():\n    return [3.0, 4.0]\n")
    put(bundle, "window", "{_target_: scripts.deep.window.window}")
    trust(bundle)
    assert open_predictor(bundle).window == (3.0, 4.0)


def test_modules_of_another_bundle_are_forgotten(bundle, tmp_path):
    put(bundle, "window", "{_target_: scripts.window}")
    other = tmp_path / "other"
    shutil.copytree(bundle, other)
    for folder, low in ((bundle, 1.0), (other, 2.0)):
        (folder / "scripts.py").write_text(f"def window():\n    return [{low}, 9.0]\n")
        trust(folder)
    assert [open_predictor(each).window[0] for each in (bundle, other, bundle)] == [1, 2, 1]


def test_variables_that_let_pickles_in_are_cleared(bundle, monkeypatch):
    monkeypatch.setenv("MONAI_ALLOW_PICKLE", "1")
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    require_runnable(bundle)
    assert not {"MONAI_ALLOW_PICKLE", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"} & set(os.environ)


@pytest.mark.parametrize("name", ["train.yaml", "metadata.json", "logging.conf"])
@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_linked_config_is_not_followed_and_a_pipe_does_not_hang(name, kind, bundle, tmp_path):
    file = bundle / "configs" / name
    file.rename(tmp_path / name)
    if kind == "link":
        file.symlink_to(tmp_path / name)
    else:
        os.mkfifo(file)
    with pytest.raises(MedsegError) as refused:
        run_bundle(bundle, configs=["train"], run_id="training")
    assert isinstance(refused.value, (RefusedError, UsageError))


def test_judging_imports_neither_torch_nor_monai():
    code = (
        "import sys\nfrom medseg.bundles.opened import open_configs\n"
        f"open_configs({str(BUNDLE)!r}, ['inference'])\n"
        "print({'torch', 'monai', 'numpy'} & set(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "set()"


def test_rules_that_a_site_adds_are_heeded_at_once(bundle, tmp_path, monkeypatch):
    put(bundle, "part_of", "{_target_: torch.nn.Tanh}")
    rules = tmp_path / "rules.yaml"
    monkeypatch.setenv("MEDSEG_RULES", str(rules))
    rules.write_text("components: {torch.nn.Tanh: {why: computes on tensors in memory}}")
    assert require_runnable(bundle).standing == "safe"
    rules.write_text("components: {}")
    with pytest.raises(NeedsTrustError, match=r"torch\.nn\.Tanh"):
        require_runnable(bundle)


def test_unchanged_files_are_judged_once(bundle):
    first = require_runnable(bundle)
    assert require_runnable(Path(os.path.relpath(bundle))).judgement is first.judgement
    os.utime(bundle / "configs" / "train.yaml")
    assert require_runnable(bundle).judgement is not first.judgement


def test_a_mistake_in_a_bundles_config_is_told_by_file_and_line(bundle):
    put(bundle, "device", "'@devise'")
    with pytest.raises(UsageError, match="no such key in this config: @devise; did you") as told:
        require_runnable(bundle)
    assert re.match(rf"{bundle}: configs/inference.yaml:\d+: device: ", str(told.value))


def test_a_mistake_beside_what_could_run_does_not_hide_it(bundle, sang):
    put(bundle, "device", "'@devise'")
    put(bundle, "window", f"${SING} or [0.0, 1.0]")
    with pytest.raises(NeedsTrustError, match="window"):
        open_predictor(bundle)
    assert not sang()


def test_a_bundle_with_a_mistake_may_be_trusted_all_the_same(bundle):
    put(bundle, "device", "'@devise'")
    add_trust(judge_working(bundle).judgement.digest, name=str(bundle), reason="test")
    assert require_runnable(bundle).standing == "trusted"


def test_a_config_of_ones_own_may_refer_to_the_bundles_keys_and_a_mistake_in_it_is_told(
    bundle, tmp_path
):
    own = tmp_path / "own.yaml"
    own.write_text("part_of: '@class_names'\n")
    with pytest.raises(NeedsTrustError, match="@class_names"):
        open_configs(bundle, ["inference", str(own)])
    own.write_text("part_of: '@class_names'\nwindow: '@class_nams'\n")
    with pytest.raises(UsageError, match=rf"^{own}:2: window: no such key .*: @class_nams"):
        open_configs(bundle, ["inference", str(own)])


def test_a_module_that_a_config_names_is_not_imported_to_see_whether_it_is_there(tmp_path):
    # Whoever unpacks a bundle beside a module of these names has not asked for it to run.
    (tmp_path / "Nope.py").write_text("print('sang', flush=True)")
    recipe = tmp_path / "own.yaml"
    targets = ["Nope", "Nope.Thing", "monai.losses.Nope", "medseg.Nope.Thing", "monai.apps.Nope"]
    steps = "".join(f"- _target_: {target}\n" for target in targets)
    recipe.write_text(f"preprocessing_steps: []\nlabel_steps: []\naugmentation_steps:\n{steps}")
    code = f"""
import sys
from medseg.bundles.judgement.door import require_runnable_config
from medseg.errors import MedsegError
try:
    require_runnable_config({str(recipe)!r})
except MedsegError as error:
    print(error)
print([name for name in ("Nope", "monai", "torch") if name in sys.modules])
"""
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{REPOSITORY}"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
    assert "sang" not in done.stdout


def test_what_runs_write_is_no_part_of_the_bundle_for_any_command(bundle):
    before = judge_working(bundle).judgement
    (bundle / "eval").mkdir()
    (bundle / "eval" / "checkpoint.pt").write_bytes(b"\x80\x04cos\nsystem\n.")
    assert judge_working(bundle).judgement == before
    assert judge_folder(bundle) == before
    assert inspect_bundle(bundle).judgement == before
    (bundle / "eval" / "code.py").write_text("")
    assert inspect_bundle(bundle).judgement == judge_working(bundle).judgement != before
