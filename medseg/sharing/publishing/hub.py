"""Hugging Face hub: bundles as repositories of models, by the library huggingface_hub.

A repository holds the files of a packed bundle as they are, as MONAI's `bundle.download` takes
them, and once more its card at the root, which the hub displays. The hub's address is `HF_ENDPOINT`
where an institution runs a mirror; logins are those of `hf auth login` or `HF_TOKEN`.
"""

import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from medseg.errors import DataError, MachineError, UsageError

__all__ = ["CARD", "OWN_FILES", "Repository", "hub_api", "told"]

# What the hub's page shows, a copy of the bundle's own card, and what git needs there.
CARD = "README.md"
OWN_FILES = frozenset({CARD, ".gitattributes"})
_REPOSITORY = re.compile(
    r"hf://(?P<id>[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95})(@(?P<revision>[\w./-]{1,200}))?",
    re.ASCII,
)


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A repository of the hub, `hf://OWNER/NAME@REVISION`.

    Attributes:
        id: `OWNER/NAME`.
        revision: A branch, a tag or a commit; `main` if none is given.
    """

    id: str
    revision: str

    @classmethod
    def parse(cls, text: str) -> "Repository":
        """Read an address.

        Raises:
            UsageError: If it is none.
        """
        match = _REPOSITORY.fullmatch(text)
        if match is None:
            raise UsageError(f"{text[:200]}: is not of the form hf://OWNER/NAME@REVISION")
        return cls(id=match["id"], revision=match["revision"] or "main")

    def __str__(self) -> str:
        return f"hf://{self.id}@{self.revision}"


def hub_api(repository: Repository) -> Any:
    """A client of the hub, which counts nobody's downloads.

    Raises:
        MachineError: If huggingface_hub is not installed.
    """
    try:
        from huggingface_hub import HfApi
    except ImportError as error:
        raise MachineError(
            f"{repository}: the hub needs the package huggingface_hub; pip install 'medseg[hub]'"
        ) from error
    return cast("Any", HfApi)(library_name="medseg")


@contextmanager
def told(repository: Repository) -> Generator[None]:
    """Tell what huggingface_hub raises in one line.

    Raises:
        DataError: If the hub refuses.
        MachineError: If it cannot be reached.
    """
    from httpx2 import HTTPError
    from huggingface_hub import errors

    try:
        yield
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
        what = "is not there, or not without a login; check the name, or hf auth login"
        raise DataError(f"{repository}: {what}") from error
    except errors.HfHubHTTPError as error:
        status = getattr(error.response, "status_code", "no answer")
        raise DataError(f"{repository}: the hub refuses ({status}); try again later") from error
    except (HTTPError, errors.OfflineModeIsEnabled, ConnectionError) as error:
        reason = str(error).partition("\n")[0][:200]
        raise MachineError(f"{repository}: the hub was not reached ({reason})") from error
    except (errors.LocalEntryNotFoundError, errors.FileMetadataError) as error:
        reason = str(error.__cause__ or error).partition("\n")[0][:200]
        raise MachineError(f"{repository}: the hub was not reached ({reason})") from error
    except errors.HFValidationError as error:
        raise UsageError(f"{repository}: {str(error)[:200]}") from error
