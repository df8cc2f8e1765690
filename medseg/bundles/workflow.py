"""Workflow: MONAI's, over configs that were judged, merged and checked; it reads no file itself."""

from collections.abc import Mapping
from typing import Any, Literal, cast

from monai.bundle.workflows import ConfigWorkflow

from medseg._quiet import quiet_libraries
from medseg.bundles.judgement.door import Judged

__all__ = ["JudgedWorkflow"]


class JudgedWorkflow(ConfigWorkflow):
    """MONAI's workflow of a bundle, without its ways around a judgement.

    MONAI's reads the configs anew from their files, and its `run` puts the bundle's folder before
    Python's own libraries, so that a `mimetypes.py` in it would be imported for Python's.
    """

    def __init__(
        self,
        judged: Judged,
        config: Mapping[str, Any],
        *,
        run_id: str,
        kind: Literal["train", "infer"],
    ) -> None:
        """Takes the configs as data.

        Args:
            judged: The bundle.
            config: Its configs, merged, with overrides and metadata.
            run_id: Run id in the config.
            kind: Which properties MONAI offers of it.
        """
        with quiet_libraries():
            cast("Any", super()).__init__(
                config_file=None,
                # A list of none; MONAI would look for a file in the current folder.
                meta_file=[],
                logging_file=False,
                run_id=run_id,
                workflow_type=kind,
            )
        # From here on as if it had read them: `find_bundle_root` asks for it.
        self.config_root_path = judged.path.resolve() / "configs"
        cast("Any", self.parser).set(dict(config))

    def run(self) -> Any:
        """Run what the run id names."""
        return cast("Any", self)._run_expr(id=self.run_id)
