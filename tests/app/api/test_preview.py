"""The picture of a link to a point."""

import io
import re

import httpx
import numpy as np
from PIL import Image

from app.formats.preview import LABELS
from app.page.routes import STATIC
from tests.app.conftest import Refused
from tests.app.live_server import DEFAULT

PREVIEW = f"models/{DEFAULT}/preview.png"


def picture(answer: httpx.Response) -> Image.Image:
    assert answer.headers["content-type"] == "image/png"
    return Image.open(io.BytesIO(answer.raise_for_status().content))


def test_a_preview_shows_the_map_and_the_image_of_the_point(api: httpx.Client) -> None:
    with picture(api.get(PREVIEW, params={"z": "0.5,-1.2"})) as image:
        assert image.size == (1200, 630)
        pixels = np.asarray(image.convert("L"), float)
    decoded = api.get(f"models/{DEFAULT}/decode.png", params={"z": "0.5,-1.2", "size": 280})
    with Image.open(io.BytesIO(decoded.content)) as image:
        expected = np.asarray(image, float)
    shown = pixels[60:340, 690:970]
    assert np.abs(shown - expected).mean() < 12, "but for the 256 colours of the file"
    assert pixels[:, :630].std() > 8


def test_two_points_have_two_previews_and_one_is_not_sent_again(api: httpx.Client) -> None:
    first, second = (api.get(PREVIEW, params={"z": z}) for z in ("0.5,-1.2", "-1,1"))
    assert first.content != second.content
    again = api.get(
        PREVIEW, params={"z": "-1,1"}, headers={"if-none-match": second.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


def test_a_preview_needs_no_point(api: httpx.Client) -> None:
    with picture(api.get(PREVIEW)) as image:
        assert image.size == (1200, 630)


def test_a_preview_refuses_what_is_no_latent_or_no_plane(
    api: httpx.Client, refused: Refused
) -> None:
    refused(api.get(PREVIEW, params={"z": "1,2,3"}), 422)
    refused(api.get(PREVIEW, params={"plane": "nowhere"}), 404)


def test_the_page_names_the_preview_of_its_link(api: httpx.Client) -> None:
    home = str(api.base_url).removesuffix("api/v1/")
    page = httpx.get(f"{home}?z=0.5,-1.2&digits=3", trust_env=False).text
    found = re.search(r'property="og:image" content="([^"]+)"', page)
    assert found
    assert found[1] == f"{home}api/v1/models/{DEFAULT}/preview.png?z=0.5,-1.2"
    with picture(httpx.get(found[1], trust_env=False)) as image:
        assert image.size == (1200, 630)


def test_a_preview_has_the_colours_of_the_dark_page() -> None:
    sheet = (STATIC / "css" / "theme.css").read_text("utf-8").split("prefers-color-scheme: dark")[1]
    assert list(LABELS) == re.findall(r"--digit-\d: (#[0-9a-f]{6});", sheet)
