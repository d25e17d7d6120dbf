"""The Open Inference Protocol (KServe V2): any client of it can decode and encode here.

Each model is two of the protocol's: `<id>.decoder` and `<id>.encoder`, with one version, "1".
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from app.api import health
from app.errors import NotFound
from app.http.cancellation import while_connected
from app.http.negotiation import JSON, RAW
from app.kserve import compression, endpoints, messages, openapi
from app.kserve.endpoints import Array, Endpoint
from app.kserve.errors import PREFIX
from app.kserve.messages import LENGTH
from app.kserve.openapi import TensorMetadata
from app.kserve.statistics import VERSION, ModelStatistics
from app.openapi import RETRY_AFTER
from app.serving.registry import Models

Result = TypeVar("Result")
LARGE = 64 * 28**2
"""Bytes of a body, or numbers of an answer, from which on a thread deals with them."""


class Refusal(BaseModel):
    """Why not."""

    error: str = Field(description="What came, what is allowed, and what to do")


REFUSED: dict[int | str, dict[str, Any]] = {
    "default": {
        "model": Refusal,
        "description": "Refused: `error` says why",
        "headers": RETRY_AFTER,
    }
}
router = APIRouter(prefix=PREFIX, tags=["inference"], responses=REFUSED)


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
    extensions: list[str] = ["binary_tensor_data", "model_repository", "statistics"]


class ModelMetadata(BaseModel):
    """What a model takes and gives."""

    name: str
    versions: list[str] = [VERSION]
    platform: str = "pytorch"
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]
    properties: dict[str, str] = Field(description="What the numbers of each tensor mean")


class Statistics(BaseModel):
    """What has been asked of this worker's models."""

    model_stats: list[ModelStatistics]


class IndexEntry(BaseModel):
    """A model that may be asked for."""

    name: str
    version: str = VERSION
    state: Literal["READY"] = "READY"
    reason: str = Field(description="Empty for a model in memory; any other loads when it is used")


class Desk:
    """What the routes remember between requests.

    Args:
        max_body_bytes: Of a body, compressed or not.
    """

    def __init__(self, max_body_bytes: int) -> None:
        self.max_body_bytes = max_body_bytes
        self._statistics: dict[str, ModelStatistics] = {}

    def statistics(self, endpoint: Endpoint) -> ModelStatistics:
        """Give an endpoint's counts, to read or to add to."""
        return self._statistics.setdefault(endpoint.name, ModelStatistics(name=endpoint.name))


async def _desk(request: Request) -> Desk:
    desk = request.app.state.desk
    assert isinstance(desk, Desk)
    return desk


_NAME = Path(description="Id of a model, and its half", examples=["mnist-vae-2d.decoder"])


async def _endpoint(name: Annotated[str, _NAME], models: Models) -> Endpoint:
    return endpoints.find(name, models)


async def _only_version(version: Annotated[str, Path(examples=[VERSION])]) -> None:
    if version != VERSION:
        raise NotFound(f"There is one version of each model, {VERSION}. Leave it out, or name it.")


OurDesk = Annotated[Desk, Depends(_desk)]
Known = Annotated[Endpoint, Depends(_endpoint)]
"""A route's parameter: what `{name}` in its path names; loads nothing."""


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


@router.get("/models/stats")
async def all_statistics(models: Models, desk: OurDesk) -> Statistics:
    """Tell what has been asked of each model since this worker started."""
    return Statistics(model_stats=[desk.statistics(one) for one in endpoints.all_of(models)])


@router.post("/repository/index")
async def repository_index(models: Models) -> list[IndexEntry]:
    """List all models; each is ready, because it is loaded when it is used."""
    loaded = {served.card.id for served in models.loaded}
    return [
        IndexEntry(name=one.name, reason="" if one.card.id in loaded else "loads when it is used")
        for one in endpoints.all_of(models)
    ]


@router.post(
    "/repository/models/{name}/{action}",
    status_code=403,
    responses={403: {"model": Refusal, "description": "Always"}},
    response_model=None,
)
async def repository_control(
    name: Annotated[str, _NAME], action: Literal["load", "unload"]
) -> None:
    """Refuse to load or unload a model: the server does it by itself."""
    raise HTTPException(
        403,
        "Models are loaded when they are used and make room for others when they must; nobody "
        "orders it from outside. GET /v2/models/<name>/ready loads one and says so.",
    )


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


@named.get("/stats")
async def model_statistics(endpoint: Known, desk: OurDesk) -> Statistics:
    """Tell what has been asked of a model since this worker started."""
    return Statistics(model_stats=[desk.statistics(endpoint)])


@named.post(
    "/infer",
    openapi_extra=openapi.REQUEST,
    responses={200: openapi.ANSWER},
    response_class=Response,
)
async def infer(request: Request, endpoint: Known, models: Models, desk: OurDesk) -> Response:
    """Decode up to 1,024 latents, or encode up to 64 images.

    Tensors travel as JSON or as bytes after it, and both ways as gzip or deflate if the headers
    say so. The media type of a request is not looked at.
    """
    body, headers = await request.body(), request.headers

    def read() -> messages.Question:
        plain = compression.unpack(body, headers.get("content-encoding"), desk.max_body_bytes)
        return messages.read(plain, headers.get(LENGTH), endpoint)

    with desk.statistics(endpoint).request() as clock:
        question = await _done(read, aside="content-encoding" in headers or len(body) > LARGE)
        clock.rows = len(question.tensor)
        clock.passes = -(-clock.rows // endpoint.together)
        clock.ends("compute_input")
        async with models.lend(endpoint.card.id) as served:
            clock.ends("queue")
            work = endpoint.run(served, question.tensor, tuple(question.wanted))
            outputs = await while_connected(request, work)
            clock.ends("compute_infer")
        coding = compression.accepted(headers.get("accept-encoding"))
        write = partial(_response, question, endpoint, outputs, coding)
        size = sum(array.size for array in outputs.values())
        response = await _done(write, aside=coding is not None or size > LARGE)
        clock.ends("compute_output")
    return response


async def _done(work: Callable[[], Result], *, aside: bool) -> Result:
    """Do what may take milliseconds aside, in a thread, so that the drags of others go on."""
    return await asyncio.to_thread(work) if aside else work()


def _response(
    question: messages.Question,
    endpoint: Endpoint,
    outputs: Mapping[str, Array],
    coding: str | None,
) -> Response:
    parts = messages.write(question, endpoint, outputs)
    headers = {"Vary": "Accept-Encoding"}
    if len(parts) > 1:
        headers[LENGTH] = str(len(parts[0]))
    content = b"".join(parts)
    if coding:
        headers["Content-Encoding"] = coding
        content = compression.pack(content, coding)
    return Response(content, headers=headers, media_type=RAW if len(parts) > 1 else JSON)


router.include_router(named, prefix="/models/{name}")
router.include_router(
    named,
    prefix="/models/{name}/versions/{version}",
    dependencies=[Depends(_only_version)],
    generate_unique_id_function=lambda route: f"{route.name}_of_version",
)
