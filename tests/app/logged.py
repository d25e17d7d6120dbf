"""What was logged, but for requests: the server that tests share logs those a moment later."""

import pytest


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged in the test at hand, without the access log."""
    own = [record for record in caplog.records if record.name != "explorer.request"]
    return [record.getMessage() for record in own]
