"""`create_app`: all the wiring of the server, and nothing else."""

import os
from functools import partial

from fastapi.routing import APIRoute
from starlette.middleware import Middleware
from starlette.routing import Mount, WebSocketRoute

from app import errors, openapi
from app.api import (
    codes,
    datasets,
    decode,
    decode_png,
    directions,
    distances,
    encode,
    fields,
    health,
    history,
    index,
    interpolate,
    measures,
    metrics,
    models,
    neighbours,
    planes,
    preview,
    projections,
    sample,
    stream,
    tiles,
    traverse,
)
from app.gate.gate import Explorer, Gate
from app.hot_routes import HotRoutes
from app.http.compression import CompressText
from app.http.cors import Cors
from app.http.query import KnownQuery
from app.http.turns import Turns
from app.kserve import routes as kserve
from app.kserve.messages import LENGTH
from app.lifespan import lifespan
from app.openapi import MODEL_HASH
from app.page import docs
from app.page import routes as page
from app.server.drain import holding_back_sigterm
from app.serving.image_cache import ImageCache
from app.serving.registry import Registry
from app.settings import Settings
from app.telemetry.access_log import AccessLog
from app.telemetry.counters import Counters
from app.telemetry.worker_metrics import SharedMetrics

VERSION = "0.1.0"
HOT = (decode, decode_png, encode, tiles)
FEATURES = (
    *HOT,
    index,
    stream,
    models,
    measures,
    interpolate,
    sample,
    traverse,
    planes,
    preview,
    fields,
    codes,
    neighbours,
    distances,
    directions,
    projections,
    history,
    datasets,
)
API_ROUTES = [route for feature in FEATURES for route in feature.router.routes]
HOT_ROUTES = [route for feature in HOT for route in feature.router.routes]
for _route in API_ROUTES:
    assert isinstance(_route, APIRoute)
    _route.app = KnownQuery(_route, _route.app)


def create_app(settings: Settings | None = None) -> Explorer:
    """Build the server; without settings, from the environment, as each worker does."""
    settings = settings or Settings.read(os.environ)
    registry = Registry(settings.default_model, settings.model_memory_bytes)
    images = ImageCache(settings.tile_cache_bytes)
    counters = Counters(on=settings.metrics == "on")
    log = AccessLog(counters, settings.log_format)
    streams = stream.Stream(registry, settings.max_streams, settings.stream_idle_seconds, counters)
    worker = metrics.WorkerMetrics(VERSION, counters, registry, images, streams)
    shared_metrics = SharedMetrics(settings.metrics_folder, worker.samples, metrics.LASTING)
    app = Explorer(
        title="Latent Explorer",
        version=VERSION,
        summary="See, drag and use the latent space of a variational autoencoder",
        description="Images to latents and back, over HTTP; docs/api.md has examples of it all.",
        license_info={"name": "MIT", "identifier": "MIT"},
        lifespan=lifespan(
            settings,
            registry,
            images,
            partial(tiles.warm_up, registry, images),
            counters,
            partial(holding_back_sigterm, settings.drain_seconds, registry),
            shared_metrics.publishing,
            log.open,
        ),
        middleware=[Middleware(CompressText)],
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.registry, app.state.images = registry, images
    app.state.log, app.state.shared_metrics = log, shared_metrics
    app.state.turns = Turns()
    app.router.routes.append(WebSocketRoute(stream.PATH, streams))
    app.router.routes.extend(API_ROUTES)
    app.include_router(kserve.router)
    app.include_router(health.router)
    if counters.on:
        app.include_router(metrics.router)
    app.include_router(docs.router)
    app.router.routes.append(Mount("/docs/ui", docs.SWAGGER_UI))
    app.router.routes.extend(page.ROUTES)
    openapi.describe(app, settings.root_path)
    errors.install(app)
    log.know(app.routes)
    routes = HotRoutes(super(Explorer, app).__call__, HOT_ROUTES)
    app.gate = Gate(routes, settings, log, registry.hashes, _cors(settings))
    return app


EXPOSED = (
    *("Retry-After", "ETag", "X-Request-Id", LENGTH, "Content-Encoding"),
    *(fields.LEGEND, MODEL_HASH),
)
"""Headers that pages of other origins may read."""


def _cors(settings: Settings) -> partial[Cors] | None:
    """Return what lets pages of other origins call the API, if the settings name any."""
    if not settings.cors_origins:
        return None
    return partial(Cors, origins=settings.cors_origins, exposed=EXPOSED)
