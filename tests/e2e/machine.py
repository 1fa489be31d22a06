"""The product as an operator runs it: processes of its own, spoken to over HTTP."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import requests

PATIENCE_S = 60
PROGRAM = [sys.executable, "-m", "bridge"]
_OURS = (
    *("DATABASE_URL", "SECRET_KEY", "PUBLIC_URL", "GRAPH_URL", "DYNO", "EMBED_WORKER", "PORT"),
    *("WEB_CONCURRENCY", "LOG_LEVEL", "GUNICORN_CMD_ARGS", "SECRET_KEY_FILE"),
)


def wait_until(condition: Callable[[], Any], why: str, patience_s: float = PATIENCE_S) -> Any:
    """Return what *condition* returns as soon as it is true."""
    ends = time.monotonic() + patience_s
    while time.monotonic() < ends:
        if found := condition():
            return found
        time.sleep(0.02)  # polling
    raise AssertionError(f"not within {patience_s} s: {why}")


def free_port() -> int:
    """Return a port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Machine:
    """One folder, one environment, and the processes started in it."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        inherited = {name: value for name, value in os.environ.items() if name not in _OURS}
        paths = {"PYTHONPATH": str(Path(__file__).parents[2]), "PORT": str(self.port)}
        self.environment = {**inherited, **paths, **environment}
        self.processes: list[subprocess.Popen[bytes]] = []
        folder.mkdir(exist_ok=True)

    @property
    def errors(self) -> Path:
        """The file with what all processes wrote to standard error."""
        return self.folder / "stderr.txt"

    def start(self, *command: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a command of the product, in a session of its own."""
        return self.popen([*PROGRAM, *command], **environment)

    def popen(self, command: list[str], **environment: str) -> subprocess.Popen[bytes]:
        """Start any command in the machine's folder and environment."""
        with self.errors.open("ab") as errors, (self.folder / "stdout.txt").open("ab") as output:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**self.environment, **environment},
                stdout=output,
                stderr=errors,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the product to its end."""
        return subprocess.run(
            [*PROGRAM, *command],
            cwd=self.folder,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def serve(self, **environment: str) -> subprocess.Popen[bytes]:
        """Start the server and return it when it answers; again if the port is not free yet."""
        process = self.start("serve", **environment)

        def answers() -> bool:
            nonlocal process
            if process.poll() is not None:
                process = self.start("serve", **environment)
            return self.status("/healthz") == 200

        wait_until(answers, "the server answers")
        return process

    def status(self, path: str) -> int:
        """Return the status of a page, 0 where nobody answers."""
        with contextlib.suppress(requests.RequestException):
            return requests.get(self.url + path, timeout=5).status_code
        return 0

    def close(self) -> None:
        """End every process that still runs, and its children."""
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def children(process: subprocess.Popen[bytes]) -> list[int]:
    """Return the process ids of *process*'s children: gunicorn's workers."""
    with contextlib.suppress(OSError):
        listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        return [int(one) for one in listed.split()]
    return []


def last_json(text: str) -> Any:
    """Return the JSON of the last line."""
    return json.loads(text.strip().splitlines()[-1])
