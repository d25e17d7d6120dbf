"""The explorer on a Ray cluster of two nodes, both on this machine: `make test-ray`.

Only where the dependency group `ray` is installed. Traffic runs while replicas come, go and die;
what it loses is counted against what was under way on those that died.
"""

import importlib.util
import os
import signal
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from app.settings import ROOT
from benchmarks.measuring import process_tree
from tests.waiting import until
from tools.server import free_port

MODEL = "/api/v1/models/mnist-vae-2d"
DECODES = "/api/v1/models/{model}/decode"
TILES = "/api/v1/models/{model}/planes/{plane}/tiles/{zoom}/{x}/{y}.png"
TILE = f"{MODEL}/planes/latent/tiles/0/0/0.png"

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("ray") is None,
        reason="the dependency group `ray` is not installed: make test-ray",
    ),
    pytest.mark.filterwarnings("default"),  # Ray's own
]


def get(url: str, **headers: str) -> httpx.Response:
    return httpx.get(url, headers=headers, timeout=60, trust_env=False)


@dataclass(frozen=True)
class Replica:
    """What runs on one node, and its own port, past the proxy."""

    node: str
    pid: int
    port: int

    def counted(self, name: str, **labels: str) -> float:
        """Read one of the replica's metrics, summed over what the labels leave open."""
        text = get(f"http://127.0.0.1:{self.port}/metrics").text
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def is_gone(self) -> bool:
        return is_gone(self.pid)


def is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


class Site:
    """The cluster, and the application on it."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.cluster = Cluster()
        self.add_node(include_dashboard=False)
        self.second = self.add_node()

    def add_node(self, **options: Any) -> Any:
        """Add one; where a machine is slow, Ray gives up on agents of its own, so try again."""
        for _ in range(10):
            with suppress(Exception):
                return self.cluster.add_node(
                    num_cpus=1,
                    object_store_memory=80 * 2**20,
                    plasma_directory="/tmp",  # /dev/shm may be small, or closed
                    node_ip_address="127.0.0.1",
                    **options,
                )
        raise RuntimeError("Ray starts no node; /tmp/ray/session_latest/logs may say why")

    def run(self, **scale: float) -> None:
        """Run the application so, or change what runs."""
        from ray import serve

        from deploy.ray.serve_app import Scale, explorer

        serve.run(explorer(Scale.model_validate(scale)), name="explorer")

    def replicas(self) -> list[Replica]:
        """List those that answer."""
        import ray
        from ray.serve.context import _get_global_client

        client = _get_global_client()
        groups = ray.get(client._controller.get_target_groups.remote(from_proxy_manager=True))
        ports = {target.name: target.port for group in groups for target in group.targets}
        application = client.get_serve_details()["applications"]["explorer"]
        return [
            Replica(replica["node_id"], replica["pid"], ports[replica["actor_name"]])
            for replica in application["deployments"]["explorer"]["replicas"]
            if replica["state"] == "RUNNING" and replica["actor_name"] in ports
        ]

    def wait_for(self, count: int, unlike: int | None = None) -> list[Replica]:
        """Wait until so many answer, none of them the process `unlike`."""

        def found() -> list[Replica]:
            running = self.replicas()
            others = [replica for replica in running if replica.pid != unlike]
            return running if len(running) == len(others) == count else []

        return until(found, f"{count} replicas", seconds=600)

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=60, trust_env=False)

    def stream(self) -> ClientConnection:
        address = f"ws://127.0.0.1:{self.port}{MODEL}/stream"
        return connect(address, compression=None, proxy=None, open_timeout=60)


@pytest.fixture(scope="module", autouse=True)
def environment() -> Iterator[None]:
    """What Ray reads when it is imported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")  # says 127.0.0.1, and no other
        patch.setenv("RAY_SERVE_ENABLE_HA_PROXY", "1")
        patch.setenv("RAY_SERVE_HAPROXY_RETRY_ON", "conn-failure empty-response")
        patch.setenv("RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S", "2")
        patch.setenv("RAY_SERVE_HAPROXY_METRICS_PORT", str(free_port()))
        patch.setenv("RAY_SERVE_HAPROXY_STATS_PORT", str(free_port()))
        yield


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    import ray
    from ray import serve

    running = Site()
    try:
        ray.init(address=running.cluster.address, log_to_driver=False)
        serve.start(
            proxy_location="HeadOnly",  # both nodes would take the same port
            http_options={"host": "127.0.0.1", "port": running.port},
        )
        running.run(least=2, most=2)
        yield running
        serve.shutdown()
    finally:
        ray.shutdown()
        running.cluster.shutdown()


