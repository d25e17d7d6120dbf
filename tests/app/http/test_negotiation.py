import pytest

from app.errors import NotAcceptable
from app.http.negotiation import choose

OFFERED = ("application/json", "image/png", "image/gif")


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("image/png", "image/png"),
        ("IMAGE/PNG", "image/png"),
        ("image/*", "image/png"),
        ("image/gif, image/png;q=0.9", "image/gif"),
        ("image/png;q=0.4, image/gif;q=0.5", "image/gif"),
        ("text/html, */*;q=0.1", "application/json"),
        ("image/*, image/png;q=0", "image/gif"),
        ("*/*;q=0.1, application/json;q=0", "image/png"),
        ("application/json;charset=utf-8;q=0.2, image/png;q=0.3", "image/png"),
        ("image/png;q=nonsense, image/gif", "image/gif"),
        ("image/png; q = 1.5, image/gif", "image/gif"),
        (" , image/gif,", "image/gif"),
    ],
)
def test_the_form_that_a_client_wants_most_is_chosen(accept: str | None, chosen: str) -> None:
    assert choose(accept, OFFERED) == chosen


@pytest.mark.parametrize("accept", ["text/html", "*/*;q=0", "image/png;q=0, video/*", ";;;"])
def test_a_client_that_wants_none_of_the_forms_is_refused_with_those_there_are(accept: str) -> None:
    with pytest.raises(NotAcceptable, match="application/json, image/png, image/gif"):
        choose(accept, OFFERED)
