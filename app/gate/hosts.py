"""Which hosts the server answers for, and which origins may open a stream."""

import logging
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from starlette.types import Scope

from app.errors import ForeignOrigin, WrongHost
from app.http.forwarded import TrustedProxies
from app.settings import variable
from app.telemetry.counters import Counters

DEFAULT_PORTS = {"http": ":80", "https": ":443"}
MAX_ORIGINS_LOGGED = 32
MAX_CHARACTERS = 300
"""Of a name that a client wrote, in the log or in an answer; every plain origin fits."""

Headers = Mapping[bytes, bytes]
"""Of a request, names in lower case."""

log = logging.getLogger("explorer")


def check_host(headers: Headers, hosts: Sequence[str]) -> None:
    """Raise WrongHost unless the Host header names one of `hosts`.

    Args:
        headers: Of the request.
        hosts: Such as `example.org` or `*.example.org`, in lower case.
    """
    if not _is_allowed(_text(headers, b"host"), hosts):
        raise WrongHost(
            "This server does not answer for the host in the Host header; its operator lists the "
            "hosts in EXPLORER_ALLOWED_HOSTS."
        )


class Origins:
    """Which pages may open a stream: the server's own, and those of the origins allowed.

    A page is the server's own if its origin names the host that the request was sent to: the one in
    Host, or the one that a trusted proxy says it was asked for.

    Args:
        allowed: Such as `https://example.org`; `*` is all.
        trusted_proxies: As in `TrustedProxies`.
        counters: Where refusals are counted.
    """

    def __init__(
        self, allowed: Sequence[str], trusted_proxies: Sequence[str], counters: Counters
    ) -> None:
        self.allowed = [origin.lower() for origin in allowed]
        self.counters = counters
        self._proxies = TrustedProxies(trusted_proxies)
        self._logged: set[str] = set()

    def check(self, scope: Scope, headers: Headers) -> None:
        """Raise ForeignOrigin if a page of a foreign origin opens a WebSocket.

        Browsers do not apply CORS to WebSockets: without this check, any page could open one. A
        client that sends no Origin is no browser, and passes.
        """
        origin = _text(headers, b"origin")
        if not origin or self.includes(origin, scope, headers):
            return
        self.counters.foreign_origins += 1
        origin = shown(origin)
        if origin not in self._logged and len(self._logged) < MAX_ORIGINS_LOGGED:
            self._logged.add(origin)
            self._log(origin, self.host(scope, headers))
        raise ForeignOrigin(
            "A page of another origin may not open a stream here; the operator of this server "
            "lists the origins that may in EXPLORER_ALLOWED_ORIGINS."
        )

    def includes(self, origin: str, scope: Scope, headers: Headers) -> bool:
        """Return whether a page of this origin may open a stream by a request like this one."""
        origin = origin.lower()
        forwarded = self._proxies.forwarded_host(scope)
        return (
            "*" in self.allowed
            or origin in self.allowed
            or _is_same_host(origin, _text(headers, b"host"))
            or (forwarded is not None and _is_same_host(origin, forwarded.lower()))
        )

    def host(self, scope: Scope, headers: Headers) -> str:
        """Return the host that a request was sent to, fit to be shown."""
        return shown(self._proxies.forwarded_host(scope) or _text(headers, b"host"))

    def _log(self, origin: str, host: str) -> None:
        log.warning(
            "A page of the origin %s may not open a stream: the server sees the host %s. If the "
            "page is yours, set %s=%s; or, where a proxy changes Host, let it pass "
            "X-Forwarded-Host and name its address in %s. Further refusals of this origin are "
            "counted only",
            *(origin, host, variable("allowed_origins"), ",".join([*self.allowed, origin])),
            variable("trusted_proxies"),
        )


def shown(name: str) -> str:
    """Return a name that a client wrote in a form that a log can bear: short, and in ASCII."""
    return ascii(name)[1:-1][:MAX_CHARACTERS]


def _text(headers: Headers, name: bytes) -> str:
    return headers.get(name, b"").decode("latin-1").lower()


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
