"""An entry for jupyter-server-proxy: `jupyter lab --config` and the path of this file.

It starts the explorer when somebody first opens /explorer/ on the notebook server, for that user
alone. The packages of the group `serve` are those of the notebook server's own Python.
"""

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

# Jupyter puts `get_config` there.
c: Any = get_config()  # type: ignore[name-defined]
c.ServerProxy.servers = {
    "explorer": {
        "command": [sys.executable, "-m", "app", "--port", "{port}"],
        "environment": {"PYTHONPATH": str(ROOT)},
        "timeout": 60,
        "launcher_entry": {"title": "Latent Explorer"},
    }
}
