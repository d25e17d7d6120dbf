"""`create_app`: all the wiring of the server, and nothing else."""

import os

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Mount

from app import errors, openapi
from app.api import (
    codes,
    datasets,
    decode,
    distances,
    encode,
    fields,
    health,
    history,
    interpolate,
    measures,
    metrics,
    models,
    neighbours,
    planes,
    sample,
    stream,
    tiles,
)
from app.express import Express
from app.gate.head import HeadAsGet
from app.gate.limits import AllowedSites, Limits, Room, SecurityHeaders
from app.gate.root_path import UnderPath
from app.hosted import Explorer
from app.http.compression import CompressText
from app.kserve import routes as kserve
from app.kserve.errors import ProtocolRefusals
from app.lifespan import PlainStartError, lifespan
from app.page import docs
from app.page import routes as page
from app.server.drain import Drain
from app.server.http_protocol import EXPRESS
from app.serving.image_cache import Pictures
from app.serving.registry import Registry
from app.serving.response_cache import Rack
from app.settings import Settings
from app.telemetry.access_log import Ledger
from app.telemetry.counters import Tally
from app.telemetry.logs import Observed, Reached
from app.telemetry.worker_metrics import Peers

VERSION = "0.1.0"
FEATURES = (
    decode,
    encode,
    models,
    measures,
    interpolate,
    sample,
    planes,
    fields,
    codes,
    neighbours,
    distances,
    history,
    datasets,
)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the server; without settings, from the environment, as each worker does."""
    settings = settings or Settings.read(os.environ)
    registry = Registry(settings.default_model, settings.model_memory_bytes)
    pictures = Pictures(settings.tile_cache_bytes)
    rack = Rack(pictures)
    maps, drawn = tiles.Tiles(registry, rack), decode.DecodePng(registry, rack)
    tally, drain = Tally(on=settings.metrics == "on"), Drain(settings.drain_seconds, registry)
    ledger = Ledger(tally, settings.log_format, settings.log_requests)
    room = Room(settings.max_connections)
    streams = stream.Stream(registry, settings.max_streams, settings.stream_idle_seconds, tally)
    worker = metrics.Worker(VERSION, tally, registry, pictures, streams)
    express = Express(
        rack,
        (maps, drawn),
        (decode.QuickDecode(registry), encode.QuickEncode(registry)),
        registry.hold,
        ledger,
        room,
        settings.max_body_bytes,
        settings.request_timeout_seconds,
        settings.allowed_hosts,
        settings.trusted_proxies,
        settings.root_path,
    )
    peers = Peers(settings.metrics_folder, worker.samples, metrics.LASTING)
    app = Explorer(
        title="Latent Explorer",
        version=VERSION,
        summary="See, drag and use the latent space of a variational autoencoder",
        lifespan=lifespan(
            settings,
            registry,
            maps.warm_up,
            tally,
            drain.holding_back,
            peers.publishing,
            ledger.open,
            state=lambda: {EXPRESS: express},
        ),
        middleware=_middleware(settings, ledger, room),
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.express = express
    app.state.registry, app.state.pictures, app.state.rack = registry, pictures, rack
    app.state.peers = peers
    raw = [decode.raw_route(drawn), stream.raw_route(streams), tiles.raw_route(maps)]
    app.router.routes.extend(entry.route for entry in raw)  # first: they are the hot ones
    for feature in FEATURES:
        app.router.routes.extend(feature.router.routes)
    app.state.desk = kserve.Desk(settings.max_body_bytes)
    app.include_router(kserve.router)
    app.include_router(health.router)
    if tally.on:
        app.include_router(metrics.router)
    app.include_router(docs.router)
    app.router.routes.append(Mount("/docs/ui", docs.SWAGGER_UI))
    app.router.routes.extend(page.routes())
    openapi.describe(app, raw)
    errors.install(app)
    return app


def _middleware(settings: Settings, ledger: Ledger, room: Room) -> list[Middleware]:
    """List what a request passes on its way in, the outermost first."""
    cors = Middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=[fields.LEGEND],
    )
    return [
        Middleware(PlainStartError),
        Middleware(Observed, ledger),
        Middleware(SecurityHeaders),
        Middleware(ProtocolRefusals, settings.root_path),
        Middleware(errors.Defects),
        *([cors] if settings.cors_origins else []),
        Middleware(AllowedSites, settings.allowed_hosts, settings.allowed_origins),
        Middleware(
            Limits,
            room,
            settings.max_body_bytes,
            settings.request_timeout_seconds,
        ),
        *([Middleware(UnderPath, settings.root_path)] if settings.root_path else []),
        Middleware(HeadAsGet),
        Middleware(CompressText),
        Middleware(Reached),
    ]
