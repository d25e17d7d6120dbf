"""No input leads to a 500: it is answered, or refused with a problem document."""

import base64
import json
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

MODEL = "models/mnist-vae-2d"

numbers = st.integers() | st.floats() | st.integers(-3, 300)
scalars = st.none() | st.booleans() | numbers | st.text(max_size=8)
names = st.sampled_from(
    ["latents", "images", "start", "end", "latent", "image", "steps", "path", "count", "seed"]
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=5),
    max_leaves=12,
)
near_misses = st.fixed_dictionaries(
    {},
    optional={
        "latents": st.lists(st.lists(numbers, max_size=3), max_size=3) | anything,
        "images": st.lists(anything, max_size=3),
        "start": st.fixed_dictionaries({}, optional={"latent": anything, "image": anything}),
        "end": st.just({"latent": [1, -1]}),
        "count": scalars,
        "seed": scalars,
        "temperature": scalars,
        "steps": scalars,
        "path": scalars,
    },
)  # fmt: skip


def check(response: httpx.Response) -> None:
    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["detail"]


@pytest.mark.parametrize("action", ["decode", "encode", "interpolate", "sample"])
@given(body=anything | near_misses)
def test_any_json_is_answered_or_refused(api: httpx.Client, action: str, body: object) -> None:
    content = json.dumps(body).encode("utf-8", "surrogatepass")
    headers = {"content-type": "application/json"}
    check(api.post(f"{MODEL}/{action}", content=content, headers=headers))


@pytest.mark.parametrize("action", ["decode", "encode", "interpolate", "sample"])
@given(content=st.binary(max_size=200), kind=st.sampled_from(
    ["application/json", "multipart/form-data; boundary=b", "text/plain", "é/;=", ""]))  # fmt: skip
def test_any_bytes_are_answered_or_refused(
    api: httpx.Client, action: str, content: bytes, kind: str
) -> None:
    headers = {"content-type": kind.encode("latin-1")}
    check(api.post(f"{MODEL}/{action}", content=content, headers=headers))  # type: ignore[arg-type]


@given(
    z=st.text(max_size=20) | st.lists(st.floats(), max_size=3).map(str), size=st.text(max_size=6)
)
def test_any_query_is_answered_or_refused(api: httpx.Client, z: str, size: str) -> None:
    query = {"z": z.encode("utf-8", "surrogatepass"), "size": size.encode("utf-8", "surrogatepass")}
    check(api.get(f"{MODEL}/decode.png", params=query))


@given(accept=st.text(st.characters(max_codepoint=126, min_codepoint=32), max_size=40))
def test_any_accept_header_is_answered_or_refused(api: httpx.Client, accept: str) -> None:
    body = {"latents": [[0, 0]]}
    check(api.post(f"{MODEL}/decode", json=body, headers={"accept": accept.strip()}))


steps = st.text(st.characters(codec="utf-8", exclude_characters="/?#"), min_size=1, max_size=12)
wholes = st.integers(-1, 300).map(str) | steps
planes = st.sampled_from(["latent", "pca-0-1", "digits-3-8"]) | steps | st.binary(
    min_size=24, max_size=24
).map(lambda content: "at-" + base64.urlsafe_b64encode(content).decode())  # fmt: skip


@given(plane=planes, zoom=wholes, x=wholes, y=wholes)
def test_any_tile_is_answered_or_refused(
    api: httpx.Client, plane: str, zoom: str, x: str, y: str
) -> None:
    path = "/".join(quote(step, safe="") for step in (plane, "tiles", zoom, x, y))
    check(api.get(f"{MODEL}/planes/{path}.png"))
    check(api.get(f"{MODEL}/planes/{quote(plane, safe='')}"))
    check(api.get(f"{MODEL}/planes/{quote(plane, safe='')}/fields/{quote(zoom, safe='')}.png"))
    check(api.get(f"{MODEL}/planes/{quote(plane, safe='')}/fields/density.png"))


@given(z=st.text(max_size=20) | st.lists(st.floats(), max_size=3).map(str), k=wholes, v=steps)
def test_any_search_is_answered_or_refused(api: httpx.Client, z: str, k: str, v: str) -> None:
    check(api.get(f"{MODEL}/neighbours", params={"z": z.encode("utf-8", "surrogatepass"), "k": k}))
    check(api.get(f"{MODEL}/neighbours", params={"z": "0,0", "k": k}))
    check(api.get(f"{MODEL}/history", params={"projected": v}))
