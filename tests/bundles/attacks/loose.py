"""Attacks let loose under plain MONAI and torch, to see which are real.

`python -m tests.bundles.attacks.loose` makes every attack in a folder of its own and takes it as
MONAI would: the config is parsed and each of its keys resolved, pickles are loaded. An audit hook
stops what would leave the folder, start a process or reach the network, and tells of it. What was
seen stands in `seen.tsv`. This runs the attacks, each in a child of its own: it is no test.
"""

import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.bundles.attacks.case import CONFIG
from tests.bundles.attacks.corpus import CORPUS, SEEN

SECONDS = 20
BYTES = 12 * 2**30
REACHED = (
    "subprocess.",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "os.kill",
    "pty.",
    "socket.",
    "urllib.",
    "webbrowser.",
    "smtplib.",
    "ctypes.dlopen",
    "builtins.input",
    "builtins.breakpoint",
)
CHANGES = ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.link", "os.truncate")
OWN_MODULES = ("scripts", "antigravity", "mimetypes_of_the_bundle", "evil")
# Modules that MONAI and torch import on the way run processes and open sockets of their own.
READY = {"on": False}


def _hook(here: str, told: Path) -> Any:
    def stop(text: str) -> None:
        READY["on"] = False
        with told.open("a") as file:
            file.write(text[:120].replace("\n", " ") + "\n")
        READY["on"] = True
        raise PermissionError(text[:120])

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if not READY["on"]:
            return
        if event.startswith(REACHED):
            stop(f"{event} {arguments!r}")
        if event == "import" and str(arguments[0]).partition(".")[0] in OWN_MODULES:
            stop(f"import {arguments[0]}")
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_CREAT
        if writes or event in CHANGES:
            path = arguments[0]
            if isinstance(path, str | bytes) and not _below(os.fsdecode(path), here):
                stop(f"{event} {path!r}")

    return hook


def _below(path: str, here: str) -> bool:
    return os.path.abspath(path).startswith(here)  # noqa: PTH100


def _take(bundle: Path, file: str | None) -> None:
    """Take a bundle as MONAI and torch do."""
    import numpy as np
    import torch
    from monai.bundle import ConfigWorkflow

    if file is not None and file.startswith(("models/", "docs/", "LICENSE")):
        path = str(bundle / file)
        for load in (
            lambda: torch.load(path, weights_only=False),
            lambda: np.load(path, allow_pickle=True),
        ):
            with suppress(Exception):
                load()
        return
    configs = bundle / "configs"
    extra = [p for p in configs.iterdir() if p.suffix.lower() in (".yaml", ".yml", ".json")]
    extra = [p for p in extra if p.name not in ("inference.yaml", "metadata.json")]
    meta = [str(configs / "metadata.json")]
    logs = sorted(configs.glob("log*"))
    workflow = ConfigWorkflow(
        config_file=[str(bundle / CONFIG), *map(str, extra)],
        meta_file=meta,
        logging_file=str(logs[0]) if logs else False,
        workflow_type="infer",
    )
    for key in ("imports", *list(workflow.parser.get())):
        with suppress(Exception):
            workflow.parser.get_parsed_content(key)
    output = workflow.parser.get_parsed_content("output_dir")
    if not str(output).startswith(str(bundle.parent)) or ".." in str(output).split("/"):
        raise LookupError(f"output_dir is {str(output)[:80]!r}")


def _child(name: str, folder: Path, told: Path) -> None:
    attack = CORPUS[name]
    work = folder / "work"
    work.mkdir()
    os.chdir(work)
    shutil.os.environ["PYTHONBREAKPOINT"] = "0"
    with (folder / "out").open("w") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    bundle = attack.make(folder / "bundle")
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    signal.alarm(SECONDS)
    sys.addaudithook(_hook(str(folder), told))
    READY["on"] = True
    try:
        _take(bundle, attack.file)
    except LookupError as error:
        with told.open("a") as file:
            file.write(f"{error}\n")
    except BaseException:
        traceback.print_exc()
        raise


def _seen(name: str, folder: Path) -> str:
    """What became of an attack; empty if nothing was seen."""
    told = folder / "told"
    child = os.fork()
    if child == 0:
        try:
            _child(name, folder, told)
        except BaseException:
            os._exit(3)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    left = [p.name for p in (folder / "work").glob("*") if p.name.startswith("canary")]
    if left:
        return "left its canary"
    if told.exists():
        line = told.read_text().splitlines()[0]
        return line if line.startswith("output_dir") else f"stopped at {line}"
    if os.WIFSIGNALED(status):
        return f"killed by {signal.Signals(os.WTERMSIG(status)).name} after at most {SECONDS} s"
    ended = os.waitstatus_to_exitcode(status)
    return "" if ended in (0, 3) else f"ended the process with {ended}"


def main() -> None:
    """Let all loose, but for zips, which MONAI only unpacks."""
    import monai.bundle
    import numpy as np
    import torch
    import torch.hub
    import torch.utils.collect_env
    import torch.utils.tensorboard

    warnings.simplefilter("ignore")
    _ = (monai.bundle.ConfigWorkflow, np.load, torch.load)
    before = SEEN.read_text().splitlines() if SEEN.is_file() else []
    rows = dict(row.split("\t") for row in before)
    only = sys.argv[1:]
    for name in CORPUS:
        if name.startswith("archives") or not any(part in name for part in only or [""]):
            continue
        with tempfile.TemporaryDirectory() as folder:
            seen = _seen(name, Path(folder))
        rows[name] = seen or "-"
        sys.stderr.write(f"{name}\t{rows[name]}\n")
    lines = [f"{name}\t{rows[name]}" for name in CORPUS if name in rows]
    SEEN.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
