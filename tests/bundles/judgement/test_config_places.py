"""Configs by hand: what is safe, what needs trust and what no trust suffices for."""

import pytest

from tests.bundles.judgement.trees import ROOT, expression_verdict, places, verdict

SAVE = "{_target_: medseg.inference.SaveLabeld, keys: pred, output_dir: '@out', overwrite: '@over'}"


@pytest.mark.parametrize(
    "expression",
    [
        "@bundle_root + '/eval'",
        "os.path.join(@bundle_root, 'models', 'model.safetensors')",
        "len(@names)",
        "[1] * (len(@names) - 2) + [2]",
        "-(-len(@names) // @count)",
        "8 if 'cuda' in str(@device) else 1",
        "[{'image': path} for path in @names]",
        "[{'image': i, 'label': l} for i, l in zip(@names, sorted(@names))]",
        "{'a': True, 'n4': False}[@names[0]]",
        "@control.log_dir / 'curves.png'",
        "not @control.first_process",
        "@net.parameters()",
        "@evaluator.run()",
        "@names[:len(@names)]",
        "monai.utils.set_determinism(seed=@count)",
        "torch.uint8",
        "torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
        "sorted(glob.glob(@bundle_root + '/data/*.nii.gz'))",
        "setattr(torch.backends.cudnn, 'benchmark', True)",
        "0.3 * @count",
        "'grüße'",
    ],
)
def test_an_expression_that_is_on_the_list_is_safe(expression):
    assert expression_verdict(expression) == "safe"


@pytest.mark.parametrize(
    "expression",
    [
        "lambda: 1",
        "(x := 1)",
        "f'{@count}'",
        "[*@names]",
        "{**@case}",
        "open('x')",
        "getattr(@net, 'training')",
        "setattr(torch.backends.cudnn, 'benchmark', @count)",
        "os.environ['HOME']",
        "@net(1)",
        "@net.load_state_dict({})",
        "@net._modules",
        "@names.append(1)",
        "@case.get('image')",
        "'{}'.format(@net)",
        "'%s' % @count",
        "[f(1) for f in [os.listdir]]",
        "[torch.load][0]('x')",
        "(torch.load if @count else len)('x')",
        "monai.utils.set_determinism(seed=1, additional_settings=torch.load)",
        "torch.load",
        "np.load('x')",
        "monai.os.listdir('.')",
        "medseg.networks.UNet()",
        "[1] * @count * len(@names) * 100",
        "[x for a in @names for x in a]",
        "@empty + '/etc'",
        "@empty + '/' + 'etc'",
        "'/etc'",
        "['/etc'][0]",
        "@bundle_root + '/../../etc'",
        "@bundle_root + '_of_another'",
        "os.path.join(@bundle_root, '/etc/passwd')",
        "'~' + '/x'",
        "'http' + '://example.org'",
        "{'/etc/x': 1}",
        "glob.glob('/etc/*')",
        "glob.glob(str(@net))",
        "range(10 ** 9)",
        "range(@count * len(@names))",
        "@missing + 1",
        "compute(@names)",
        "@names @ @names",
        "b'x'",
        "...",
    ],
)
def test_an_expression_that_is_not_on_the_list_needs_trust(expression):
    assert expression_verdict(expression) != "safe"


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('os')",
        "eval('1')",
        "exec('1')",
        "compile('1', '', 'eval')",
        "os.system('x')",
        "[os.system for i in @names]",
        "lambda: os.system('x')",
        "@net.__class__.__init__.__globals__",
        "().__class__.__mro__[1].__subclasses__()",
        "[c for c in @names if c.__class__]",
        "__local_refs",
        "__builtins__['eval']",
        "breakpoint()",
        "10 ** 20",
        "99999999999999999999",
        "'a' * 1000000",
        "[0] * 10000000",
        "1; 2",
        "import os; os.system('x')",
        "from os import *",
        "x = 1",
        "1 +",
        "'@f{os.system(0)}'",
        "\uff45\uff56\uff41\uff4c('1')",
        "l\u0435n(@names)",
        "'\\u202e'",
        "[len for len in @names]",
        "[torch for torch in @names]",
    ],
)
def test_an_expression_without_honest_use_is_refused(expression):
    expected = "needs trust" if expression == "10 ** 20" else "refused"
    assert expression_verdict(expression) == expected


@pytest.mark.parametrize("key", ["_desc_", "_requires_", "_disabled_", "unused", "imports"])
def test_code_is_found_under_every_key(key):
    config = f"part: {{_target_: SimpleInferer, {key}: \"$os.system('x')\"}}"
    assert verdict(config) == "refused"
    assert verdict(f"a: [[{{{key}: \"$os.system('x')\"}}]]") == "refused"


def test_code_is_found_in_metadata_and_in_any_other_yaml_or_json(tmp_path):
    from medseg.bundles.judgement.judge import judge_folder

    for name in ("configs/metadata.json", "docs/a.json", "large_files.json", "configs/sub/b.json"):
        folder = tmp_path / name.replace("/", "_")
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text('{"x": "$os.system(\'x\')"}')
        assert judge_folder(folder).verdict == "refused", name


