from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.settings import Settings, SettingsError, unknown_variables, variable


def test_with_nothing_set_everything_has_its_default() -> None:
    assert Settings.read({}) == Settings()


def test_a_flag_goes_before_the_environment_and_the_environment_before_the_default() -> None:
    environment = {"EXPLORER_PORT": "9000", "EXPLORER_HOST": "0.0.0.0", "PORT": "1"}
    settings = Settings.read(environment, port="9001", workers=None)
    assert (settings.host, settings.port, settings.workers) == ("0.0.0.0", 9001, 1)


def test_each_kind_of_value_is_read() -> None:
    settings = Settings.read(
        {
            "EXPLORER_CHECKPOINTS": "/models",
            "EXPLORER_MODELS": "mnist-vae-2d, mnist-ae-2d,",
            "EXPLORER_REQUEST_TIMEOUT_SECONDS": " 2.5 ",
        }
    )
    assert settings.checkpoints == Path("/models")
    assert settings.models == ("mnist-vae-2d", "mnist-ae-2d")
    assert settings.request_timeout_seconds == 2.5


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("port", "80a", "it must be a whole number"),
        ("port", "70000", "a port lies in 0..65535"),
        ("workers", "0", "at least 1 process"),
        ("max_body_bytes", "0", "at least 1"),
        ("max_bodies_bytes", "0", "at least 1"),
        ("max_connections", "-5", "at least 1"),
        ("max_queue", "1.5", "a whole number"),
        ("model_memory_bytes", "0", "at least 1"),
        ("model_memory_bytes", "256MB", "a whole number"),
        ("request_timeout_seconds", "soon", "a number"),
        ("request_timeout_seconds", "nan", "above 0"),
        ("request_timeout_seconds", "inf", "finite"),
        ("root_path", "explorer", "starts with a slash"),
        ("root_path", "/explorer/", "does not end with one"),
        ("log_format", "xml", "text or json"),
        ("log_level", "loud", "debug, info, warning or error"),
        ("metrics", "yes", "on or off"),
        ("drain_seconds", "-1", "at least 0"),
        ("drain_seconds", "nan", "at least 0"),
        ("allowed_hosts", "a.*.org", r"\*.example.org"),
        ("allowed_origins", "example.org", "https://example.org"),
        ("cors_origins", "https://example.org/", "no path"),
    ],
)
def test_a_bad_value_is_refused_with_its_name_and_what_is_allowed(
    name: str, value: str, says: str
) -> None:
    with pytest.raises(SettingsError, match=says) as refusal:
        Settings.read({variable(name): value})
    assert str(refusal.value).startswith(variable(name))
    assert value in str(refusal.value)


@given(
    port=st.integers(0, 65535),
    models=st.lists(st.from_regex("[a-z0-9-]+", fullmatch=True), max_size=3),
    timeout=st.floats(0.001, 1e6),
)
def test_a_worker_reads_the_same_settings_back_from_the_environment(
    port: int, models: list[str], timeout: float
) -> None:
    settings = Settings(port=port, models=tuple(models), request_timeout_seconds=timeout)
    assert Settings.read(settings.as_environment()) == settings


def test_a_misspelt_variable_is_named_with_what_was_meant() -> None:
    (sentence,) = unknown_variables({"EXPLORER_PROT": "1", "EXPLORER_HOST": "x", "PATH": "y"})
    assert sentence == "EXPLORER_PROT is not a setting; did you mean EXPLORER_PORT?"


def test_every_setting_says_what_it_does() -> None:
    assert all(setting.metadata["meaning"] for setting in fields(Settings))
