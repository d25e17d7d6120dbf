"""Several processes on one port, by uvicorn's supervisor: which are replaced, and how they end.

SIGHUP replaces them one by one, each only once its successor serves; the port is open all along. A
worker that dies is replaced. uvicorn's own supervisor does this; what it leaves out is here.
"""

import signal
import socket
from threading import Thread
from types import FrameType

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess, multiprocess

LAST_WORDS_SECONDS = 5
"""How long a worker may take to end after it fell silent; then it is killed."""


def serve(config: uvicorn.Config) -> int:
    """Serve with as many workers as `config` says until told to stop; give the exit status."""
    workers = Workers(config, [config.bind_socket()])
    workers.run()
    failed = any(process.exitcode == STARTUP_FAILURE for process in workers.processes)
    return STARTUP_FAILURE if failed else 0


class WorkerProcess(multiprocess.Process):
    """A worker whose end is noticed at once, also while it is asked whether it lives.

    uvicorn keeps the worker's end of the pipe open in the parent as well, where it waits in vain
    for an answer, a minute long, if the worker ends just then: as one does that cannot start.
    """

    def start(self) -> None:
        super().start()
        self.child_conn.close()

    def is_alive(self, timeout: float = 5) -> bool:
        if super().is_alive(timeout):
            return True
        self.process.join(LAST_WORDS_SECONDS)  # for its own exit status, not that of a kill
        return False


multiprocess.Process = WorkerProcess  # type: ignore[misc]


class Workers(Multiprocess):
    """Stops when it is told to, also in the midst of a rolling restart, its port first."""

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket]) -> None:
        super().__init__(config, sockets)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)

    def terminate_all(self) -> None:
        """End the workers; the port is theirs alone, for nobody shall queue where none serves."""
        for listener in self.sockets:
            listener.close()
        super().terminate_all()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        # From another thread: this one may hold the event's lock just now.
        Thread(target=self.should_exit.set).start()
