"""Content negotiation by Accept and Accept-Encoding (RFC 9110, sections 12.5.1 and 12.5.3)."""

from functools import lru_cache

from app.errors import NotAcceptable

JSON = "application/json"
PNG = "image/png"
GIF = "image/gif"
WEBP = "image/webp"
NPY = "application/x-npy"
NPZ = "application/x-npz"
RAW = "application/octet-stream"


@lru_cache(maxsize=1024)
def choose(accept: str | None, offered: tuple[str, ...]) -> str:
    """Return the offered media type or coding that `accept` wants most; the first wins a tie.

    The most specific range that matches a type decides its weight, so `image/*, image/gif;q=0`
    takes every image but a GIF.

    Raises:
        NotAcceptable: It wants none of them.
    """
    if not accept:
        return offered[0]
    ranges = [_parse(part) for part in accept.split(",") if part.strip()]
    weights = [_weight(media_type, ranges) for media_type in offered]
    best = max(weights)
    if best <= 0:
        raise NotAcceptable(f"Accept asks for none of what there is: {', '.join(offered)}.")
    return offered[weights.index(best)]


def _parse(part: str) -> tuple[str, float]:
    media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                weight = float(value)
            except ValueError:
                return media_range, 0.0
            return media_range, weight if 0 <= weight <= 1 else 0.0
    return media_range, 1.0


def _weight(media_type: str, ranges: list[tuple[str, float]]) -> float:
    for wanted in (media_type, media_type.partition("/")[0] + "/*", "*/*", "*"):
        weights = [weight for media_range, weight in ranges if media_range == wanted]
        if weights:
            return max(weights)
    return 0.0
