"""Requests over https: encrypted, to one host, with time limits.

By urllib: it takes certificates from the system or `SSL_CERT_FILE`, and proxies from the
environment. Left out is what it would do besides: other schemes, and redirects to other hosts.
"""

import http.client
import ssl
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

import medseg
from medseg._text import printable
from medseg.errors import DataError, MachineError, MedsegError
from medseg.sharing.sources.address import is_loopback, origin_of, require_address

__all__ = ["TransferError", "opened", "read_small"]

_SECONDS = 30.0


class TransferError(MachineError):
    """The connection ended, or could not be made; another try may succeed."""


@contextmanager
def opened(url: str, headers: Mapping[str, str]) -> Generator[http.client.HTTPResponse]:
    """Open an address.

    Args:
        url: As `require_address` allows it.
        headers: Of the request.

    Raises:
        TransferError: If the connection fails, now or within the block.
        DataError: If the server refuses, or redirects to another host.
        MachineError: If its certificate is not trusted.
    """
    asked = {"User-Agent": f"medseg/{medseg.__version__}", "Accept-Encoding": "identity"}
    request = Request(require_address(url), headers={**asked, **headers})
    try:
        opener = _opener(url)
        with opener.open(request, timeout=_SECONDS) as response:
            yield response
    except MedsegError:
        raise
    except HTTPError as error:
        error.close()
        raise DataError(f"{url}: {_refusal(error.code)}") from error
    except ValueError as error:
        raise DataError(f"{url}: the answer cannot be understood ({_words(error)})") from error
    except (
        URLError,
        http.client.HTTPException,
        ConnectionError,
        ssl.SSLError,
        TimeoutError,
    ) as error:
        raise _failed(url, error) from error


def read_small(url: str, *, at_most: int) -> bytes:
    """The bytes of a small file.

    Raises:
        DataError: If it is larger than `at_most` bytes, or is refused.
        MachineError: If it cannot be had.
    """
    with opened(url, {}) as response:
        content = response.read(at_most + 1)
    if len(content) > at_most:
        raise DataError(f"{url}: is larger than {at_most:,} bytes")
    return content


class _SameHost(HTTPRedirectHandler):
    max_redirections = 5

    def redirect_request(
        self,
        req: Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> Request | None:
        if origin_of(newurl) != origin_of(req.full_url):
            elsewhere = printable(newurl[:200])
            raise DataError(
                f"{req.full_url}: leads to another host, {elsewhere}; give that address itself if "
                "you trust it"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener(url: str) -> OpenerDirector:
    opener = OpenerDirector()
    encrypted = origin_of(url)[0] == "https"
    for handler in (
        # What is on this machine is not to be asked of a proxy.
        ProxyHandler({} if is_loopback(url) else None),
        HTTPSHandler(context=ssl.create_default_context()) if encrypted else HTTPHandler(),
        HTTPDefaultErrorHandler(),
        _SameHost(),
        HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


def _refusal(code: int) -> str:
    if code in (404, 410):
        return f"is not there ({code}); check the address"
    if code in (401, 403, 407):
        what = "asks for a login or forbids it"
        return f"{what} ({code}); get the file by other means, and install it by its path"
    return f"the server refuses ({code} {http.client.responses.get(code, '')}); try again later"


def _failed(url: str, error: Exception) -> MachineError:
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, ssl.SSLCertVerificationError):
        return MachineError(
            f"{url}: its certificate is not trusted ({reason.verify_message}); if it is of your "
            "institution, name the file of its root by SSL_CERT_FILE"
        )
    what = "it did not answer in time" if isinstance(reason, TimeoutError) else _words(reason)
    return TransferError(f"{url}: the connection failed ({what})")


def _words(reason: object) -> str:
    text = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    # What came may be in it, line ends and all.
    return printable(" ".join(str(text).split())[:200])
