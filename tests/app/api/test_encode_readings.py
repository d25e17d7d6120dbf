"""What a client says of its image where the preparation would guess wrong."""

import base64
import io
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import ExifTags, Image

from model.engine import LabelledImages
from tests.app.conftest import Refused
from tests.app.pictures import drawing, file

ENCODE = "models/mnist-vae-2d/encode"
SIDE_BY_SIDE = (640, 320)


def scan(digit: np.ndarray, side: int = 240) -> Image.Image:
    return Image.fromarray(255 - digit).resize((side, side), Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def two(mnist: LabelledImages) -> Image.Image:
    """A sheet with a large 7 on its left half, and a smaller 0 on its right."""
    sheet = Image.new("L", SIDE_BY_SIDE, 255)
    sheet.paste(scan(mnist.images[0]), (40, 40))
    sheet.paste(scan(mnist.images[3], 160), (420, 80))
    return sheet


def encode(api: httpx.Client, image: Image.Image, **said: str) -> Any:
    answer = api.post(ENCODE, files={"file": file(image)}, data=said).raise_for_status()
    (item,) = answer.json()["items"]
    return item


def shown(item: Any) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(item["input"]["png"]))), float)


def names(item: Any) -> list[str]:
    return [step["name"] for step in item["steps"]]


def test_a_box_leaves_only_what_is_in_it(api: httpx.Client, two: Image.Image) -> None:
    item = encode(api, two, box="0.5,0,1,1")
    alone = encode(api, two.crop((320, 0, 640, 320)))
    assert names(item)[:2] == ["read", "boxed"]
    assert item["input"] == alone["input"]
    assert item["mean"] != encode(api, two)["mean"]


def test_a_small_box_of_a_large_image_keeps_its_detail(
    api: httpx.Client, mnist: LabelledImages
) -> None:
    digit = scan(mnist.images[3])
    sheet = Image.new("L", (3000, 2000), 255)
    sheet.paste(digit, (2000, 1000))
    box = f"{2000 / 3000},0.5,{2240 / 3000},{1240 / 2000}"
    difference = shown(encode(api, sheet, box=box)) - shown(encode(api, digit))
    assert np.abs(difference).mean() < 6


def test_a_box_is_of_the_upright_image(api: httpx.Client, two: Image.Image) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    stored = two.transpose(Image.Transpose.ROTATE_90)
    upload = file(stored, "PNG", exif=exif)
    sent: dict[str, Any] = {"files": {"file": upload}, "data": {"box": "0.5,0,1,1"}}
    (item,) = api.post(ENCODE, **sent).json()["items"]
    assert names(item)[:3] == ["read", "turned", "boxed"]
    assert item["input"] == encode(api, two, box="0.5,0,1,1")["input"]


def test_the_shape_at_a_place_is_the_one_that_is_meant(api: httpx.Client, two: Image.Image) -> None:
    left, right = encode(api, two, at="0.25,0.5"), encode(api, two, at="0.78,0.5")
    assert left["input"] == encode(api, two)["input"]
    zero = encode(api, two, box="0.5,0,1,1")
    assert right["mean"] == pytest.approx(zero["mean"], abs=0.2)
    assert "alone" in names(right)


def test_a_place_is_of_the_whole_image_with_a_box_too(api: httpx.Client, two: Image.Image) -> None:
    item = encode(api, two, box="0.1,0,1,1", at="0.78,0.5")
    pointed = encode(api, two, at="0.78,0.5")
    assert item["mean"] == pytest.approx(pointed["mean"], abs=0.2)


def test_the_polarity_is_as_it_is_said(api: httpx.Client) -> None:
    page = drawing(ink=0, paper=255)
    assert encode(api, page, polarity="dark-on-light")["input"] == encode(api, page)["input"]
    said = encode(api, page, polarity="light-on-dark")
    assert "inverted" not in names(said)
    assert said["mean"] != encode(api, page)["mean"]


@pytest.mark.parametrize(("brightness", "exponent"), [(1, 0.5), (-1, 2)])
def test_the_brightness_is_a_power_of_each_level(
    api: httpx.Client, brightness: int, exponent: float
) -> None:
    levels = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (64, 1))
    (item,) = api.post(
        "models/fashion-vae-2d/encode",
        files={"file": file(Image.fromarray(levels))},
        data={"brightness": str(brightness)},
    ).json()["items"]
    assert names(item)[:2] == ["read", "brightened"]
    step = Image.open(io.BytesIO(base64.b64decode(item["steps"][1]["image"]["png"])))
    expected = 255 * (levels / 255) ** exponent
    np.testing.assert_allclose(np.asarray(step), expected, atol=0.51)


def test_json_says_the_same_as_a_form(api: httpx.Client, two: Image.Image) -> None:
    said = {"box": [0.1, 0, 1, 1], "at": [0.78, 0.5], "polarity": "dark-on-light"}
    packed = base64.b64encode(file(two)).decode()
    body = {"images": [packed], **said, "brightness": 0.5}
    (item,) = api.post(ENCODE, json=body).raise_for_status().json()["items"]
    form = {"box": "0.1,0,1,1", "at": "0.78, 0.5", "polarity": "dark-on-light"}
    assert item == encode(api, two, **form, brightness="0.5")
    nothing = dict.fromkeys((*said, "brightness"))
    (item,) = api.post(ENCODE, json={"images": [packed], **nothing}).json()["items"]
    assert item == encode(api, two)


