"""The host that a request was sent to, by the word of a trusted proxy."""

import re
from collections.abc import Sequence
from typing import Any, cast

from starlette.types import Scope
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

PEER = "peer"
"""Key of a scope's state: the address at the other end of the connection. uvicorn replaces the
`client` of a scope by what a proxy forwards."""

_FORWARDED_HOST = re.compile(rb'(?:^|[;,])\s*host="?([^",;\s]+)', re.IGNORECASE)
"""In a Forwarded header (RFC 7239, section 4)."""


class TrustedProxies:
    """The proxies whose word is believed: `X-Forwarded-Host`, else `Forwarded`.

    Args:
        addresses: Addresses or networks, or `*`, read as uvicorn reads them for X-Forwarded-For.
    """

    def __init__(self, addresses: Sequence[str]) -> None:
        app = cast("Any", None)  # what reads the addresses is a middleware
        self._addresses = ProxyHeadersMiddleware(app, list(addresses)).trusted_hosts

    def forwarded_host(self, scope: Scope) -> str | None:
        """Return the host that the proxy was asked for; None if no trusted proxy tells.

        Each of several proxies in a row adds to the end of a list; the first was asked by the
        client.
        """
        peer = scope.get("state", {}).get(PEER)
        if peer is None or peer[0] not in self._addresses:
            return None
        first = dict(reversed(scope["headers"]))
        host = first.get(b"x-forwarded-host", b"").partition(b",")[0].strip()
        if not host and (found := _FORWARDED_HOST.search(first.get(b"forwarded", b""))):
            host = found[1]
        return host.decode("latin-1") or None
