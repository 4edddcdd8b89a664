"""A Superset of its own in a temporary folder, on a free port of this machine only, and its REST API."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
BIN = ROOT / ".venv-superset" / "bin"
DASHBOARD = ROOT / "examples" / "superset"
PLACEHOLDER = "duckdb:////path/to/bi/energy.duckdb"
PASSWORD = "for this run only"

# The one setting that a user needs is the last; docs and examples/superset/README.md tell of it.
CONFIG = """
import os
SECRET_KEY = os.environ["SUPERSET_TEST_KEY"]
SQLALCHEMY_DATABASE_URI = "sqlite:///" + os.path.join(os.environ["SUPERSET_HOME"], "superset.db")
WTF_CSRF_ENABLED = False
TALISMAN_ENABLED = False
PREVENT_UNSAFE_DB_CONNECTIONS = False
"""


@dataclass
class Superset:
    """The API of a running Superset; `ask` returns the status, too, as a test wants to see it."""

    url: str
    token: str = ""

    def ask(self, method: str, path: str, body: Any = None, form: bytes = b"", kind: str = "") -> tuple[int, Any]:
        data = form or (None if body is None else json.dumps(body).encode())
        headers = {"Content-Type": kind or "application/json", "Referer": self.url}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(f"{self.url}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.read().decode(errors="replace")

    def get(self, path: str) -> Any:
        status, answer = self.ask("GET", path)
        assert status == 200, answer
        return answer

    def log_in(self) -> None:
        who = {"username": "admin", "password": PASSWORD, "provider": "db", "refresh": False}
        status, answer = self.ask("POST", "/api/v1/security/login", who)
        assert status == 200, answer
        self.token = answer["access_token"]

    def import_dashboard(self, packed: bytes) -> None:
        edge = secrets.token_hex(16)
        head = 'Content-Disposition: form-data; name="formData"; filename="energy.zip"\r\nContent-Type: application/zip'
        form = f"--{edge}\r\n{head}\r\n\r\n".encode() + packed + f"\r\n--{edge}--\r\n".encode()
        status, answer = self.ask(
            "POST", "/api/v1/dashboard/import/", form=form, kind=f"multipart/form-data; boundary={edge}"
        )
        assert status == 200, answer


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run(step: list[str], environment: Mapping[str, str], log: Path) -> None:
    with log.open("ab") as out:
        done = subprocess.run(
            [BIN / "superset", *step], check=False, env=environment, stdout=out, stderr=out, timeout=240
        )
    assert done.returncode == 0, f"superset {step[0]} failed:\n{log.read_text(errors='replace')[-4000:]}"


def _wait_until_it_answers(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    raise AssertionError(f"Superset does not answer:\n{log.read_text(errors='replace')[-4000:]}")


@contextmanager
def running(folder: Path) -> Iterator[Superset]:
    """Set up a Superset in the folder, as its users do, and run it; nothing of it is left running."""
    (folder / "superset_config.py").write_text(CONFIG, encoding="utf-8")
    log = folder / "superset.log"
    environment = {
        **os.environ,
        "SUPERSET_HOME": str(folder),
        "SUPERSET_CONFIG_PATH": str(folder / "superset_config.py"),
        "SUPERSET_TEST_KEY": secrets.token_urlsafe(42),
        "SCARF_ANALYTICS": "false",
        "FLASK_APP": "superset",
    }
    names = ["--username", "admin", "--firstname", "A", "--lastname", "B", "--email", "admin@localhost"]
    _run(["db", "upgrade"], environment, log)
    _run(["fab", "create-admin", *names, "--password", PASSWORD], environment, log)
    _run(["init"], environment, log)
    port = _free_port()
    command = [BIN / "superset", "run", "--host", "127.0.0.1", "--port", str(port), "--with-threads"]
    with log.open("ab") as out:
        server = subprocess.Popen(command, env=environment, stdout=out, stderr=out, start_new_session=True)
    try:
        superset = Superset(f"http://127.0.0.1:{port}")
        _wait_until_it_answers(superset.url, server, log)
        superset.log_in()
        yield superset
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait(timeout=20)
