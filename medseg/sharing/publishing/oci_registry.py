"""OCI registry: bundles beside an institution's container images, by the library oras.

A bundle is one layer, its zip, of an artefact of the type below. Registries such as Harbor hand out
layers from a storage of their own, so that redirects to other hosts are followed here; what comes
is held to its digest. Logins are those of `docker login` and `oras login`.

Reference:
    OCI image specification 1.1, https://github.com/opencontainers/image-spec
"""

import hashlib
import json
import re
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, cast

from medseg.errors import DataError, MachineError, UsageError
from medseg.sharing.sources.address import is_loopback
from medseg.sharing.sources.web import opened

__all__ = ["LAYER_TYPE", "Layer", "Reference", "read_layer", "registry_client", "told"]

LAYER_TYPE = "application/vnd.medseg.bundle.v1+zip"
_MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
_MOST_MANIFEST_BYTES = 1 << 20
_REFERENCE = re.compile(
    r"oci://(?P<host>[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9a-fA-F:]+\](:\d{1,5})?)/"
    r"(?P<repository>[a-z0-9]+([._/-][a-z0-9]+)*)"
    r"(:(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127})|@(?P<digest>sha256:[0-9a-f]{64}))",
    re.ASCII,
)


@dataclass(frozen=True, kw_only=True)
class Reference:
    """An artefact of a registry, `oci://HOST/REPOSITORY:TAG` or `...@sha256:DIGEST`.

    Attributes:
        host: With its port, if it has one.
        repository: Such as `radiology/covid_lung_ct_unet3d`.
        version: The tag, or the digest of a manifest with `sha256:` before it.
    """

    host: str
    repository: str
    version: str

    @classmethod
    def parse(cls, text: str) -> "Reference":
        """Read a reference.

        Raises:
            UsageError: If it is none.
        """
        match = _REFERENCE.fullmatch(text)
        if match is None:
            form = "oci://HOST/REPOSITORY:TAG or oci://HOST/REPOSITORY@sha256:DIGEST"
            raise UsageError(f"{text[:200]}: is no reference of the form {form}; correct it")
        version = match["tag"] or match["digest"]
        return cls(host=match["host"], repository=match["repository"], version=version)

    def __str__(self) -> str:
        mark = "@" if ":" in self.version else ":"
        return f"oci://{self.host}/{self.repository}{mark}{self.version}"


@dataclass(frozen=True, kw_only=True)
class Layer:
    """The zip of an artefact.

    Attributes:
        manifest: Digest of the artefact's manifest, with `sha256:` before it.
        sha256: Of the zip, in hexadecimal.
        size: In bytes.
    """

    manifest: str
    sha256: str
    size: int


def registry_client(reference: Reference) -> tuple[Any, Any]:
    """A client of the registry, with the user's login if there is one, and what it asks for.

    Raises:
        MachineError: If oras is not installed, or the registry does not answer.
    """
    try:
        from oras.client import OrasClient
    except ImportError as error:
        raise MachineError(
            f"{reference}: registries need the package oras; pip install 'medseg[oci]'"
        ) from error
    # Registries on this machine are asked without encryption, as docker does.
    insecure = is_loopback(f"http://{reference.host}")
    _require_answer(f"{'http' if insecure else 'https'}://{reference.host}/v2/")
    client = cast("Any", OrasClient)(hostname=reference.host, insecure=insecure)
    container = client.get_container(str(reference).removeprefix("oci://"))
    client.auth.load_configs(container)
    return client, container


def read_layer(reference: Reference, client: Any, container: Any) -> Layer | None:
    """The zip of an artefact, by its manifest; None if there is no such artefact.

    Raises:
        DataError: If the artefact is no bundle, or the registry refuses.
        MachineError: If it cannot be reached.
    """
    url = f"{client.prefix}://{container.manifest_url()}"
    with told(reference):
        response = client.do_request(url, headers={"Accept": _MANIFEST_TYPE}, stream=True)
    with response:
        if response.status_code == 404:
            return None
        require_success(reference, response)
        with told(reference):
            content = response.raw.read(_MOST_MANIFEST_BYTES + 1, decode_content=True)
    manifest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    if ":" in reference.version and reference.version != manifest:
        raise DataError(f"{reference}: the registry has {manifest} under that digest; tell it")
    return _layer(reference, content, manifest)


def _require_answer(url: str) -> None:
    # oras would try again for two minutes.
    with suppress(DataError), opened(url, {}):
        pass


def require_success(reference: Reference, response: Any) -> None:
    """Refuse a response that is none of success.

    Raises:
        DataError: With what can be done.
    """
    status = int(response.status_code)
    if status in (401, 403):
        host = reference.host
        raise DataError(
            f"{reference}: asks for a login ({status}); docker login {host}, then again"
        )
    if status == 404:
        raise DataError(f"{reference}: is not there; check repository and tag")
    if not 200 <= status < 300:
        raise DataError(f"{reference}: the registry refuses ({status}); try again later")


@contextmanager
def told(reference: Reference) -> Generator[None]:
    """Tell what oras and requests raise in one line."""
    import requests

    try:
        yield
    except requests.RequestException as error:
        reason = str(error).partition("\n")[0][:200]
        raise MachineError(f"{reference}: the connection failed ({reason})") from error
    except (KeyError, ValueError) as error:
        reason = str(error).partition("\n")[0][:200]
        raise DataError(f"{reference}: the registry refuses ({reason})") from error


def _layer(reference: Reference, content: bytes, manifest: str) -> Layer:
    try:
        layers = json.loads(content)["layers"]
        only = layers[0]
        digest, size = only["digest"], only["size"]
        sound = len(layers) == 1 and only["mediaType"] == LAYER_TYPE and size >= 0
    except (IndexError, KeyError, TypeError, ValueError, RecursionError):
        raise _no_bundle(reference) from None
    match = re.fullmatch(r"sha256:([0-9a-f]{64})", digest) if isinstance(digest, str) else None
    if not sound or match is None or len(content) > _MOST_MANIFEST_BYTES:
        raise _no_bundle(reference)
    return Layer(manifest=manifest, sha256=match[1], size=int(size))


def _no_bundle(reference: Reference) -> DataError:
    return DataError(
        f"{reference}: is no bundle that medseg published, but another artefact or image"
    )
