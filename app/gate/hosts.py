"""Which hosts the server answers for, and which origins may open a stream."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from app.errors import ForeignOrigin, WrongHost

DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def check_host(headers: Mapping[bytes, bytes], hosts: Sequence[str]) -> None:
    """Raise WrongHost unless the Host header names one of `hosts`.

    Args:
        headers: Of the request, names in lower case.
        hosts: Such as `example.org` or `*.example.org`, in lower case.
    """
    if not _is_allowed(headers.get(b"host", b"").decode("latin-1"), hosts):
        raise WrongHost(
            "This server does not answer for the host in the Host header; its operator lists the "
            "hosts in EXPLORER_ALLOWED_HOSTS."
        )


def check_origin(headers: Mapping[bytes, bytes], origins: Sequence[str]) -> None:
    """Raise ForeignOrigin if a page of another origin opens a WebSocket.

    Browsers do not apply CORS to WebSockets: without this check, any page could open one. A client
    that sends no Origin is no browser, and passes.

    Args:
        headers: Of the request, names in lower case.
        origins: Such as `https://example.org`, in lower case, or `*`; the own host always passes.
    """
    origin = headers.get(b"origin", b"").decode("latin-1").lower()
    host = headers.get(b"host", b"").decode("latin-1").lower()
    if not origin or "*" in origins or origin in origins or _is_same_host(origin, host):
        return
    raise ForeignOrigin(
        "A page of another origin may not open a stream here; the operator of this server "
        "lists the origins that may in EXPLORER_ALLOWED_ORIGINS."
    )


def _is_allowed(header: str, hosts: Sequence[str]) -> bool:
    try:
        host = urlsplit("//" + header).hostname or ""
    except ValueError:
        return False
    return any(
        host == pattern or (pattern.startswith("*.") and host.endswith(pattern[1:]))
        for pattern in hosts
    )


def _is_same_host(origin: str, host: str) -> bool:
    """Compare an Origin with a Host, either of which may name its scheme's default port."""
    scheme, _, own = origin.partition("://")
    port = DEFAULT_PORTS.get(scheme, "")
    return bool(own) and own.removesuffix(port) == host.removesuffix(port)
