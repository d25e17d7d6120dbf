"""A model without a plane: no map, but its images are encoded and read back."""

import base64
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.browser.explorer import Explorer

MODEL = "mnist-vqvae"
PHONE = {"width": 390, "height": 844}
TABLET = {"width": 768, "height": 1024}
DESKTOP = {"width": 1440, "height": 900}


def open_words(visitor: Visitor, viewport: dict[str, int] = DESKTOP) -> Explorer:
    explorer = visitor.open("?z=0.5,-0.5", viewport=viewport)
    explorer.choose(MODEL)
    expect(explorer.page.locator("#codebook")).to_be_visible()
    expect(explorer.page.locator("#codebook td")).to_have_count(49)
    return explorer


@pytest.mark.parametrize("viewport", [PHONE, TABLET, DESKTOP], ids=["phone", "tablet", "desktop"])
def test_a_model_without_a_plane_shows_its_entries_in_the_place_of_the_map(
    visitor: Visitor, viewport: dict[str, int]
) -> None:
    explorer = open_words(visitor, viewport)
    image = explorer.page.request.get(f"{explorer.home}/api/v1/datasets/mnist/images/0.png").body()
    answer = explorer.ask("POST", "/encode", files={"file": image}).json()
    entries = [entry for row in answer["items"][0]["indices"] for entry in row]
    cells = explorer.page.locator("#codebook td").all_text_contents()
    assert [int(cell) for cell in cells] == entries
    said = f"{len(set(entries))} different entries in 49 places"
    expect(explorer.page.locator("#codebook")).to_contain_text(said)
    for part in ("table", "[data-part=input]", "[data-part=output]"):
        expect(explorer.page.locator(f"#codebook {part}")).to_be_in_viewport(ratio=1)
    for gone in ("#ring", "#legend", "#tab-point", "#tab-path", "#go-there"):
        expect(explorer.page.locator(gone)).to_be_hidden()
    found = Axe().run(explorer.page)
    assert found.violations_count == 0, found.generate_report()


def test_a_test_image_is_there_at_once_and_a_file_of_ones_own_takes_its_place(
    visitor: Visitor, tmp_path: Path
) -> None:
    explorer = open_words(visitor)
    shown = explorer.page.locator("#encoded-input")
    first = shown.get_attribute("src") or ""
    address = f"{explorer.home}/api/v1/datasets/mnist/images/0.png"
    expect_same_image(explorer, first, explorer.page.request.get(address).body())
    seven = explorer.page.request.get(address.replace("/0.png", "/7.png")).body()
    (tmp_path / "seven.png").write_bytes(seven)
    explorer.page.locator("#image-file").set_input_files(tmp_path / "seven.png")
    expect(shown).not_to_have_attribute("src", first)
    expect_same_image(explorer, shown.get_attribute("src") or "", seven)


def expect_same_image(explorer: Explorer, address: str, content: bytes) -> None:
    same = """async (addresses) => {
        const [one, other] = await Promise.all(addresses.map(async (address) => {
            const image = new Image();
            image.src = address;
            await image.decode();
            const context = new OffscreenCanvas(28, 28).getContext('2d');
            context.drawImage(image, 0, 0, 28, 28);
            return context.getImageData(0, 0, 28, 28).data.join();
        }));
        return one === other;
    }"""
    wanted = "data:image/png;base64," + base64.b64encode(content).decode()
    assert explorer.page.evaluate(same, [address, wanted])


def test_the_map_comes_back_with_the_point_where_it_was(visitor: Visitor) -> None:
    explorer = open_words(visitor)
    with explorer.page.expect_websocket():
        explorer.choose("mnist-vae-2d")
    expect(explorer.page.locator("#codebook")).to_be_hidden()
    explorer.expect_image_of([0.5, -0.5])
    place = explorer.away()
    explorer.page.mouse.click(*place)
    explorer.expect_image_of(explorer.latent_at(*place))