@pytest.mark.parametrize(
    "target", ["$torch.load", "@x", "%x", "{_target_: SimpleInferer}", "[SimpleInferer]", "1"]
)
def test_a_target_that_is_no_name_needs_trust(target):
    quoted = target if target[0] in "{[1" else f"'{target}'"
    assert verdict(f"x: 1\na: {{_target_: {quoted}}}") == "needs trust"


@pytest.mark.parametrize(
    "target",
    [
        "os.system", "builtins.eval", "subprocess.run", "torch.utils.cpp_extension.load",
        "monai.utils.module.__builtins__", "SimpleInfer\u0435r", "Simple\\u200bInferer",
    ],
)  # fmt: skip
def test_a_target_without_honest_use_is_refused(target):
    assert verdict(f'a: {{_target_: "{target}"}}') == "refused"


@pytest.mark.parametrize(
    "target",
    ["scripts.net.MyNet", "torch.load", "Lambdad", "PersistentDataset", "CheckpointLoader",
     "simpleinferer", "SimpleInferer ", " SimpleInferer", "monai.data.PersistentDataset",
     "medseg.networks.weights.load_weights", "functools.partial", "operator.attrgetter", ""],
)  # fmt: skip
def test_a_target_that_is_not_on_the_list_needs_trust(target):
    assert verdict(f'a: {{_target_: "{target}"}}') == "needs trust"


@pytest.mark.parametrize(
    "part",
    [
        "{_target_: LoadImaged, keys: image, reader: os.system}",
        "{_target_: LoadImaged, keys: image, allow_pickle: true}",
        "{_target_: SupervisedEvaluator, prepare_batch: 1}",
        "{_target_: CastToTyped, keys: image, dtype: O}",
        "{_target_: DenseNet121, pretrained: true}",
        "{_target_: Compose, transforms: [], log_stats: x}",
        "{_target_: medseg.networks.load_weights, network: 1, path: /etc/x}",
        "{_target_: medseg.networks.load_weights, network: 1, path: '@setting'}",
        "{_target_: medseg.training.Control, output_dir: out, mlflow: 'http://x'}",
        "{_target_: medseg.training.Control, output_dir: out, start: resume}",
        "{_target_: medseg.reports.plot_curves, metrics_csv: metrics.csv, png_path: letter.png}",
        "{_target_: SimpleInferer, _mode_: callable}",
        "{_target_: SimpleInferer, _mode_: '@setting'}",
        "{_target_: SupervisedEvaluator, key_val_metric: {../x: 1}}",
    ],
)
def test_an_argument_that_has_power_needs_trust(part):
    setting = "setting: {_target_: medseg.networks.trained_setting, path: w, name: x, default: 1}\n"
    assert verdict(f"{setting}a: {part}") == "needs trust"


def test_the_mode_debug_and_keys_that_monai_keeps_are_refused():
    assert verdict("a: {_target_: SimpleInferer, _mode_: debug}") == "refused"
    assert verdict("a: {_target_: SimpleInferer, _mode_: ' DEBUG '}") == "refused"
    assert verdict("mode: debug\na: {_target_: SimpleInferer, _mode_: '@mode'}") == "refused"
    assert verdict("a: {_target_: SimpleInferer, _debug_: true}") == "refused"


@pytest.mark.parametrize(
    "folder", ["/srv/x", "~/x", "../x", "a/../../x", "C:\\x", "C:x", "\\\\pc\\x"]
)
def test_a_folder_outside_needs_trust_however_it_comes_to_the_writer(folder):
    assert verdict(f"out: eval\nover: refuse\nsave: {SAVE}") == "safe"
    quoted = folder.replace("\\", "\\\\")
    assert verdict(f'out: "{quoted}"\nover: refuse\nsave: {SAVE}') == "needs trust"
    assert verdict(f'a: ["{quoted}"]\nout: "$@a[0]"\nover: refuse\nsave: {SAVE}') == "needs trust"
    meta = {"configs/metadata.json": f'{{"out": "{quoted}"}}'}
    from medseg.bundles.judgement.configs.config_places import config_places
    from tests.bundles.judgement.trees import MemoryTree

    for value in ("'%_meta_::out'", "'@_meta_::out'", "'$@_meta_#out'"):
        config = f"out: {value}\nover: refuse\nsave: {SAVE}"
        assert config_places(MemoryTree(meta | {"configs/a.yaml": config})), value


def test_a_bundle_must_not_say_that_files_are_replaced():
    assert verdict(f"out: eval\nover: replace\nsave: {SAVE}") == "needs trust"
    assert verdict(f"out: eval\nword: re\nover: $@word + 'place'\nsave: {SAVE}") == "needs trust"
    assert verdict("overwrite: replace") == "needs trust"


