"""Our own app on Granian, whose HTTP and event loop are in Rust: is it a better host than uvicorn?

Source: github.com/emmett-framework/granian, "Options". One worker, one thread, no access log.
"""

import sys

from granian import Granian
from granian.constants import Interfaces, Loops

if __name__ == "__main__":
    Granian(
        "app.main:create_app",
        factory=True,
        address="127.0.0.1",
        port=int(sys.argv[1]),
        interface=Interfaces.ASGI,
        loop=Loops.uvloop,
        workers=1,
        log_access=False,
    ).serve()
