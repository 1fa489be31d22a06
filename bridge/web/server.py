"""gunicorn's settings and hooks, for `capi-bridge serve` and for gunicorn.conf.py."""

import logging
import os
import signal
import sys
from functools import partial
from typing import Any

from bridge import logs
from bridge.config import Config
from bridge.events import BridgeError

from .deadline import STOPS

log = logging.getLogger(__name__)


def settings(config: Config) -> dict[str, Any]:
    """Return gunicorn's settings; hooks included."""
    return {
        "bind": f"[::]:{config.port}" if _has_ipv6() else f"0.0.0.0:{config.port}",
        "worker_class": "bridge.web.deadline.DeadlineWorker",
        "workers": config.web_concurrency,
        "threads": 32,
        "timeout": 30,
        "graceful_timeout": 25,
        "keepalive": 95,  # longer than the 90 seconds of Heroku's router
        "preload_app": True,
        "control_socket_disable": True,
        "worker_tmp_dir": "/dev/shm" if os.path.isdir("/dev/shm") else None,  # noqa: S108, PTH112
        "limit_request_fields": 100,
        "limit_request_field_size": 16_380,  # a long wrong signature is a wrong one: 401
        "loglevel": config.log_level.lower(),
        "accesslog": None,  # one line of ours a batch says more, and holds no address
        # Heroku switches it on all the same; paths hold keys, and queries anything.
        "access_log_format": "%(m)s %(s)s %(B)s %(M)s",
        "on_starting": on_starting,
        "pre_fork": pre_fork,
        "post_fork": post_fork,
        "post_worker_init": post_worker_init,
        "worker_exit": worker_exit,
    }


def on_starting(server: Any) -> None:
    """Migrate before anything is forked, then let the children open their own connections."""
    server.handle_int = server.handle_term  # gunicorn would break off what is under way
    application = server.app.wsgi()
    logs.configure(application.config.log_level)
    try:
        application.store.migrate()
    except BridgeError as error:
        sys.exit(f"Error: DATABASE_URL: {error}")
    application.store.close()
    release = partial(signal.pthread_sigmask, signal.SIG_UNBLOCK, STOPS)
    os.register_at_fork(after_in_parent=release)


def pre_fork(server: Any, worker: Any) -> None:
    """Hold signals back until the child can take them.

    Before it has its own signal functions, a child has the master's and forgets what it is
    told; the master tells it once, and kills it 25 seconds later (gunicorn 27.0.1, arbiter.py
    `stop`, read 2026-11-29).
    """
    del server, worker
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)


def post_fork(server: Any, worker: Any) -> None:
    """Give the child its own connections."""
    del server
    worker.app.wsgi().store.database.after_fork()


def post_worker_init(worker: Any) -> None:
    """Start the embedded worker in the child that serves."""
    logs.configure(worker.app.wsgi().config.log_level)
    worker.app.wsgi().start_worker()


def worker_exit(server: Any, worker: Any) -> None:
    """Finish what the embedded worker has under way."""
    del server
    worker.app.wsgi().stop_worker()


def _has_ipv6() -> bool:
    import socket

    if not socket.has_ipv6:
        return False
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::", 0))
    except OSError:
        return False
    return True
