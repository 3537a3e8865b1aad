"""The web server around the app: Granian's workers, forked from a process that has opened the index.

What is opened before the fork is shared by all workers: the arrays are mapped files, and Python's objects stay in
common pages as long as nobody writes to them. Each worker runs one thread of Python, for several would take turns at
the interpreter's lock (a third of the searches a second, docs/performance.md); Granian's own threads, in Rust, read and
write, so that a slow client holds up nobody.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import random
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from tempfile import TemporaryDirectory

from flask import Flask

#: Room for a pasted question of some thousand characters, nine bytes each in an address; it is cut, not refused.
MAX_HEADER_BYTES = 128 * 1024
#: a client that takes longer to send its request's head is given up
HEADER_TIMEOUT_S = 15
#: when a stop is asked for, so long may requests go on that are being answered
STOP_TIMEOUT_S = 10
#: how often each worker looks whether another generation is to be served
FOLLOW_S = 0.5
#: how often each worker counts the days of the query log, and purges what is too old
LOG_EVERY_S = 15 * 60
#: how often each worker looks whether the served generation wants vectors, and at once when it is another one
VECTORS_EVERY_S = 60
#: how often it is tried whether the first worker listens
POLL_S = 0.02

Loader = Callable[..., Callable[..., object]]


def check_port(host: str, port: int) -> None:
    """Raises OSError when the port cannot be had."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)


def serve(make_app: Callable[[], Flask], host: str, port: int, workers: int, started: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is being answered. Ends the process with status 1 when workers
    die again and again.

    `make_app` is called once, before workers are forked; `started` when clients may connect. `workers` 0: one a core.
    """
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.server import MPServer

    class Server(MPServer):
        """Tells when it can be reached, which is when the first worker has begun to listen."""

        def startup(self, spawn_target: object, target_loader: object) -> None:
            super().startup(spawn_target, target_loader)  # type: ignore[no-untyped-call]
            while not self.main_loop_interrupt.is_set() and not _answers(host, port):
                time.sleep(POLL_S)
            started()

    multiprocessing.set_start_method("fork", force=True)
    with TemporaryDirectory(prefix="yiwen-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder  # read when metrics are made
        app = make_app()
        server = Server(
            "webapp",
            address=host,
            port=port,
            interface=Interfaces.WSGI,
            workers=workers or os.cpu_count() or 1,
            blocking_threads=1,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(
                header_read_timeout=HEADER_TIMEOUT_S * 1000, max_buffer_size=MAX_HEADER_BYTES, keep_alive=True
            ),
            websockets=False,
            respawn_failed_workers=True,
            workers_kill_timeout=STOP_TIMEOUT_S,
            log_enabled=False,
        )
        # The collector would write to every object it looks at, and so copy the pages that workers share.
        gc.collect()
        gc.freeze()
        server.serve(target_loader=worker_loader(app), wrap_loader=False)


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def worker_loader(app: Flask) -> Loader:
    """What each worker calls for its app once it has been forked."""

    def load() -> Callable[..., object]:
        follower = threading.Thread(target=follow, args=(app, os.getppid()), name="follow", daemon=True)
        follower.start()
        return app

    return load


def follow(app: Flask, parent: int) -> None:
    """Open another generation as soon as it is to be served, so that no search waits for it, have its vectors made
    where they are wanted, and look after the query log. A worker whose parent has died ends, or its port would never be
    free again.
    """
    from indexer import start_when_wanted
    from indexer.errors import IndexerError
    from webapp.services import Services

    held: Services = app.extensions["yiwen"]
    looked_after = time.monotonic() - random.uniform(0, LOG_EVERY_S)  # workers take turns
    vectors_of, vectors_at = "", time.monotonic()
    while os.getppid() == parent:
        with suppress(IndexerError):  # pages tell of it
            engine = held.engine.get()
            engine.warm()
            engine.look_after_meaning()
            served = engine.generation
            if served != vectors_of or time.monotonic() - vectors_at >= VECTORS_EVERY_S:
                vectors_of, vectors_at = served, time.monotonic()
                start_when_wanted(held.data_dir, held.settings)  # it raises nothing
        if time.monotonic() - looked_after >= LOG_EVERY_S:
            looked_after = time.monotonic()
            with suppress(IndexerError):  # the analysts' pages and `yiwen doctor` tell of it
                settings = held.settings
                now = datetime.now(UTC)
                held.query_log.look_after(now, settings.log_min_sessions, settings.log_retention_days)
        time.sleep(FOLLOW_S)
    os._exit(1)
