"""Functions of torch, numpy, ignite and MONAI that load, write, download, import or run.

Their packages are those of the allow list, so each is one careless entry away from `safe`.
"""

from tests.bundles.attacks.case import Attack, attacks

__all__ = ["LEAKS"]

TRUST = "needs trust"
NEVER = "refused"


def _target(name: str, arguments: str = "", least: str = TRUST) -> tuple[str, str]:
    return least, f"x: {{_target_: {name}{', ' if arguments else ''}{arguments}}}"


def _call(expression: str, least: str = TRUST) -> tuple[str, str]:
    return least, f'x: "${expression}"'


LEAKS: list[Attack] = attacks(
    {
        # --- torch
        "torch.load": _target("torch.load", "f: models/x.pt, weights_only: false"),
        "torch.load in an expression": _call("torch.load('models/x.pt', weights_only=False)"),
        "torch.load of weights only": _call("torch.load('models/x.pt', weights_only=True)"),
        "torch.save": _call("torch.save(1, 'canary')"),
        "torch.serialization": _call("torch.serialization.save(1, 'canary')"),
        "torch.serialization trusts a class": _call(
            "torch.serialization.add_safe_globals([torch.os.mkdir])"
        ),
        "torch.hub.load": _target(
            "torch.hub.load", "repo_or_dir: scripts, model: net, source: local"
        ),
        "torch.hub downloads": _target(
            "torch.hub.download_url_to_file", "url: 'data:,x', dst: canary, progress: false"
        ),
        "torch.hub loads a state": _target(
            "torch.hub.load_state_dict_from_url", "url: 'http://localhost:9/x.pt'"
        ),
        "torch.utils.model_zoo": _target(
            "torch.utils.model_zoo.load_url", "url: 'http://localhost:9/'"
        ),
        "torch.jit.load": _target("torch.jit.load", "f: models/model.ts"),
        "torch.jit.save": _call("torch.jit.script(@network_def).save('canary')"),
        "torch.package": _target("torch.package.PackageImporter", "file_or_buffer: models/x.pt"),
        "torch.export.load": _target("torch.export.load", "f: models/x.pt2"),
        "torch.onnx": _target("torch.onnx.export", "model: '@network_def', args: [], f: canary"),
        "torch.utils.cpp_extension": _target(
            "torch.utils.cpp_extension.load_inline", "name: x, cpp_sources: 'int x;'"
        ),
        "torch.ops loads a library": _call("torch.ops.load_library('models/evil.so')"),
        "torch.classes loads a library": _call("torch.classes.load_library('models/evil.so')"),
        "torch.utils.collect_env runs a command": _target(
            "torch.utils.collect_env.run", "command: touch canary"
        ),
        "torch.from_file makes a file": _target(
            "torch.from_file", "filename: canary, shared: true, size: 8"
        ),
        "storage from a file": _call("torch.UntypedStorage.from_file('canary', True, 8)"),
        "torch.distributed starts a server": _target(
            "torch.distributed.TCPStore",
            "host_name: localhost, port: 29400, is_master: true, wait_for_workers: false",
        ),
        "torch.distributed store in a file": _target(
            "torch.distributed.FileStore", "file_name: canary"
        ),
        "torch.distributed with a url": _target(
            "torch.distributed.init_process_group", "init_method: 'tcp://example.org:1'"
        ),
        "torch.multiprocessing": _target("torch.multiprocessing.spawn", "fn: '$print'"),
        "torch.utils.tensorboard": _target(
            "torch.utils.tensorboard.SummaryWriter", "log_dir: canary"
        ),
        "torch.profiler": _target("torch.profiler.profile", "on_trace_ready: '$print'"),
        "torch.compile with a backend of one's own": _call(
            "torch.compile(@network_def, backend='scripts.backend')"
        ),
        "torch DataLoader that calls in its workers": _target(
            "torch.utils.data.DataLoader", "dataset: [1], worker_init_fn: '$torch.os.mkdir'"
        ),
        "torch DataLoader that collates by a function": _target(
            "DataLoader", "dataset: [1], collate_fn: '$torch.os.mkdir'"
        ),
        "module behind torch": _call("torch.nn.modules.module.torch.os.mkdir('canary')"),
        "module behind torch.utils": _call("torch.utils.collect_env.os.mkdir('canary')"),
        "state loaded from a file": _call(
            "@network_def.load_state_dict(torch.load('models/x.pt', weights_only=False))"
        ),
        "tensor's method runs a function": _call("torch.tensor([1.0]).apply_(print)"),
        "tensor becomes an array that writes": _call("torch.zeros(1).numpy().tofile('canary')"),
        "tensor's type from a text": _call("torch.zeros(1).type('scripts.net.Tensor')"),
        # --- numpy
        "numpy.load of objects": _target("numpy.load", "file: models/x.npy, allow_pickle: true"),
        "numpy.load": _target("numpy.load", "file: models/x.npy"),
        "numpy.save": _call("np.save('canary', [1])"),
        "numpy.savez by its full name": _call("numpy.savez('canary', a=[1])"),
        "numpy.savetxt": _target("numpy.savetxt", "fname: canary, X: [1]"),
        "numpy.loadtxt reads any file": _target("numpy.loadtxt", "fname: /etc/passwd, dtype: str"),
        "numpy.genfromtxt fetches": _call("np.genfromtxt('http://localhost:9/')"),
        "numpy.fromfile": _target("numpy.fromfile", "file: /etc/passwd, dtype: uint8"),
        "numpy.memmap": _target("numpy.memmap", "filename: canary, mode: w+, shape: [8]"),
        "numpy.lib opens": _call("np.lib.npyio.DataSource('.').open('http://localhost:9/')"),
        "numpy.f2py": _call("np.f2py.compile('x')"),
        "numpy.testing runs a text": _target(
            "numpy.testing.measure", "code_str: \"open('canary', 'w')\", times: 1"
        ),
        "numpy.ctypeslib": _call("np.ctypeslib.load_library('evil', 'models')"),
        "array writes itself": _call("np.zeros(1).tofile('canary')"),
        "array pickles itself": _call("np.zeros(1).dump('canary')"),
        "numpy calls a function for each": _call("np.vectorize(torch.os.mkdir)(['canary'])"),
        "numpy makes a ufunc": _call("np.frompyfunc(torch.os.mkdir, 1, 1)(['canary'])"),
        "numpy applies along an axis": _call(
            "np.apply_along_axis(lambda a: torch.os.mkdir('canary'), 0, [1])"
        ),
        "numpy sets what errors call": _call("np.seterrcall(print)"),
        "numpy's dtype names a module": _call("np.dtype('scripts.net')"),
        # --- ignite
        "ignite calls a function": _target("ignite.utils.setup_logger", "filepath: canary"),
        "ignite's checkpoints": _target("ignite.handlers.DiskSaver", "dirname: canary"),
        "ignite spawns": _target("ignite.distributed.Parallel", "backend: gloo, nproc_per_node: 2"),
        # --- MONAI
        "MONAI runs a command by its bare name": _target("run_cmd", "cmd_list: [touch, canary]"),
        "MONAI runs a command": _target("monai.utils.misc.run_cmd", "cmd_list: [touch, canary]"),
        "MONAI imports by name": (
            TRUST,
            "o: {_target_: monai.utils.optional_import, module: os, name: mkdir}\n"
            "x: \"$@o[0]('canary')\"",
        ),
        "MONAI imports by a bare name": _target("optional_import", "module: antigravity"),
        "MONAI imports all of a package": _target(
            "load_submodules", "basemod: '$torch.distributed'"
        ),
        "MONAI instantiates by name": _call(
            "monai.utils.module.instantiate('os.mkdir', 'default', path='canary')"
        ),
        "MONAI locates by name": _call("monai.utils.module.locate('os.mkdir')('canary')"),
        "MONAI's own evaluation": _call("monai.bundle.ConfigExpression('$1').evaluate()"),
        "MONAI runs a bundle": _target("monai.bundle.run", "config_file: docs/x.json"),
        "MONAI loads a bundle": _target("monai.bundle.load", "name: spleen"),
        "MONAI downloads a bundle": _target("monai.bundle.download", "name: spleen"),
        "MONAI makes a bundle": _target("monai.bundle.init_bundle", "bundle_dir: canary"),
        "MONAI's workflow": _target("monai.bundle.ConfigWorkflow", "config_file: docs/x.json"),
        "MONAI reads a config of the disk": _call(
            "monai.bundle.ConfigParser.load_config_file('/tmp/x.json')"
        ),
        "MONAI writes a config": _call(
            "monai.bundle.ConfigParser.export_config_file({}, 'canary.json')"
        ),
        "MONAI downloads a file": _target(
            "monai.apps.download_url", "url: 'http://localhost:9/', filepath: canary"
        ),
        "MONAI downloads by a bare name": _target(
            "download_and_extract", "url: 'http://localhost:9/'"
        ),
        "MONAI extracts": _target("monai.apps.extractall", "filepath: models/x.zip, output_dir: ."),
        "MONAI's data set that downloads": _target(
            "DecathlonDataset",
            "root_dir: ., task: Task09_Spleen, section: training, download: true",
        ),
        "MONAI's pickled algorithm": _target(
            "monai.auto3dseg.algo_from_pickle", "pkl_filename: models/x.pkl"
        ),
        "MONAI's pickled cache": _target(
            "PersistentDataset", "data: [1], transform: '$None', cache_dir: canary"
        ),
        "MONAI's list of a data set from any file": _target(
            "monai.data.load_decathlon_datalist", "data_list_file_path: /etc/x.json"
        ),
        "MONAI reads a table of the disk": _target("CSVDataset", "src: /etc/passwd"),
        "MONAI saves tables": _target("CSVSaver", "output_dir: /tmp, filename: canary"),
        "MONAI saves images anywhere": _target("SaveImaged", "keys: pred, output_dir: /tmp"),
        "MONAI saves images by a writer of one's own": _target(
            "SaveImaged", "keys: pred, output_dir: '@output_dir', writer: scripts.net.Writer"
        ),
        "MONAI saves by a path in the image's header": _target(
            "SaveImaged", "keys: pred, output_dir: '@output_dir', folder_layout: '$print'"
        ),
        "MONAI's reader is any function": _target("LoadImage", "reader: os.mkdir, path: canary"),
        "MONAI's reader in a list": _target(
            "LoadImaged", "keys: image, reader: [scripts.net.Reader]"
        ),
        "MONAI's reader of pickles": _target(
            "LoadImaged", "keys: image, reader: NumpyReader, allow_pickle: true"
        ),
        "MONAI's reader of pickles as a component": _target(
            "LoadImaged", "keys: image, reader: {_target_: NumpyReader, allow_pickle: true}"
        ),
        "MONAI's Lambda": _target("Lambda", "func: {_target_: os.mkdir, _mode_: callable}"),
        "MONAI's Lambdad": _target("Lambdad", "keys: image, func: '$torch.os.mkdir'"),
        "MONAI's RandLambdad by its other name": _target(
            "RandLambdaDict", "keys: image, func: '$torch.os.mkdir'"
        ),
        "MONAI calls a class of torchvision by name": _target("TorchVision", "name: io.write_file"),
        "MONAI calls a class of TorchIO by name": _target("TorchIO", "name: Lambda"),
        "MONAI loads a checkpoint": _target(
            "CheckpointLoader", "load_path: models/x.pt, load_dict: {model: '@network'}"
        ),
        "MONAI saves a checkpoint": _target(
            "CheckpointSaver", "save_dir: /tmp, save_dict: {model: '@network'}"
        ),
        "MONAI's log file": _target("LogfileHandler", "output_dir: /tmp, filename: canary"),
        "MONAI's metrics into any folder": _target("MetricsSaver", "save_dir: /tmp"),
        "MONAI's tracking": _target("MLFlowHandler", "tracking_uri: 'http://localhost:9/'"),
        "MONAI's tracking with artefacts": _target("MLFlowHandler", "artifacts: /etc"),
        "MONAI's tracking by ClearML": _target("ClearMLStatsHandler", "project_name: x"),
        "MONAI's TensorBoard": _target("TensorBoardStatsHandler", "log_dir: /tmp"),
        "MONAI's StatsHandler with a function": _target(
            "StatsHandler", "iteration_print_logger: '$torch.os.mkdir'"
        ),
        "MONAI's metric of a function": _target(
            "IgniteMetricHandler", "loss_fn: '$torch.os.mkdir'"
        ),
        "MONAI's network with weights of the web": _target(
            "FlexibleUNet",
            "in_channels: 1, out_channels: 2, backbone: efficientnet-b0, pretrained: true",
        ),
        "MONAI's loss with weights of the web": _target(
            "PerceptualLoss", "spatial_dims: 2, network_type: alex"
        ),
        "MONAI's network by a class of torchvision": _target(
            "TorchVisionFCModel", "model_name: resnet18, pretrained: true"
        ),
        "MONAI compiles C++": _target("monai._extensions.load_module", "module_name: gmm"),
        "MONAI's TensorRT": _target("trt_compile", "model: '@network_def', base_path: canary"),
        "MONAI's cache of states": _target("StateCacher", "in_memory: false, cache_dir: /tmp"),
        "MONAI's finder of learning rates": _target(
            "LearningRateFinder",
            "model: '@network', optimizer: 1, criterion: 1, memory_cache: false, cache_dir: /tmp",
        ),
        "MONAI's federated client": _target("monai.fl.client.MonaiAlgo", "bundle_root: /tmp"),
        "MONAI's writer of reports": _target(
            "write_metrics_reports", "save_dir: /tmp, images: [], metrics: {}, metric_details: {}"
        ),
        "module behind monai": _call("monai.utils.misc.os.mkdir('canary')"),
        "module behind a function's module": _call("monai.handlers.utils.os.mkdir('canary')"),
        "engine's event calls a function": _target(
            "SupervisedEvaluator",
            "device: cpu, val_data_loader: [1], network: '@network', "
            "iteration_update: '$torch.os.mkdir'",
        ),
        "engine's batches by a function": _target(
            "SupervisedEvaluator",
            "device: cpu, val_data_loader: [1], network: '@network', "
            "prepare_batch: '$torch.os.mkdir'",
        ),
        "compose with a function": _target("Compose", "transforms: ['$torch.os.mkdir']"),
        "data set with a function": _target(
            "Dataset", "data: [canary], transform: '$torch.os.mkdir'"
        ),
    }
)
