"""No input below /v2 leads to a 500: it is answered, or refused in the protocol's form."""

import json
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.app.live_server import Serving

INFER = "/v2/models/mnist-vae-2d.decoder/infer"
ENCODE = "/v2/models/mnist-vae-2d.encoder/infer"
LENGTH = "Inference-Header-Content-Length"
GOOD = {"name": "latents", "datatype": "FP32", "shape": [1, 2], "data": [0.5, -1.2]}


@pytest.fixture(scope="module")
def client(server: Serving) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


numbers = st.integers() | st.floats() | st.integers(-3, 300)
scalars = st.none() | st.booleans() | numbers | st.text(max_size=8)
names = st.sampled_from(["latents", "images"]) | st.text(max_size=3)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=5),
    max_leaves=12,
)
near_misses = st.fixed_dictionaries(
    {
        "inputs": st.lists(
            st.fixed_dictionaries(
                {"name": names, "datatype": st.just("FP32") | scalars},
                optional={
                    "shape": st.just([1, 2]) | st.lists(numbers, max_size=3) | anything,
                    "data": st.lists(numbers, min_size=2, max_size=2) | anything,
                    "parameters": st.fixed_dictionaries(
                        {}, optional={"binary_data_size": st.just(8) | scalars, "x": anything}
                    ),
                },
            ),
            max_size=2,
        )
        | anything
    },
    optional={"outputs": anything, "parameters": anything, "id": anything},
)


def check(response: httpx.Response) -> None:
    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        assert list(response.json()) == ["error"]


@pytest.mark.parametrize("path", [INFER, ENCODE])
@given(body=anything | near_misses, content=st.just(b"") | st.binary(max_size=9))
def test_any_json_is_answered_or_refused(
    client: httpx.Client, path: str, body: object, content: bytes
) -> None:
    head = json.dumps(body).encode("utf-8", "surrogatepass")
    check(client.post(path, content=head + content, headers={LENGTH: str(len(head))}))


@given(
    content=st.binary(max_size=200),
    length=st.integers(-1, 300).map(str) | st.text(st.characters(codec="ascii"), max_size=5),
    coding=st.sampled_from(["gzip", "deflate", "identity", "x"]),
)
def test_any_bytes_are_answered_or_refused(
    client: httpx.Client, content: bytes, length: str, coding: str
) -> None:
    printable = "".join(filter(str.isprintable, length)).strip()
    headers = {LENGTH: printable, "content-encoding": coding}
    check(client.post(INFER, content=content, headers=headers))


@given(coding=st.text(st.characters(max_codepoint=126, min_codepoint=32), max_size=40))
def test_any_accepted_coding_is_answered(client: httpx.Client, coding: str) -> None:
    headers = {"accept-encoding": coding.strip()}
    assert (
        client.post(INFER, json={"inputs": [GOOD]}, headers=headers).json()["model_version"] == "1"
    )
