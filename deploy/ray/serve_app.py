"""The explorer on Ray Serve: one replica a core or a GPU, on as many machines as there are.

    serve run deploy.ray.serve_app:explorer most=16

from the checkout, on a machine of a Ray cluster. See docs/scaling.md.
"""

import logging.config
import os
from contextlib import suppress

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from ray import serve
from ray.serve import Application
from ray.serve.config import AutoscalingConfig

from app.api import health
from app.errors import Overloaded
from app.main import create_app
from app.settings import Settings
from app.telemetry.logs import logging_config

OPEN_AT_ONCE = 2000
"""Requests and streams that Ray gives a replica: more than it takes, for its refusals say more."""


class Scale(BaseModel):
    """What `serve run ... name=value`, or `args` of a Serve configuration, may say."""

    model_config = ConfigDict(extra="forbid")

    least: int = Field(default=1, ge=1, description="Replicas that always run")
    most: int = Field(default=8, ge=1, description="Replicas at the height of the day")
    open_each: float = Field(
        default=100, gt=0, description="Requests and open streams a replica should have"
    )
    grow_seconds: float = Field(default=10, ge=0, description="How long there are more before")
    shrink_seconds: float = Field(default=300, ge=0, description="How long there are fewer before")
    cpus: float = Field(default=1, gt=0, description="Cores a replica takes")
    gpus: float = Field(default=0, ge=0, description="GPUs a replica takes; four share one at 0.25")


class Replica:
    """What Ray asks of a replica; all else is the server itself."""

    app: FastAPI

    async def check_health(self) -> None:
        """Decode for this very question, as `/readyz` does; a full server is not a sick one."""
        with suppress(Overloaded):
            await health.ready(self.app.state.registry)


def build() -> FastAPI:
    """Make the server within its replica, whose environment holds the settings."""
    settings = Settings.read(os.environ)
    logging.config.dictConfig(logging_config(settings.log_format))
    return create_app(settings)


def explorer(scale: Scale) -> Application:
    """Make the application that Ray Serve runs."""
    deployment = serve.deployment(
        name="explorer",
        ray_actor_options={"num_cpus": scale.cpus, "num_gpus": scale.gpus},
        max_ongoing_requests=OPEN_AT_ONCE,
        autoscaling_config=AutoscalingConfig(
            min_replicas=scale.least,
            max_replicas=scale.most,
            target_ongoing_requests=scale.open_each,
            upscale_delay_s=scale.grow_seconds,
            downscale_delay_s=scale.shrink_seconds,
        ),
        logging_config={"enable_access_log": False},  # the server writes its own
        health_check_period_s=5,
        health_check_timeout_s=30,
    )(serve.ingress(build)(Replica))
    return deployment.bind()
