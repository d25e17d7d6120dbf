"""Ours on Ray Serve, as docs/scaling.md says: not a peer, but what its proxies add to a request."""

import logging
import signal
import sys
import tempfile

import ray
from ray import serve

from deploy.ray.serve_app import Scale, explorer

if __name__ == "__main__":
    folder = tempfile.gettempdir()
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        _temp_dir=folder,
        _plasma_directory=folder,
    )
    serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[1])})
    serve.run(explorer(Scale(least=1, most=1)), name="explorer", route_prefix="/")
    signal.pause()
