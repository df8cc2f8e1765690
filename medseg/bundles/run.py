"""Run a bundle: the workflow of `python -m monai.bundle run`, with checked overrides."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Literal, cast

from medseg._quiet import quiet_libraries
from medseg.bundles.complaints import config_errors
from medseg.bundles.console_log import log_to_console
from medseg.bundles.moved_keys import refuse_moved_keys
from medseg.bundles.one_line import excepthook_kept
from medseg.bundles.opened import OpenedConfigs, open_configs
from medseg.bundles.overrides import check_run_id, parse_overrides, resolve_key
from medseg.bundles.values import check_values
from medseg.bundles.workflow import JudgedWorkflow
from medseg.errors import UsageError

__all__ = ["checked_config", "open_workflow", "run_bundle"]

LOGGING = "configs/logging.conf"


def run_bundle(
    bundle: str | Path,
    *,
    configs: Sequence[str],
    run_id: str,
    pairs: Sequence[str] = (),
    overrides: Mapping[str, Any] | None = None,
    log: Literal["bundle", "quiet"] = "bundle",
) -> None:
    """Run one workflow of a bundle to its end.

    Args:
        bundle: The bundle's folder.
        configs: Names of its configs, merged in order.
        run_id: Run id in the config, e.g. `training`.
        pairs: `KEY=VALUE` texts from the user.
        overrides: More overrides, as values, which `pairs` may not set; keys as in `pairs`.
        log: `bundle` logs to standard output as the bundle's logging.conf says; `quiet` logs
            warnings only, if standard output has another use.

    Raises:
        MedsegError: Any error that the user can fix, without MONAI's wrapping.
    """
    quiet = quiet_libraries() if log == "quiet" else nullcontext()
    with excepthook_kept(), config_errors(), quiet:
        workflow = open_workflow(
            bundle, configs=configs, run_id=run_id, pairs=pairs, overrides=overrides, log=log
        )
        workflow.initialize()
        workflow.run()
        workflow.finalize()


def open_workflow(
    bundle: str | Path,
    *,
    configs: Sequence[str],
    run_id: str,
    pairs: Sequence[str] = (),
    overrides: Mapping[str, Any] | None = None,
    log: Literal["bundle", "quiet"] = "bundle",
) -> JudgedWorkflow:
    """Build the workflow of `run_bundle` without running it; same arguments.

    Raises:
        UsageError: For an invalid bundle, run id or override.
        NeedsTrustError: If the bundle, a config or an override is neither safe nor trusted.
        RefusedError: If no trust suffices for it.
    """
    opened = open_configs(bundle, configs)
    config = opened.merged
    refuse_moved_keys(config)
    check_run_id(run_id, config)
    given = parse_overrides(pairs, config)
    fixed = {
        resolve_key(key.replace("#", "::"), config): value
        for key, value in (overrides or {}).items()
    }
    doubled = next((key for key in given if key in fixed), None)
    if doubled is not None:
        raise UsageError(f"{doubled}: this command sets it; use its own option instead")
    merged = checked_config(opened, {**given, **fixed})
    if log == "bundle":
        _log_as_it_says(opened)
    kind = "train" if opened.paths[0].name == "train.yaml" else "infer"
    return JudgedWorkflow(opened.judged, merged, run_id=run_id, kind=kind)


def checked_config(opened: OpenedConfigs, changed: Mapping[str, Any]) -> dict[str, Any]:
    """The config that is to be built, judged, its values checked.

    Args:
        opened: The configs.
        changed: Overrides, by the full paths of their keys.

    Raises:
        UsageError: For a value that its component does not take.
        NeedsTrustError: If an override is neither safe nor trusted.
        RefusedError: If no trust suffices for it.
    """
    _refuse_hashes({"bundle_root": str(opened.judged.path.resolve()), **changed})
    merged = opened.changed(changed)
    check_values({**merged, "_meta_": {}}, opened.merged)
    return merged


def _log_as_it_says(opened: OpenedConfigs) -> None:
    judged = opened.judged
    if LOGGING in judged.tree.entries:
        log_to_console(judged.read(LOGGING), f"{judged.path}/{LOGGING}")


def _refuse_hashes(overrides: Mapping[str, Any]) -> None:
    for key, value in overrides.items():
        values = cast("list[Any]", value) if isinstance(value, list) else [value]
        for text in values:
            # MONAI's config language turns every # into ::, in paths too.
            if isinstance(text, str) and "#" in text and not text.startswith(("$", "@", "%")):
                raise UsageError(f"{key}: MONAI's configs cannot hold a '#': rename {text}")
