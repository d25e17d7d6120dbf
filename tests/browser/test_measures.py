"""What was measured of a model, and of another beside it."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.answers import Json, card_of, with_models
from tests.browser.conftest import Visitor
from tests.browser.explorer import Explorer

HERE = {"recognised": 0.9274, "holes": 3, "protocol": "10,000 draws"}
BESIDE = {"recognised": 0.412, "holes": 3, "protocol": "draws from the Gaussian of the codes"}


def set_completeness(cards: list[Json]) -> None:
    for model, block in (("mnist-vae-2d", HERE), ("mnist-ae-2d", BESIDE)):
        card_of(cards, model)["metrics"] = {"completeness": block}


@pytest.fixture(scope="module")
def pair(resident: Visitor) -> Explorer:
    """The measures of two models, of which each card holds a few."""
    return resident.open("?panel=measures", before=with_models(set_completeness))


def rows(explorer: Explorer) -> dict[str, list[str]]:
    """By title: this model's value, and the other's."""
    table = explorer.page.locator("#measures tbody tr:first-child")
    return {
        row.locator("[data-part=title]").inner_text(): row.locator("td").all_inner_texts()
        for row in table.all()
    }


def test_two_models_stand_side_by_side_and_the_better_value_is_marked(pair: Explorer) -> None:
    table = {m["key"]: m for m in asked(pair, "measures")["measures"]}
    recognised, holes = (table[f"completeness.{key}"]["title"] for key in ("recognised", "holes"))
    assert rows(pair) == {recognised: ["92.7 %", "41.2 %"], holes: ["3", "3"]}
    expect(pair.page.locator("#measures .better")).to_have_text(["92.7 %"])
    lines = pair.page.locator("#measures .about").all_inner_texts()
    for line, key in zip(lines, ("recognised", "holes"), strict=True):
        measure = table[f"completeness.{key}"]
        assert line.startswith(measure["about"])
        assert f"{measure['better'].capitalize()} is better." in line


def test_what_a_card_lacks_is_left_out_and_never_printed_as_nothing(visitor: Visitor) -> None:
    def leave_one(cards: list[Json]) -> None:
        block = {"recognised": None, "holes": 3}
        card_of(cards, "mnist-vae-2d")["metrics"] = {"completeness": block, "samples": None}
        card_of(cards, "mnist-ae-2d")["metrics"] = {}

    explorer = visitor.open("?panel=measures", before=with_models(leave_one))
    assert list(rows(explorer).values()) == [["3", "–"]]
    for nothing in ("null", "NaN", "undefined"):
        expect(explorer.page.locator("#panel-measures")).not_to_contain_text(nothing)


def test_models_of_other_pixels_are_not_called_better_or_worse(visitor: Visitor) -> None:
    def set_elbo(cards: list[Json]) -> None:
        for model, elbo in (("mnist-vae-2d", -128.0), ("mnist-vae-2d-gaussian", 177.0)):
            card_of(cards, model)["metrics"] = {"grey": {"elbo": elbo}}

    address = "?panel=measures&beside=mnist-vae-2d-gaussian"
    explorer = visitor.open(address, before=with_models(set_elbo))
    assert list(rows(explorer).values()) == [["−128.00", "177.00"]]
    expect(explorer.page.locator("#measures .better")).to_have_count(0)
    expect(explorer.page.locator("#measures")).to_contain_text("do not compare")


def asked(explorer: Explorer, path: str) -> Json:
    answer: Json = explorer.page.request.get(f"{explorer.home}/api/v1/{path}").json()
    return answer


def test_the_protocol_of_both_is_there_for_who_asks(pair: Explorer) -> None:
    protocol = pair.page.locator("#measures details")
    expect(protocol.locator("p").first).to_be_hidden()
    protocol.locator("summary").click()
    expect(protocol).to_contain_text(str(HERE["protocol"]))
    expect(protocol).to_contain_text(str(BESIDE["protocol"]))


def test_another_model_or_none_can_be_set_beside_and_the_address_keeps_it(pair: Explorer) -> None:
    select = pair.page.locator("#reference-model")
    expect(select).to_have_value("mnist-ae-2d")
    select.select_option(label="nothing")
    assert [other for _, other in rows(pair).values()] == ["", ""]
    select.select_option("mnist-vae-20d")
    assert [other for _, other in rows(pair).values()] != ["41.2 %", "3"]
    pair.wait_until("() => location.search.includes('beside=mnist-vae-20d')")


def test_a_server_without_a_table_of_measures_leaves_the_page_whole(visitor: Visitor) -> None:
    def refuse(page: Page) -> None:
        page.route("**/api/v1/measures", lambda route: route.fulfill(status=404))

    explorer = visitor.open("?panel=measures", before=refuse)
    expect(explorer.page.locator("#no-measures")).to_be_visible()
    visitor.forgive("404")
