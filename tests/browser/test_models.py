"""Choosing among the models: each shows its own plane, and dragging moves in that plane."""

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visitor


def test_the_list_offers_every_model_of_the_server(visitor: Visitor) -> None:
    explorer = visitor.open()
    options = explorer.page.locator("#model-list [role=option]")
    names = [option.get_attribute("data-model") for option in options.all()]
    cards = explorer.page.request.get(f"{explorer.home}/api/v1/models").json()["models"]
    assert names == [card["id"] for card in cards]
    assert "mnist-vae-2d" in names


def test_models_of_all_kinds_can_be_chosen_and_dragged_in_their_planes(visitor: Visitor) -> None:
    explorer = visitor.open()
    for name in ("mnist-ae-2d", "fashion-vae-2d", "mnist-vae-20d"):
        with explorer.page.expect_websocket():  # its stream opens once its map is there
            explorer.choose(name)
        place = explorer.away()
        explorer.page.mouse.click(*place)
        explorer.expect_image_of(explorer.latent_at(*place))


def test_the_20_d_model_names_its_axes_and_shows_all_twenty_numbers(visitor: Visitor) -> None:
    explorer = visitor.open("?model=mnist-vae-20d")
    expect(explorer.page.locator("#readout dt")).to_have_text(["axis 1", "axis 2"])
    bars = explorer.page.locator("#latent-bars")
    expect(bars).to_be_visible()
    expect(bars.locator("i")).to_have_count(20)
    assert len(explorer.latent) == 20


def test_the_list_is_gone_through_and_chosen_from_by_the_keyboard_alone(visitor: Visitor) -> None:
    explorer = visitor.open("?z=0.5,-0.5")
    press, page = explorer.page.keyboard.press, explorer.page
    page.locator("#choose-model").focus()
    press("Enter")
    expect(page.locator("#model-list")).to_be_visible()
    focused = page.locator("#model-list [role=option]:focus")
    expect(focused).to_have_attribute("data-model", "mnist-vae-2d")
    expect(focused).to_have_attribute("aria-selected", "true")
    press("End")
    press("ArrowDown")
    expect(focused).to_have_attribute("data-model", last_option(explorer.page))
    press("Home")
    page.keyboard.type("plain")
    expect(focused).to_have_attribute("data-model", "mnist-ae-2d")
    press("Escape")
    expect(page.locator("#model-list")).to_be_hidden()
    assert explorer.model == "mnist-vae-2d"
    expect(page.locator("#choose-model")).to_be_focused()
    press("Enter")
    expect(focused).to_have_attribute("data-model", "mnist-vae-2d")
    page.keyboard.type("plain")
    expect(focused).to_have_attribute("data-model", "mnist-ae-2d")
    press("Enter")
    expect(page.locator("#model-list")).to_be_hidden()
    assert explorer.model == "mnist-ae-2d"


def last_option(page: Page) -> str:
    return page.locator("#model-list [role=option]").last.get_attribute("data-model") or ""


def test_the_point_stays_where_it_is_when_the_other_model_has_it_in_sight(visitor: Visitor) -> None:
    explorer = visitor.open("?model=mnist-ae-2d&z=0.5,-0.5")
    with explorer.page.expect_websocket():
        explorer.choose("mnist-vae-2d")  # whose map holds all within three sigma
    explorer.expect_image_of([0.5, -0.5])


def test_a_server_that_makes_room_is_waited_for_and_the_old_map_goes_on(visitor: Visitor) -> None:
    explorer = visitor.open("?z=0.5,-0.5")
    refusals = 2

    def refuse(route: Route) -> None:
        nonlocal refusals
        refusals -= 1
        if refusals < 0:
            return route.continue_()
        return route.fulfill(status=503, headers={"Retry-After": "1"}, json={"detail": "full"})

    explorer.page.route("**/mnist-ae-2d/planes", refuse)
    explorer.choose("mnist-ae-2d")
    expect(explorer.page.locator("#model-status")).to_contain_text(
        "The server is busy; trying again"
    )
    expect(explorer.page.locator("#notice")).to_be_hidden()
    expect(explorer.page.locator("#model-status")).to_have_text("")
    explorer.expect_image_of(explorer.latent)
    assert refusals < 0
    visitor.forgive("503")


def test_a_model_that_cannot_be_loaded_says_why_and_gives_back_the_last_one(
    visitor: Visitor,
) -> None:
    explorer = visitor.open("?z=0.5,-0.5")
    problem = {"detail": "The weights of this model are damaged."}
    explorer.page.route("**/mnist-ae-2d/planes", lambda r: r.fulfill(status=500, json=problem))
    explorer.choose("mnist-ae-2d")
    notice = explorer.page.locator("#notice")
    expect(notice).to_contain_text(problem["detail"])
    notice.get_by_role("button", name="Keep the last one").click()
    expect(notice).to_be_hidden()
    assert explorer.model == "mnist-vae-2d"
    place = explorer.away()
    explorer.page.mouse.click(*place)
    explorer.expect_image_of(explorer.latent_at(*place))
    visitor.forgive("500")
