"""The page of the API: it works under the server's own policy, and its calls are answered."""

from playwright.sync_api import expect

from tests.browser.conftest import Visitor


def test_the_page_of_the_api_shows_every_operation_and_tries_one_with_its_examples(
    visitor: Visitor,
) -> None:
    page = visitor.page()
    page.goto(f"{visitor.home}/docs#/decode/decode")
    paths = page.request.get(f"{visitor.home}/openapi.json").json()["paths"].values()
    expect(page.locator(".opblock")).to_have_count(sum(map(len, paths)))
    call = page.locator("#operations-decode-decode")
    call.get_by_role("button", name="Try it out").click()
    call.get_by_placeholder("model").fill("mnist-vae-2d")
    call.get_by_role("button", name="Execute").click()
    status = call.locator(".live-responses-table .response-col_status").last
    expect(status).to_contain_text("200")
    expect(call.locator(".live-responses-table")).to_contain_text('"width": 28')
