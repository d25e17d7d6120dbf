from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np

from app.serving.batcher import Batcher
from app.serving.registry import ServedModel
from app.settings import Settings
from model.engine import Engine
from tests.app.conftest import Refused
from tests.app.live_server import DEFAULT, serving


def test_the_server_is_alive_and_ready(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}
    ready = client.get("/readyz").json()
    assert ready["status"] == "ready"
    assert DEFAULT in ready["models"]


def test_alive_needs_no_model_and_ready_needs_the_default_one_to_decode(
    engine: Engine, refused: Refused
) -> None:
    def broken(_: object) -> np.ndarray:
        raise RuntimeError("the device has gone")

    with (
        ThreadPoolExecutor(1) as executor,
        serving(Settings(models=(DEFAULT,))) as server,
        server.client() as client,
    ):
        server.registry.keep(ServedModel(engine, Batcher(broken, executor, max_queue=1)))
        assert client.get("/healthz").status_code == 200
        assert DEFAULT in refused(client.get("/readyz"), 503)
