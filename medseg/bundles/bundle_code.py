"""Python files of a trusted bundle, imported from the bytes that were trusted.

MONAI puts a bundle's folder before Python's own libraries on the path, so that a `mimetypes.py` in
it would be imported for Python's. Here no folder is put on the path: a bundle's modules are looked
for last, after all that is installed, and only those of a bundle that this user has trusted.
"""

import sys
from collections.abc import Sequence
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import ModuleType

from medseg.bundles.judgement.door import Judged

__all__ = ["import_code_of"]


def import_code_of(judged: Judged) -> None:
    """From now on, let a bundle's modules be imported if it is trusted; of a safe one none are.

    Those of other bundles are forgotten, as nearly all of them call theirs `scripts`.
    """
    ours = [finder for finder in sys.meta_path if isinstance(finder, _TrustedCode)]
    for finder in ours:
        sys.meta_path.remove(finder)
    for name, module in list(sys.modules.items()):
        loader = getattr(getattr(module, "__spec__", None), "loader", None)
        if isinstance(loader, _TrustedCode) and loader.digest != judged.judgement.digest:
            del sys.modules[name]
    if judged.standing == "trusted":
        sys.meta_path.append(_TrustedCode(judged))


class _TrustedCode(MetaPathFinder, InspectLoader):
    """Finder and loader of the modules of one bundle."""

    def __init__(self, judged: Judged) -> None:
        self.digest = judged.judgement.digest
        self._judged = judged
        self._root = judged.path.resolve()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where a module's code is, if it is the bundle's."""
        file = self._file(fullname)
        if file is None and not self._is_folder(fullname):
            return None
        spec = spec_from_loader(
            fullname,
            self,
            origin=str(self._root / (file or _path(fullname))),
            is_package=self.is_package(fullname),
        )
        if spec is not None:
            spec.has_location = file is not None
        return spec

    def get_source(self, fullname: str) -> str:
        """The trusted text of a module; empty for a folder of modules without `__init__.py`."""
        file = self._file(fullname)
        return "" if file is None else self._judged.read(file).decode("utf-8")

    def is_package(self, fullname: str) -> bool:
        """Whether it is a folder of modules."""
        file = self._file(fullname)
        return file is None or file.endswith("/__init__.py")

    @property
    def _entries(self) -> Sequence[str]:
        entries = self._judged.tree.entries
        return [name for name, entry in entries.items() if entry.kind == "file"]

    def _is_folder(self, fullname: str) -> bool:
        inside = f"{_path(fullname)}/"
        return any(name.startswith(inside) and name.endswith(".py") for name in self._entries)

    def _file(self, fullname: str) -> str | None:
        names = (f"{_path(fullname)}/__init__.py", f"{_path(fullname)}.py")
        return next((name for name in names if name in self._entries), None)


def _path(fullname: str) -> str:
    return fullname.replace(".", "/")
