"""The routes of the Open Inference Protocol (KServe V2), for any of its clients.

Each model of ours is two of the protocol's: `<id>.decoder` and `<id>.encoder`, of version "1".
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, Field

from app.api import health
from app.errors import INFERENCE_PREFIX, NotFound
from app.http.cancellation import while_connected
from app.http.compression import CODINGS, choose_coding, compress
from app.http.negotiation import JSON, RAW
from app.kserve import endpoints, messages
from app.kserve import openapi as description
from app.kserve.endpoints import Endpoint
from app.kserve.messages import LENGTH, VERSION
from app.kserve.openapi import TensorMetadata
from app.openapi import RETRY_AFTER
from app.serving.registry import Models

Result = TypeVar("Result")
LARGE = 50_176
"""Bytes of a request or numbers of a response above which a thread reads or writes it."""


class Refusal(BaseModel):
    """Why not."""

    error: str = Field(description="What came, what is allowed, and what to do")


REFUSED = {
    "model": Refusal,
    "description": "Refused: `error` says why",
    "headers": RETRY_AFTER,
}
router = APIRouter(prefix=INFERENCE_PREFIX, tags=["inference"], responses={"default": REFUSED})


class ServerLive(BaseModel):
    """The process answers."""

    live: bool = True


class ServerReady(BaseModel):
    """The default model works."""

    ready: bool = True


class ModelReady(BaseModel):
    """The model is in memory and works."""

    name: str
    ready: bool = True


class ServerMetadata(BaseModel):
    """What this server is."""

    name: str = "latent-explorer"
    version: str
    extensions: list[str] = ["binary_tensor_data"]


class ModelMetadata(BaseModel):
    """What a model takes and gives."""

    name: str
    versions: list[str] = [VERSION]
    platform: str = "pytorch"
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]
    properties: dict[str, str] = Field(description="What the numbers of each tensor mean")


_NAME = Path(description="Id of a model, and its half", examples=["mnist-vae-2d.decoder"])


async def _endpoint(name: Annotated[str, _NAME], models: Models) -> Endpoint:
    return endpoints.find(name, models)


async def _only_version(version: Annotated[str, Path(examples=[VERSION])]) -> None:
    if version != VERSION:
        raise NotFound(f"There is one version of each model, {VERSION}. Leave it out, or name it.")


Known = Annotated[Endpoint, Depends(_endpoint)]
"""A route's parameter: the endpoint that `{name}` in its path names; loads nothing."""


@router.get("")
async def server_metadata(request: Request) -> ServerMetadata:
    """Tell the name of this server, its version, and what it knows beyond the protocol."""
    return ServerMetadata(version=request.app.version)


@router.get("/health/live")
async def server_live() -> ServerLive:
    """Answer without touching a model."""
    return ServerLive()


@router.get("/health/ready")
async def server_ready(models: Models) -> ServerReady:
    """Answer once the default model has decoded a latent for this very probe."""
    await health.ready(models)
    return ServerReady()


named = APIRouter()
"""The routes of one model, with and without its version in the path."""


@named.get("")
async def model_metadata(endpoint: Known) -> ModelMetadata:
    """Tell what a model takes and gives; it is not loaded for it."""
    tensors = (endpoint.input, *endpoint.outputs)
    shown = [TensorMetadata(name=t.name, datatype=t.datatype, shape=[*t.shape]) for t in tensors]
    return ModelMetadata(
        name=endpoint.name,
        inputs=shown[:1],
        outputs=shown[1:],
        properties={tensor.name: tensor.about for tensor in tensors},
    )


@named.get("/ready")
async def model_ready(endpoint: Known, models: Models) -> ModelReady:
    """Load a model if it is not in memory, and answer once it is there."""
    async with models.lend(endpoint.card.id):
        return ModelReady(name=endpoint.name)


@named.post(
    "/infer",
    openapi_extra=description.REQUEST,
    responses={200: description.RESPONSE},
    response_class=Response,
)
async def infer(request: Request, endpoint: Known, models: Models) -> Response:
    """Decode up to 1,024 latents, or encode up to 64 images.

    Tensors travel as JSON or as bytes after it, and both ways as gzip or deflate if the headers
    say so. The media type of a request is not looked at.
    """
    body, headers = await request.body(), request.headers
    read = partial(messages.read, body, headers.get(LENGTH), endpoint)
    parsed = await _done(read, in_thread=len(body) > LARGE)
    async with models.lend(endpoint.card.id) as served:
        work = endpoint.run(served, parsed.tensor, tuple(parsed.wanted))
        outputs = await while_connected(request, work)
    coding = choose_coding(headers.get("accept-encoding"), CODINGS)

    def write() -> Response:
        head, *tensors = messages.write(parsed, endpoint, outputs)
        content = b"".join((head, *tensors))
        headers = {"Vary": "Accept-Encoding"}
        if tensors:
            headers[LENGTH] = str(len(head))
        if coding:
            headers["Content-Encoding"] = coding
            content = compress(content, coding)
        return Response(content, headers=headers, media_type=RAW if tensors else JSON)

    size = sum(array.size for array in outputs.values())
    return await _done(write, in_thread=coding is not None or size > LARGE)


async def _done(work: Callable[[], Result], *, in_thread: bool) -> Result:
    """Do work that takes milliseconds in a thread, so that the event loop goes on serving drags."""
    return await asyncio.to_thread(work) if in_thread else work()


router.include_router(named, prefix="/models/{name}")
router.include_router(
    named,
    prefix="/models/{name}/versions/{version}",
    dependencies=[Depends(_only_version)],
    generate_unique_id_function=lambda route: f"{route.name}_of_version",
)
