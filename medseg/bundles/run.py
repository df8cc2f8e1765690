"""Run a bundle: the same workflow as `python -m monai.bundle run`, its overrides checked."""

import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monai.bundle.workflows import ConfigWorkflow

from medseg.bundles.configs import config_paths, read_config
from medseg.bundles.one_line import root_error
from medseg.bundles.overrides import check_run_id, parse_overrides

__all__ = ["run_bundle"]


def run_bundle(
    bundle: str | Path,
    *,
    configs: Sequence[str],
    run_id: str,
    pairs: Sequence[str] = (),
    overrides: Mapping[str, Any] | None = None,
) -> None:
    """Run one workflow of a bundle to its end.

    Args:
        bundle: The bundle's folder.
        configs: Names of its configs, merged in order.
        run_id: What to run, e.g. `training`.
        pairs: `KEY=VALUE` texts from the user.
        overrides: More overrides, as values; they win.

    Raises:
        MedsegError: Whatever the user can mend, without MONAI's wrapping.
    """
    paths = config_paths(bundle, configs)
    config = read_config(paths)
    check_run_id(run_id, config)
    wanted = {
        "bundle_root": str(Path(bundle).resolve()),
        **parse_overrides(pairs, config),
        **(overrides or {}),
    }
    hook = sys.excepthook
    try:
        workflow = _workflow(paths, run_id, wanted)
        workflow.initialize()
        workflow.run()
        workflow.finalize()
    except Exception as error:
        known = root_error(error)
        if known is None:
            raise
        raise known from error
    finally:
        sys.excepthook = hook


def _workflow(paths: list[str], run_id: str, overrides: dict[str, Any]) -> ConfigWorkflow:
    with warnings.catch_warnings():
        # MONAI warns that a config is a program; the user has named this one.
        warnings.filterwarnings("ignore", message=".*GHSA-873f-pvrv-4x83.*")
        return ConfigWorkflow(config_file=paths, run_id=run_id, workflow_type=None, **overrides)