@pytest.fixture
def pair(site: Site) -> list[Replica]:
    """Two that run, and that the proxy has heard of: each has answered something."""
    found = site.wait_for(2)
    for _ in range(100):
        if all(map(has_answered, found)):
            break
        with ExitStack() as stack:
            for _ in range(4):  # each goes where fewer are open
                stream = stack.enter_context(site.stream())
                stream.send(bytes(12))
                assert len(stream.recv(timeout=60)) == 788
                assert get(site.url + TILE).status_code == 200
                assert decode(stack.enter_context(site.client())).status_code == 200
    return found


@dataclass
class Traffic:
    """What clients ask without pause, and what they lose; what is lost is asked again, once."""

    answered: int = 0
    lost: list[float] = field(default_factory=list)
    """When that which was lost was sent."""
    lost_for_good: int = 0
    streams_cut: int = 0
    faults: list[BaseException] = field(default_factory=list)


def ask(site: Site, traffic: Traffic, over: Event) -> None:
    """Decode and fetch tiles in turn, as one client does."""
    with site.client() as client:
        requests = [partial(decode, client), partial(client.get, TILE)]
        while not over.is_set():
            for request in requests:
                sent = time.monotonic()
                if answers(request):
                    traffic.answered += 1
                else:
                    traffic.lost.append(sent)
                    traffic.lost_for_good += not answers(request)


def decode(client: httpx.Client) -> httpx.Response:
    raw = {"Accept": "application/octet-stream"}
    return client.post(f"{MODEL}/decode", json={"latents": [[0.5, -0.5]]}, headers=raw)


def answers(request: Callable[[], httpx.Response]) -> bool:
    try:
        return request().status_code == 200
    except httpx.TransportError:
        return False


def drag(site: Site, traffic: Traffic, over: Event) -> None:
    """Drag, and open the stream again when it is cut, as the page does."""
    while not over.is_set():
        sent = time.monotonic()
        try:
            stream = site.stream()
        except (InvalidStatus, InvalidMessage, OSError):
            traffic.lost.append(sent)
            continue
        with stream:
            try:
                move(stream, traffic, over)
            except ConnectionClosed:
                traffic.streams_cut += 1


def move(stream: ClientConnection, traffic: Traffic, over: Event) -> None:
    for sequence in count():
        if over.is_set():
            return
        stream.send(struct.pack("<Iff", sequence, 0.5, -0.5))
        image = stream.recv(timeout=60)
        assert len(image) == 788
        assert image[:4] == struct.pack("<I", sequence)
        traffic.answered += 1


@contextmanager
def traffic_on(site: Site) -> Iterator[Traffic]:
    """Let two clients ask and four drag, until the end of the context and a little beyond."""
    traffic, over = Traffic(), Event()

    def go(client: Callable[[Site, Traffic, Event], None]) -> None:
        try:
            client(site, traffic, over)
        except BaseException as fault:
            traffic.faults.append(fault)

    threads = [Thread(target=go, args=[client]) for client in (ask, ask, drag, drag, drag, drag)]
    for thread in threads:
        thread.start()
    try:
        wait_until_more(traffic)
        yield traffic
        wait_until_more(traffic)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert traffic.faults == []


def wait_until_more(traffic: Traffic) -> None:
    seen = traffic.answered
    until(lambda: traffic.answered >= seen + 100 or traffic.faults, "a hundred more answers")


def test_the_manifest_for_kuberay_holds_what_serve_reads() -> None:
    from ray.serve.schema import ServeDeploySchema

    from deploy.ray.serve_app import Scale

    manifest = yaml.safe_load((ROOT / "deploy" / "kubernetes" / "rayservice.yaml").read_text())
    said = yaml.safe_load(manifest["spec"]["serveConfigV2"])
    (application,) = ServeDeploySchema.model_validate(said).applications
    assert Scale.model_validate(application.args).least >= 1


