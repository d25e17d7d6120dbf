"""Health probes: which paths they are."""

PROBES = ("/healthz", "/readyz", "/metrics", "/v2/health/live", "/v2/health/ready")


def is_probe(path: str) -> bool:
    """Return whether a path is a health probe's, under whatever root path.

    Health probes bypass the connection limit and the host check: when the server is full or
    misconfigured is just when an operator needs their answer.
    """
    return path.endswith(PROBES)
