"""What docs/hosting.md points to: the devcontainer asks for what is there."""

import json
import subprocess

from app.settings import ROOT


def test_the_devcontainer_calls_make_with_targets_that_exist_and_forwards_their_port() -> None:
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    for name in ("onCreateCommand", "postAttachCommand"):
        command = [*container[name].split(), "--dry-run", "TORCH_INDEX="]
        said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    port = container["forwardPorts"][0]
    assert f"--port {port}" in said
    assert list(container["portsAttributes"]) == [str(port)]