def test_both_nodes_answer_rest_tiles_and_streams(site: Site, pair: list[Replica]) -> None:
    assert len({replica.node for replica in pair}) == 2
    assert all(map(has_answered, pair))


def has_answered(replica: Replica) -> bool:
    """Say whether it has answered REST and tiles, and has images sent on a stream."""
    good = partial(replica.counted, "explorer_requests_total", status="2xx")
    return bool(
        good(route=DECODES)
        and good(route=TILES)
        and replica.counted("explorer_frame_seconds_count")
    )


def test_page_probes_and_refusals_come_through_unchanged(site: Site) -> None:
    assert "<title>" in get(f"{site.url}/").text
    assert get(f"{site.url}/readyz").json()["status"] == "ready"
    refusal = get(f"{site.url}/api/v1/models/none")
    assert refusal.status_code == 404
    assert refusal.headers["content-type"] == "application/problem+json"
    tag = get(site.url + TILE).headers["etag"]
    again = get(site.url + TILE, **{"if-none-match": tag})
    assert again.status_code == 304
    with site.stream() as stream:
        stream.send("text")
        with pytest.raises(ConnectionClosed) as closing:
            stream.recv(timeout=60)
    assert closing.value.rcvd is not None
    assert closing.value.rcvd.code == 1003


def test_a_killed_replica_loses_only_what_was_under_way_on_it(
    site: Site, pair: list[Replica]
) -> None:
    with traffic_on(site) as traffic:
        victim = pair[0]
        streams = victim.counted("explorer_open_streams")
        os.kill(victim.pid, signal.SIGKILL)
        until(victim.is_gone, "the end of the replica")
        dead = time.monotonic()
        site.wait_for(2, unlike=victim.pid)
    assert_only_those_under_way_are_lost(traffic, dead, streams)


def test_a_lost_node_loses_only_what_was_under_way_on_it(site: Site, pair: list[Replica]) -> None:
    (victim,) = (replica for replica in pair if replica.node == site.second.node_id)
    with traffic_on(site) as traffic:
        streams = victim.counted("explorer_open_streams")
        (raylet,) = site.second.all_processes["raylet"]
        node = process_tree(raylet.process.pid)  # its proxy too, which dies a little later
        assert victim.pid in node
        site.cluster.remove_node(site.second, allow_graceful=False)
        until(lambda: all(map(is_gone, node)), "the end of the node")
        dead = time.monotonic()
        wait_until_more(traffic)
        site.second = site.add_node()
        site.wait_for(2, unlike=victim.pid)
    assert_only_those_under_way_are_lost(traffic, dead, streams)


def assert_only_those_under_way_are_lost(traffic: Traffic, dead: float, streams: float) -> None:
    assert [sent for sent in traffic.lost if sent > dead] == []
    assert len(traffic.lost) <= 6  # one a client
    assert traffic.lost_for_good == 0
    assert traffic.streams_cut == streams > 0


def test_open_streams_bring_a_second_replica_which_leaves_again_without_a_loss(
    site: Site,
) -> None:
    site.run(least=1, most=2, open_each=2, grow_seconds=0, shrink_seconds=0)
    (first,) = site.wait_for(1)
    with ExitStack() as stack:
        for _ in range(6):
            stack.enter_context(site.stream())
        assert first.pid in [replica.pid for replica in site.wait_for(2)]
    with site.client() as client:
        while len(site.replicas()) == 2:
            assert client.get(TILE).status_code == 200
        for _ in range(100):  # while the other still drains
            assert client.get(TILE).status_code == 200


def test_a_stream_hears_of_the_end_and_may_come_again(site: Site) -> None:
    from ray import serve

    with site.stream() as stream:
        serve.delete("explorer", _blocking=False)
        with pytest.raises(ConnectionClosed) as closing:
            stream.recv(timeout=60)
    assert closing.value.rcvd is not None
    assert closing.value.rcvd.code == 1012
