"""`_target_`: callables of the standard library and of medseg, forms of a target, modes."""

from tests.bundles.attacks.case import Attack, attacks

__all__ = ["TARGETS"]

TRUST = "needs trust"
NEVER = "refused"

TARGETS: list[Attack] = attacks(
    {
        # --- forms
        "os.system": (NEVER, "x: {_target_: os.system, command: touch canary}"),
        "os.mkdir": (TRUST, "x: {_target_: os.mkdir, path: canary}"),
        "posix, the module behind os": (
            NEVER,
            "x: {_target_: posix.system, command: touch canary}",
        ),
        "target as an expression": (
            TRUST,
            'x: {_target_: "$open", file: canary, mode: w}',
        ),
        "target as a component": (
            TRUST,
            "x: {_target_: {_target_: os.mkdir, _mode_: callable}, path: canary}",
        ),
        "target as a list": (TRUST, "x: {_target_: [os.mkdir], path: canary}"),
        "target as a number": (TRUST, "x: {_target_: 1}"),
        "target as null": (TRUST, "x: {_target_: null}"),
        "target as an empty text": (TRUST, 'x: {_target_: ""}'),
        "target as a reference to a component": (
            TRUST,
            'f: {_target_: os.mkdir, _mode_: callable}\nx: {_target_: "@f", path: canary}',
        ),
        "method of a reference as a target": (
            TRUST,
            'x: {_target_: "$@network_def.apply", fn: "$print"}',
        ),
        "callable that an expression calls": (
            TRUST,
            'f: {_target_: os.mkdir, _mode_: callable, path: canary}\nx: "$@f()"',
        ),
        "listed class as a callable with another class's arguments": (
            TRUST,
            "x: {_target_: Compose, transforms: [{_target_: os.mkdir, _mode_: callable}]}",
        ),
        "space before the target": (TRUST, 'x: {_target_: " os.mkdir", path: canary}'),
        "space behind a listed target": (TRUST, 'x: {_target_: "SimpleInferer ", path: canary}'),
        "line's end behind a listed target": (TRUST, 'x: {_target_: "SimpleInferer\\n"}'),
        "two dots in the target": (TRUST, "x: {_target_: medseg..networks.UNet}"),
        "dot before the target": (TRUST, "x: {_target_: .medseg.networks.UNet}"),
        "listed name in other letters": (TRUST, "x: {_target_: simpleinferer}"),
        "attribute of a listed class": (
            NEVER,
            "x: {_target_: medseg.networks.UNet.__subclasses__}",
        ),
        "globals of a listed function": (
            NEVER,
            "x: {_target_: medseg.bundles.find_bundle_root.__globals__.clear}",
        ),
        "module in a listed package": (
            TRUST,
            "x: {_target_: medseg.networks.weights_file.os.mkdir, path: canary}",
        ),
        "listed name in a module of the bundle": (TRUST, "x: {_target_: scripts.SimpleInferer}"),
        "bundle's own class": (TRUST, "x: {_target_: scripts.net.Net}"),
        "main module": (TRUST, "x: {_target_: __main__.main}"),
        "target whose key is escaped": (
            NEVER,
            'x: {"_tar\\u0067et_": "os.system", command: touch canary}',
        ),
        # --- the standard library
        "builtins.open": (TRUST, "x: {_target_: builtins.open, file: canary, mode: w}"),
        "io.open": (TRUST, "x: {_target_: io.open, file: canary, mode: w}"),
        "builtins.__import__": (NEVER, "x: {_target_: builtins.__import__, name: antigravity}"),
        "builtins.compile": (
            NEVER,
            "x: {_target_: builtins.compile, source: '1', filename: x, mode: eval}",
        ),
        "subprocess": (NEVER, "x: {_target_: subprocess.Popen, args: [touch, canary]}"),
        "subprocess.getoutput": (NEVER, "x: {_target_: subprocess.getoutput, cmd: touch canary}"),
        "os.posix_spawn": (TRUST, "x: {_target_: os.posix_spawnp, path: touch}"),
        "pty": (TRUST, "x: {_target_: pty.spawn, argv: [touch, canary]}"),
        "multiprocessing.util.spawnv_passfds": (
            TRUST,
            "x: {_target_: multiprocessing.util.spawnv_passfds, path: /bin/touch, "
            "args: [touch, canary], passfds: []}",
        ),
        "runpy": (TRUST, "x: {_target_: runpy.run_path, path_name: docs/README.md}"),
        "runpy of a module": (TRUST, "x: {_target_: runpy.run_module, mod_name: scripts.net}"),
        "importlib": (TRUST, "x: {_target_: importlib.import_module, name: antigravity}"),
        "pydoc.locate gives a function": (
            TRUST,
            "f: {_target_: pydoc.locate, path: os.mkdir}\nx: \"$@f('canary')\"",
        ),
        "pkgutil.resolve_name": (
            TRUST,
            "f: {_target_: pkgutil.resolve_name, name: 'os:mkdir'}\nx: \"$@f('canary')\"",
        ),
        "timeit": (TRUST, "x: {_target_: timeit.timeit, stmt: \"open('canary', 'w')\", number: 1}"),
        "cProfile": (TRUST, "x: {_target_: cProfile.run, statement: \"open('canary', 'w')\"}"),
        "bdb": (TRUST, "x: {_target_: pdb.runeval, expression: \"open('canary', 'w')\"}"),
        "code": (TRUST, "x: {_target_: code.interact, banner: hello}"),
        "doctest": (TRUST, "x: {_target_: doctest.testfile, filename: docs/README.md}"),
        "pickle": (TRUST, "x: {_target_: pickle.load, file: 'models/x.pkl'}"),
        "marshal": (TRUST, "x: {_target_: marshal.loads}"),
        "shelve": (TRUST, "x: {_target_: shelve.open, filename: canary}"),
        "dbm": (TRUST, "x: {_target_: dbm.dumb.open, file: canary, flag: n}"),
        "sqlite3": (TRUST, "x: {_target_: sqlite3.connect, database: canary}"),
        "ctypes": (TRUST, "x: {_target_: ctypes.CDLL, name: models/evil.so}"),
        "thread": (
            TRUST,
            "x: {_target_: threading.Timer, interval: 1, function: {_target_: os.mkdir, "
            "_mode_: callable}}",
        ),
        "process": (
            TRUST,
            "x: {_target_: multiprocessing.Process, "
            "target: {_target_: os.mkdir, _mode_: callable}}",
        ),
        "atexit": (TRUST, "x: {_target_: atexit.register, func: '$torch.os.abort'}"),
        "signal": (TRUST, "x: {_target_: signal.alarm, seconds: 1}"),
        "death of the process": (TRUST, "x: {_target_: os._exit, status: 0}"),
        "web browser": (TRUST, "x: {_target_: webbrowser.open, url: 'http://localhost:9/'}"),
        "request by urllib": (
            TRUST,
            "x: {_target_: urllib.request.urlopen, url: 'http://localhost:9/'}",
        ),
        "download by urllib": (
            TRUST,
            "x: {_target_: urllib.request.urlretrieve, url: 'data:,x', filename: canary}",
        ),
        "socket": (TRUST, "x: {_target_: socket.create_connection, address: [localhost, 9]}"),
        "mail": (TRUST, "x: {_target_: smtplib.SMTP, host: localhost}"),
        "archive unpacked": (TRUST, "x: {_target_: shutil.unpack_archive, filename: models/x.zip}"),
        "files copied": (
            TRUST,
            "x: {_target_: shutil.copyfile, src: docs/README.md, dst: canary}",
        ),
        "folder removed": (TRUST, "x: {_target_: shutil.rmtree, path: data}"),
        "archive written": (TRUST, "x: {_target_: zipfile.ZipFile, file: canary, mode: w}"),
        "environment made": (TRUST, "x: {_target_: venv.create, env_dir: canary}"),
        "log file": (TRUST, "x: {_target_: logging.FileHandler, filename: canary, mode: w}"),
        "logging from a dictionary": (
            TRUST,
            "x: {_target_: logging.config.dictConfig, config: {version: 1, handlers: {h: {class: "
            "logging.FileHandler, filename: canary}}}}",
        ),
        "basic logging into a file": (
            TRUST,
            "x: {_target_: logging.basicConfig, filename: canary}",
        ),
        "temporary file that stays": (TRUST, "x: {_target_: tempfile.mkdtemp, dir: '.'}"),
        "path of the modules": (TRUST, 'x: "$torch.sys.path.insert(0, @bundle_root)"'),
        "operator.attrgetter": (
            TRUST,
            "imports: ['$import operator']\n"
            "x: \"$operator.attrgetter('os.mkdir')(torch)('canary')\"",
        ),
        "operator.methodcaller": (
            TRUST,
            "imports: ['$import operator']\n"
            "x: \"$operator.methodcaller('mkdir', 'canary')(torch.os)\"",
        ),
        "functools.partial": (
            TRUST,
            "imports: ['$import functools']\nx: \"$functools.partial(torch.os.mkdir, 'canary')()\"",
        ),
        "functools.reduce": (
            TRUST,
            "imports: ['$import functools']\n"
            "x: \"$functools.reduce(lambda f, p: f(p), ['canary'], torch.os.mkdir)\"",
        ),
        "itertools.starmap": (
            TRUST,
            "imports: ['$import itertools']\n"
            "x: \"$list(itertools.starmap(torch.os.mkdir, [['canary']]))\"",
        ),
        "types.FunctionType": (TRUST, "x: {_target_: types.FunctionType, code: 1, globals: {}}"),
        "pathlib writes": (
            TRUST,
            "imports: ['$from pathlib import Path']\nx: \"$Path('canary').write_text('x')\"",
        ),
        "pathlib by a component, then its method": (
            TRUST,
            "p: {_target_: pathlib.PurePath}\nx: \"$(@p / 'canary').touch()\"",
        ),
        "glob reads names of the disk": (
            TRUST,
            "imports: ['$import glob']\nx: \"$glob.glob('/home/**', recursive=True)\"",
        ),
        "environment read": (
            TRUST,
            "imports: ['$import os']\nx: \"$os.environ['HOME']\"",
        ),
        "environment changed": (
            TRUST,
            "imports: ['$import os']\nx: \"$os.environ.update(MONAI_ALLOW_PICKLE='1')\"",
        ),
        # --- medseg's own
        "medseg's writer of files": (
            TRUST,
            "x: {_target_: medseg._files.write_atomically, path: canary}",
        ),
        "medseg's command line": (TRUST, "x: {_target_: medseg.cli.main.main}"),
        "medseg's runner of other bundles": (
            TRUST,
            "x: {_target_: medseg.bundles.run_bundle, bundle: /tmp/evil, configs: [train], "
            "run_id: run, overrides: {}}",
        ),
        "medseg's curves into any file": (
            TRUST,
            "x: {_target_: medseg.reports.plot_curves, metrics_csv: a.csv, png_path: /tmp/canary}",
        ),
        "medseg's saver into any folder": (
            TRUST,
            "x: {_target_: medseg.inference.SaveLabeld, keys: pred, output_dir: /tmp}",
        ),
        "medseg's saver that replaces": (
            TRUST,
            "x: {_target_: medseg.inference.SaveLabeld, keys: pred, output_dir: '@output_dir', "
            "overwrite: replace}",
        ),
        "medseg's reader of a manifest of the disk": (
            TRUST,
            "x: {_target_: medseg.data.load_manifest, path: /etc/passwd}",
        ),
        "medseg's trust": (TRUST, "x: {_target_: medseg.cli.bundle.trust.trust}"),
    }
)