def test_a_second_config_counts_whatever_it_changes():
    load = "{_target_: LoadImaged, keys: a, reader: medseg.data.VolumeReader}"
    base = f"out: eval\nover: refuse\nsave: {SAVE}\nload: [{load}]"
    assert verdict(base, second="out: other") == "safe"
    for second in (
        "out: /srv",
        "over: replace",
        "save#output_dir: /srv",
        "save::overwrite: replace",
        "+save: {overwrite: replace}",
        "save#_target_: os.system",
        "load#0#reader: os.listdir",
        "load#-1#reader: os.listdir",
        "+load: [{_target_: LoadImaged, keys: a, reader: os.listdir}]",
        "+load: [{_target_: LoadImaged, keys: a}]\nload#1#reader: os.listdir",
        "nowhere#_target_: os.system",
        "nowhere#reader: os.listdir",
    ):
        assert verdict(base, second=second) != "safe", second


def test_a_change_of_ones_own_part_says_nothing_of_the_part_that_it_replaces():
    base = "a: {_target_: Compose, transforms: []}"
    second = "a: {_target_: SlidingWindowInferer, roi_size: 8}\na#sw_batch_size: 2"
    assert verdict(base, second=second) == "safe"
    assert verdict(base, second="a#sw_batch_size: 2") == "needs trust"


def test_a_macro_copies_only_from_the_bundles_own_keys():
    assert verdict("a: [1]\nb: '%a'\nc: '%a::0'\nd: '%a#0'") == "safe"
    for macro in ("%/etc/x.json::a", "%../x.yaml", "%other.yaml::a", "%", "%missing"):
        assert verdict(f"a: [1]\nb: '{macro}'") != "safe", macro


def test_a_macro_cannot_bring_a_value_past_the_rule_of_an_argument():
    config = "reader: os.listdir\na: {_target_: LoadImaged, keys: image, reader: '%reader'}"
    assert verdict(config) == "needs trust"


def test_copies_of_copies_and_sums_of_sums_are_bombs():
    copies = "a0: [1, 1]\n" + "".join(f"a{n}: ['%a{n - 1}', '%a{n - 1}']\n" for n in range(1, 30))
    assert verdict(copies) == "refused"
    sums = "a0: [1, 1]\n" + "".join(f"a{n}: $@a{n - 1} + @a{n - 1}\n" for n in range(1, 60))
    assert verdict(sums) == "refused"
    lists = "a0: [1, 1]\n" + "".join(f"a{n}: ['@a{n - 1}', '@a{n - 1}']\n" for n in range(1, 60))
    assert verdict(lists) == "refused"
    texts = "a0: ab\n" + "".join(f"a{n}: $@a{n - 1} + @a{n - 1}\n" for n in range(1, 60))
    assert verdict(texts) == "refused"


def test_relative_ids_are_those_of_monai():
    inner = "{save: {_target_: medseg.inference.SaveLabeld, keys: p, output_dir: '@##out'}}"
    assert verdict(f"a: {{out: eval, b: {inner}}}".replace("@##", "@###")) == "safe"
    assert verdict(f"a: {{out: /srv, b: {inner}}}".replace("@##", "@###")) == "needs trust"
    assert verdict("a: '@##########b'") == "refused"
    # The key becomes a part of the expression: `$[@a[os.getcwd()::b]]`.
    assert verdict('"a[os.getcwd()": {b: 1, c: "$[@#b]"}\na: [1]') == "refused"
    assert verdict("a: {b: 1, c: '@#b'}\nd: '%a'") == "needs trust"


def test_an_import_binds_its_name_for_all_configs():
    assert verdict("i: $import os", second="x: $os.system('x')") == "refused"
    assert verdict("i: $import os as torch\nx: $torch.device('cpu')") == "refused"
    assert verdict("i: $import os as len") == "refused"
    assert verdict("i: $import scripts") == "needs trust"
    assert verdict("i: ['$import os']\nx: $@i::0.system('x')") == "refused"


def test_what_is_referred_to_may_stand_in_two_configs_that_are_never_merged():
    first = "handlers: ['@engine']\nengine: {_target_: SupervisedEvaluator}"
    second = "handlers: []\nengine: {_target_: SupervisedEvaluator, val_handlers: '@handlers'}"
    assert verdict(first, second=second) == "safe"


def test_a_loop_hides_nothing():
    first = "a: {_target_: SupervisedEvaluator, val_handlers: '@b'}\nb: ['@c']\nc: ['@b', '/srv']"
    assert verdict(first) == "needs trust"
    second = "b: [{_target_: SaveImaged}]"
    assert verdict("a: ['@b']\nb: ['@a']", second=second) == "needs trust"


def test_a_place_tells_file_line_key_and_reason():
    (place,) = places(f"{ROOT}# a comment\na:\n  - b: 1\n  - c: $os.system('x')\n")
    assert str(place) == "configs/train.yaml:5: a#1#c: calls os.system, which runs any command"


def test_a_reason_stays_in_one_line_and_cannot_move_the_cursor():
    (place,) = places('a: {_target_: "x\\ny.z\\e[2K"}')
    assert "\n" not in str(place)
    assert "\x1b" not in str(place)
