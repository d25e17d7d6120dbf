"""The server does what its OpenAPI document says, asked by requests made from that document.

Schemathesis makes them: by the schemas, at their edges, and outside of them. Each answer is checked
for a status, a media type and a form that the document has for it, and for no failure.
"""

import base64
import copy
from collections.abc import Iterator
from typing import Any

import httpx
import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.schemas import OpenApiSchema

from app.main import create_app
from app.settings import Settings
from tests.app.live_server import DEFAULT, Serving
from tests.app.pictures import drawing, file

NAMES = {
    "model": DEFAULT,
    "plane": "latent",
    "dataset": "mnist",
    "projection": "pca",
    "name": f"{DEFAULT}.decoder",
    "version": "1",
}
"""Names that the models of a server decide: a random name is always answered 404."""
LATENT = {
    "type": "array",
    "minItems": 2,
    "maxItems": 2,
    "items": {"type": "number", "minimum": -7000, "maximum": 7000},
}
"""A latent; no schema can say that its Euclidean length is at most 10,000."""
ON_THE_MAP = {"type": "string", "pattern": r"^-?[0-2]\.[0-9],-?[0-2]$"}
OF_ONE_FILE = ("box", "at", "polarity", "brightness")
"""Fields of an encode; no schema can say that they go with one file, and a place with a box."""
FEW = 3
"""Most latents or images of one request, so that the tests do not take minutes."""
PICTURE = file(drawing())

schemathesis.openapi.format("byte", st.just(base64.b64encode(PICTURE).decode()))
schemathesis.openapi.format("binary", st.just(PICTURE))


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for operation in methods.values():
            yield path, operation


def document() -> dict[str, Any]:
    """Return the document with the names that this server knows."""
    found = copy.deepcopy(create_app(Settings()).openapi())
    for _, operation in operations(found):
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "path" and parameter["name"] in NAMES:
                parameter["schema"] = {"type": "string", "enum": [NAMES[parameter["name"]]]}
    return found


def narrowed() -> dict[str, Any]:
    """Return the document narrowed to what the default model takes, and to small requests."""
    found = document()
    for path, operation in operations(found):
        for parameter in operation.get("parameters", []):
            if parameter["name"] == "z":
                parameter["schema"] = ON_THE_MAP
            if parameter["name"] == "size":  # of the longer side, at least the image's own
                parameter["schema"]["minimum"] = 28
        if path.endswith("/infer"):
            narrow_inference(operation)
        if path.endswith("/sample"):
            json_fields(operation)["count"]["maximum"] = FEW
        if path.endswith("/interpolate"):
            fields = json_fields(operation)
            fields["steps"]["maximum"] = FEW
            for end in ("start", "end"):
                fields[end]["properties"]["latent"] = LATENT
        if path.endswith("/directions"):
            json_fields(operation)["label"]["maximum"] = 9
            json_fields(operation)["factor"]["enum"] = ["slant", "stroke-width", "size"]
        if path.endswith("/traverse"):
            fields = json_fields(operation)
            fields["latent"] = LATENT
            fields["dimensions"].update(items={"type": "integer", "enum": [0, 1]}, maxItems=FEW)
        if path.endswith("/decode"):
            del operation["requestBody"]["content"]["application/x-npy"]
            json_fields(operation)["latents"].update(items=LATENT, maxItems=FEW)
        if path.endswith("/encode"):
            content = operation["requestBody"]["content"]
            del content["application/x-npy"], content["image/*"]
            form_fields = content["multipart/form-data"]["schema"]["properties"]
            for fields, images in ((json_fields(operation), "images"), (form_fields, "file")):
                fields[images]["maxItems"] = FEW
                for name in OF_ONE_FILE:
                    del fields[name]
            files, grey, _ = json_fields(operation)["images"]["items"]["anyOf"]
            for rows in (grey, grey["items"]):
                rows.update(minItems=28, maxItems=28)
            json_fields(operation)["images"]["items"]["anyOf"] = [files, grey]
    return found


def json_fields(operation: dict[str, Any]) -> Any:
    """Return the fields of an operation's JSON body."""
    return operation["requestBody"]["content"]["application/json"]["schema"]["properties"]


def narrow_inference(operation: dict[str, Any]) -> None:
    """Narrow an inference to what the decoder takes: no schema can say how fields depend."""
    operation["parameters"] = [one for one in operation["parameters"] if one["in"] == "path"]
    content = operation["requestBody"]["content"]
    del content["application/octet-stream"]
    asked = json_fields(operation)
    given = asked["inputs"]["items"]
    given["properties"]["name"]["enum"] = ["latents"]
    given["properties"]["shape"]["enum"] = [[1, 2]]
    given["properties"]["data"] = LATENT
    (outputs, _) = asked["outputs"]["anyOf"]  # or null
    outputs["maxItems"] = 1
    outputs["items"]["properties"]["name"]["enum"] = ["images"]


def fallible() -> dict[str, Any]:
    """Return the document without the operations that take no input and cannot be refused."""
    found = document()
    found["paths"] = {
        path: methods
        for path, methods in found["paths"].items()
        if any(operation.keys() & {"parameters", "requestBody"} for operation in methods.values())
    }
    return found


def requests(document: dict[str, Any], mode: GenerationMode) -> OpenApiSchema:
    config = schemathesis.Config(seed=0)
    config.projects.default.generation.update(
        modes=[mode], max_examples=8, deterministic=True, database="none"
    )
    # A request without the upgrade is the only one that can be made of a stream here.
    accepted = config.projects.default.checks.positive_data_acceptance
    accepted.expected_statuses = [*accepted.expected_statuses, "426"]
    return schemathesis.openapi.from_dict(document, config=config)


allowed = requests(narrowed(), GenerationMode.POSITIVE)
forbidden = requests(fallible(), GenerationMode.NEGATIVE)


@allowed.parametrize()
def test_a_request_that_the_document_allows_is_answered_as_it_says(
    case: Case[Any], server: Serving
) -> None:
    case.call_and_validate(f"http://{server.host}", timeout=60)


@forbidden.parametrize()
def test_a_request_that_the_document_forbids_is_refused_as_it_says(
    case: Case[Any], server: Serving
) -> None:
    case.call_and_validate(f"http://{server.host}", timeout=60)


def test_the_document_that_is_tested_is_the_one_that_is_served(client: httpx.Client) -> None:
    assert client.get("/openapi.json").json() == create_app(Settings()).openapi()