def test_a_numpy_file_of_codes_heeds_it_too(api: httpx.Client, two: Image.Image) -> None:
    sent: dict[str, Any] = {"files": {"file": file(two)}, "data": {"at": "0.78,0.5"}}
    answer = api.post(ENCODE, **sent, headers={"Accept": "application/x-npy"})
    (code,) = np.load(io.BytesIO(answer.content))
    assert code.tolist() == pytest.approx(encode(api, two, at="0.78,0.5")["mean"], abs=1e-4)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        (
            "box",
            [
                "0,0,1",
                "0.5,0,0.5,1",
                "0,0,5e-324,1",
                "0,0.6,1,0.5",
                "0,0,1.1,1",
                "0,nan,1,1",
                "all",
                "",
            ],
        ),
        ("at", ["0.5", "0.5,0.5,0.5", "2,0", "0.5,inf", "here"]),
        ("polarity", ["", "dark", "LIGHT-ON-DARK"]),
        ("brightness", ["1.01", "-2", "nan", "0,0", "bright"]),
    ],
)
def test_a_value_that_cannot_be_used_is_named(
    api: httpx.Client, refused: Refused, name: str, values: list[str]
) -> None:
    packed = base64.b64encode(file(drawing())).decode()
    for value in values:
        answer = api.post(ENCODE, files={"file": file(drawing())}, data={name: value})
        assert name in refused(answer, 422) or "place" in answer.json()["detail"]
        assert answer.json()["errors"][0]["pointer"] == f"#/{name}"
        answer = api.post(ENCODE, json={"images": [packed], name: value})
        refused(answer, 422)
        assert answer.json()["errors"][0]["pointer"] == f"#/{name}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("box", {"left": 0}),
        ("box", [0, 0, 1, True]),
        ("at", [10**400, 0]),
        ("at", [[0], [1]]),
        ("polarity", ["dark-on-light"]),
        ("polarity", 1),
        ("brightness", False),
        ("brightness", 10**400),
    ],
)
def test_a_value_of_another_type_is_named(
    api: httpx.Client, refused: Refused, name: str, value: object
) -> None:
    packed = base64.b64encode(file(drawing())).decode()
    answer = api.post(ENCODE, json={"images": [packed], name: value})
    refused(answer, 422)
    assert answer.json()["errors"][0]["pointer"] == f"#/{name}"


def test_a_place_outside_the_box_is_refused(api: httpx.Client, refused: Refused) -> None:
    sent: dict[str, Any] = {
        "files": {"file": file(drawing())},
        "data": {"box": "0,0,0.5,1", "at": "0.6,0.5"},
    }
    answer = api.post(ENCODE, **sent)
    assert "outside the box" in refused(answer, 422)
    assert answer.json()["errors"][0]["pointer"] == "#/at"


def test_a_box_without_anything_in_it_is_refused(
    api: httpx.Client, refused: Refused, two: Image.Image
) -> None:
    sent: dict[str, Any] = {"files": {"file": file(two)}, "data": {"box": "0,0,0.05,0.05"}}
    assert "blank" in refused(api.post(ENCODE, **sent), 422)


def test_what_is_said_is_said_of_one_image(api: httpx.Client, refused: Refused) -> None:
    several = [("file", file(drawing()))] * 2
    answer = api.post(ENCODE, files=several, data={"at": "0.5,0.5"})
    assert "2 images" in refused(answer, 422)
    packed = base64.b64encode(file(drawing())).decode()
    answer = api.post(ENCODE, json={"images": [packed] * 2, "brightness": 0.5})
    assert "2 images" in refused(answer, 422)


def test_numbers_are_encoded_as_they_are_or_not_at_all(api: httpx.Client, refused: Refused) -> None:
    answer = api.post(ENCODE, json={"images": [[[0.5] * 28] * 28], "polarity": "dark-on-light"})
    assert "as they are" in refused(answer, 422)
    assert answer.json()["errors"][0]["pointer"] == "#/images/0"


def test_a_field_that_comes_twice_or_as_a_file_is_refused(
    api: httpx.Client, refused: Refused
) -> None:
    picture = file(drawing())
    twice = api.post(ENCODE, files={"file": picture}, data={"at": ["0.5,0.5", "0.6,0.5"]})
    assert "each once" in refused(twice, 422)
    as_file = api.post(ENCODE, files={"file": picture, "at": b"0.5,0.5"})
    assert "each once" in refused(as_file, 422)


def test_base64_may_have_line_breaks_or_be_a_data_url(
    api: httpx.Client, mnist: LabelledImages
) -> None:
    content = file(Image.fromarray(mnist.images[7]))
    plain = base64.b64encode(content).decode()
    broken = base64.encodebytes(content).decode().replace("\n", "\r\n")
    forms = [plain, broken, f"data:image/png;base64,{plain}", f"DATA:;BASE64,{broken}"]
    for form in forms:
        body = {"start": {"image": form}, "end": {"image": plain}, "steps": 2}
        api.post("models/mnist-vae-2d/interpolate", json=body).raise_for_status()
    items = api.post(ENCODE, json={"images": forms}).json()["items"]
    assert all(item["input"] == items[0]["input"] for item in items)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("data:image/png,%89PNG", "not in base64"),
        ("data:", "not in base64"),
        ("data:image/png;base64,%89PNG", "`data:` URL"),
        ("iVBORw0KGg=o", "`data:` URL"),
        ("file:///digit.png", "`data:` URL"),
    ],
)
def test_a_text_that_is_neither_base64_nor_such_a_url_is_refused(
    api: httpx.Client, refused: Refused, text: str, says: str
) -> None:
    answer = api.post(ENCODE, json={"images": [text]})
    assert says in refused(answer, 422)
    assert answer.json()["errors"][0]["pointer"] == "#/images/0"
