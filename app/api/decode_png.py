"""GET decode.png: the image of a latent, under a URL of its own."""

from collections.abc import Mapping
from urllib.parse import parse_qs

from fastapi import Request, Response

from app.errors import InvalidRequest
from app.formats import png
from app.formats.latents import read_z
from app.http.conditional import ASK_AGAIN, etag, is_current
from app.http.negotiation import PNG
from app.openapi import LATENT_TEXT, MODEL_PARAMETER, NOT_CHANGED, binary, feature, parameter
from app.serving.image_cache import CachedImage, ImageCache, PngResponse
from app.serving.registry import Registry

router = feature("/models/{model}", "decode")

LARGEST = 1120
_SIZE = {"type": "integer", "minimum": 8, "maximum": LARGEST, "default": 280}
_SIZE_MEANING = (
    "Pixels of the longer side, at least the image's own; each pixel is repeated, not blended"
)


@router.get(
    "/decode.png",
    summary="Decode one latent into a PNG",
    description="The image of a latent under a URL, enlarged by whole pixels.",
    openapi_extra={
        "parameters": [
            MODEL_PARAMETER,
            parameter(
                "z",
                "query",
                LATENT_TEXT,
                "The latent, its numbers separated by commas",
                required=True,
                example="0.5,-1.2",
            ),
            parameter("size", "query", _SIZE, _SIZE_MEANING),
        ]
    },
    responses={
        200: binary(PNG, description="An 8-bit PNG, grey or in colour, with an ETag"),
        304: NOT_CHANGED,
        409: {},
        422: {},
    },
    response_class=Response,
)
async def decode_png(request: Request) -> Response:
    """Return the image of a latent; a browser keeps it under its URL.

    The image is enlarged by repeating pixels, so that every grey level is one of the model's.

    Raises:
        InvalidRequest: The latent or the size cannot be used.
        NotFound: There is no such model.
        Undecodable: The model has no latents that are vectors.
        Overloaded: Too much is waiting.
    """
    images: ImageCache = request.app.state.images
    cached = images.not_modified_or_cached(request)
    if cached is not None:
        return cached
    registry: Registry = request.app.state.registry
    async with registry.lend(request.path_params["model"]) as served:
        served.require_latents()
        query = parse_qs(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
        latents, size = (
            read_z(query.get("z", [None])[0], served.card),
            _read_size(query, served.engine.image.longest),
        )
        tag = etag(served.engine.version, latents.tobytes(), size)
        if is_current(request.headers, tag):
            return PngResponse(None, tag, ASK_AGAIN)
        image = images.find(tag)
        if image is None:
            images.misses += 1
            (grey,) = await served.batcher.run(latents)
            image = CachedImage(png.encode_enlarged(grey, size))
            images.keep(tag, image)
    return images.response(request, tag, image, tag, ASK_AGAIN)


def _read_size(query: Mapping[str, list[str]], least: int) -> int:
    text = query.get("size", [str(_SIZE["default"])])[0]
    is_whole = text.isascii() and text.isdecimal() and len(text) < 5
    if not (is_whole and least <= int(text) <= LARGEST):
        detail = f"size is not a whole number from {least} to {LARGEST} (pixels a side)."
        raise InvalidRequest.at("?size", detail)
    return int(text)
