"""The examples of the OpenAPI document are requests that the server answers."""

from typing import Any

import httpx
import pytest

from app.main import create_app
from tests.app.live_server import Serving
from tests.app.pictures import drawing, file

DOCUMENT = create_app().openapi()
OPERATIONS = [
    (method, path, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
    if operation["operationId"] != "stream"
]

each_operation = pytest.mark.parametrize(
    ("method", "path", "operation"), OPERATIONS, ids=[one[2]["operationId"] for one in OPERATIONS]
)


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT
    if "$ref" not in schema:
        return schema
    for step in schema["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return found


def examples_of(described: dict[str, Any]) -> list[Any]:
    """Return the examples of a parameter, a media type or its schema; all values of an enum."""
    schema = resolved(described["schema"])
    named = [one["value"] for one in described.get("examples", {}).values()]
    single = [described["example"]] if "example" in described else []
    whole = schema.get("examples", [])
    if not whole and set(schema.get("required", [])) <= {
        name for name, part in schema.get("properties", {}).items() if "examples" in part
    }:
        parts = schema.get("properties", {}).items()
        whole = [{name: part["examples"][0] for name, part in parts if "examples" in part}]
        whole = whole if whole[0] else []
    return [*named, *single, *whole, *schema.get("enum", [])]


def address(path: str, operation: dict[str, Any]) -> str:
    """Return the path with the first example of each required parameter.

    The model that is the example everywhere has two dimensions, and so no projections.
    """
    query = {}
    if operation["operationId"] == "projection":
        path = path.replace("{model}", "mnist-vae-20d")
    for parameter in operation.get("parameters", []):
        if not parameter.get("required"):
            continue
        examples = examples_of(parameter)
        assert examples, f"{operation['operationId']}: {parameter['name']} has no example"
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", str(examples[0]))
        else:
            query[parameter["name"]] = str(examples[0])
    return str(httpx.URL(path, params=query)) if query else path


@each_operation
def test_every_operation_has_a_summary_a_description_and_a_tag(
    method: str, path: str, operation: dict[str, Any]
) -> None:
    for key in ("summary", "description", "tags"):
        assert operation.get(key), f"{method.upper()} {path} has no {key}"


@each_operation
def test_the_example_of_every_request_is_answered(
    server: Serving, method: str, path: str, operation: dict[str, Any]
) -> None:
    content = operation.get("requestBody", {}).get("content", {})
    with server.client() as client:
        if not content:
            answer = client.request(method, address(path, operation))
            assert answer.is_success, answer.text
        for media_type, described in content.items():
            here = address(path, operation)
            if media_type == "multipart/form-data":
                answer = client.post(here, files={"file": file(drawing())})
                assert answer.is_success, answer.text
            elif media_type == "application/json":
                examples = examples_of(described)
                assert examples, f"{path} has no example of a body"
                for example in examples:
                    answer = client.request(method, here, json=example)
                    assert answer.is_success, answer.text
