from typing import Any

import httpx

from model.engine import MEASURES


def at(metrics: Any, key: str) -> Any:
    """Return the value under a key such as `samples.floor.fid`; None if there is none."""
    for name in key.split("."):
        metrics = (metrics or {}).get(name)
    return metrics


def test_the_measures_are_those_of_the_table_in_its_order(api: httpx.Client) -> None:
    answer = api.get("measures").json()
    assert list(answer) == ["measures"]
    assert answer["measures"] == [
        {
            "key": measure.key,
            "title": measure.title,
            "unit": measure.unit,
            "digits": measure.digits,
            "better": measure.better,
            "about": measure.about,
        }
        for measure in MEASURES
    ]


def test_every_measure_has_one_line_for_a_learner(api: httpx.Client) -> None:
    measures = api.get("measures").json()["measures"]
    assert len({measure["key"] for measure in measures}) == len(measures)
    for measure in measures:
        assert measure["title"]
        assert measure["about"].endswith(".")
        assert "\n" not in measure["about"]
        assert measure["better"] in ("higher", "lower", None)
        assert 0 <= measure["digits"] <= 6


def test_a_card_holds_a_number_or_nothing_under_the_key_of_a_measure(
    api: httpx.Client,
) -> None:
    keys = [measure["key"] for measure in api.get("measures").json()["measures"]]
    cards = api.get("models").json()["models"]
    found = [at(card["metrics"], key) for card in cards for key in keys]
    assert all(value is None or isinstance(value, int | float) for value in found)
    assert any(value is not None for value in found)
