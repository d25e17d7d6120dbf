"""The security headers that every HTTP response carries."""

from collections.abc import Sequence


def security_headers(frame_ancestors: Sequence[str] = ()) -> dict[str, str]:
    """Return them by their names.

    Args:
        frame_ancestors: Origins whose pages may show the explorer in a frame, besides its own.
    """
    ancestors = " ".join(["'self'", *frame_ancestors])
    return {
        "Content-Security-Policy": (
            "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
            f"form-action 'none'; frame-ancestors {ancestors}"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }
