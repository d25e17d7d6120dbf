"""`create_app`: all the wiring of the server, and nothing else."""

import os

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Mount

from app import docs, errors, openapi, page
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
    models,
    neighbours,
    planes,
    sample,
    stream,
    tiles,
)
from app.head import HeadAsGet
from app.lifespan import PlainStartError, lifespan
from app.pictures import Pictures
from app.proxy import UnderPath
from app.registry import Registry
from app.security import AllowedSites, Limits, SecurityHeaders
from app.settings import Settings
from app.telemetry import RequestLog

VERSION = "0.1.0"
FEATURES = (
    models,
    measures,
    encode,
    decode,
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
    maps = tiles.Tiles(registry, pictures)
    app = FastAPI(
        title="Latent Explorer",
        version=VERSION,
        summary="See, drag and use the latent space of a variational autoencoder",
        lifespan=lifespan(settings, registry, maps.warm_up),
        middleware=_middleware(settings),
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.registry, app.state.pictures = registry, pictures
    raw = [decode.raw_route(registry), stream.raw_route(registry), tiles.raw_route(maps)]
    app.router.routes.extend(entry.route for entry in raw)  # first: they are the hot ones
    api = APIRouter(prefix=openapi.API)
    for feature in FEATURES:
        api.include_router(feature.router)
    app.include_router(api)
    app.include_router(health.router)
    app.include_router(docs.router)
    app.router.routes.append(Mount("/docs/ui", docs.SWAGGER_UI))
    app.router.routes.extend(page.routes())
    openapi.describe(app, raw)
    errors.install(app)
    return app


def _middleware(settings: Settings) -> list[Middleware]:
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
        Middleware(RequestLog),
        Middleware(SecurityHeaders),
        *([cors] if settings.cors_origins else []),
        Middleware(AllowedSites, settings.allowed_hosts, settings.allowed_origins),
        Middleware(
            Limits,
            settings.max_connections,
            settings.max_body_bytes,
            settings.request_timeout_seconds,
        ),
        *([Middleware(UnderPath, settings.root_path)] if settings.root_path else []),
        Middleware(HeadAsGet),
    ]
