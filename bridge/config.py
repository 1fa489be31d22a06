"""Where it runs: the environment, read once.  A wrong value stops the start by name."""

import contextlib
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

from bridge.events import ConfigError, Endpoint

Value = TypeVar("Value")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, kw_only=True)
class Config:
    """The environment as values; `repr` shows no secret.

    `retention_raw` counts from translation, `retention_dead` from receipt, `retention_payload`
    from an event's final state, `retention_trace` from an event's or delivery's arrival.
    `trusted_proxies` is the exact number of proxies in front.
    """

    database_url: str
    secret_key: str
    secret_key_previous: tuple[str, ...]
    setup_token: str
    public_url: str
    graph_url: str
    graph_version: str
    embed_worker: bool
    log_level: str
    port: int
    web_concurrency: int
    trusted_proxies: int
    metrics_token: str
    allow_private_shops: bool
    alert_email: str
    smtp_url: str
    alert_webhook: str
    retention_raw: timedelta
    retention_dead: timedelta
    retention_payload: timedelta
    retention_trace: timedelta

    def __repr__(self) -> str:
        """Name the engine only: URLs of databases hold passwords."""
        return f"Config({self.database_url.split(':', 1)[0]}, port={self.port})"

    @property
    def endpoint(self) -> Endpoint:
        """Where the Graph API is."""
        return Endpoint(url=self.graph_url, version=self.graph_version)

    @property
    def base_url(self) -> str:
        """The public address, or the local one where none is set."""
        return self.public_url or f"http://127.0.0.1:{self.port}"


def load(environ: Mapping[str, str] | None = None) -> Config:
    """Return the configuration; raises ConfigError with one sentence that names a variable."""
    read = _Reader(os.environ if environ is None else environ)
    database_url = read("DATABASE_URL", _database_url, "sqlite:///data/bridge.db")
    ephemeral = bool(read.text("DYNO")) and database_url.startswith("sqlite")
    if ephemeral:
        raise ConfigError(
            "DATABASE_URL: SQLite would lose every order at the next restart of this dyno;"
            " add a PostgreSQL database"
        )
    secret_key = read("SECRET_KEY", _secret_key, "")
    return Config(
        database_url=database_url,
        secret_key=secret_key or _generated_key(database_url),
        secret_key_previous=read("SECRET_KEY_PREVIOUS", _secret_keys, ""),
        setup_token=read.text("SETUP_TOKEN"),
        public_url=read("PUBLIC_URL", _base_url, _platform_url(read)),
        graph_url=read("GRAPH_URL", _base_url, "https://graph.facebook.com"),
        graph_version=read("GRAPH_VERSION", _version, "v26.0"),
        embed_worker=read("EMBED_WORKER", _switch, "1"),
        log_level=read("LOG_LEVEL", _level, "INFO"),
        port=read("PORT", _whole(0, 65535), "8080"),
        web_concurrency=read("WEB_CONCURRENCY", _whole(1, 64), "2"),
        trusted_proxies=read("TRUSTED_PROXIES", _whole(0, 10), str(int(_behind_router(read)))),
        metrics_token=read.text("METRICS_TOKEN"),
        alert_email=read("ALERT_EMAIL", _address, ""),
        smtp_url=read("SMTP_URL", _smtp_url, "smtp://localhost:25"),
        alert_webhook=read("ALERT_WEBHOOK", _web_url, ""),
        allow_private_shops=read("ALLOW_PRIVATE_SHOPS", _switch, "0"),
        retention_raw=read("RETENTION_RAW", _duration, "72h"),
        retention_dead=read("RETENTION_DEAD", _duration, "8d"),
        retention_payload=read("RETENTION_PAYLOAD", _duration, "30d"),
        retention_trace=read("RETENTION_TRACE", _duration, "90d"),
    )


class _Reader:
    """Reads a variable, or the file that NAME_FILE names, and turns it into a value."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str) -> str:
        path = self._environ.get(f"{name}_FILE", "")
        if not path:
            return self._environ.get(name, "").strip()
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise ConfigError(f"{name}_FILE: the file it names cannot be read") from None

    def __call__(self, name: str, convert: Callable[[str], Value], default: str) -> Value:
        try:
            return convert(self.text(name) or default)
        except ValueError as error:
            raise ConfigError(f"{name}: {error}") from None


def _database_url(text: str) -> str:
    if text.startswith(("postgres://", "postgresql://")):
        return "postgresql+psycopg://" + text.split("://", 1)[1]
    if not text.startswith(("postgresql+psycopg://", "sqlite:///")):
        raise ValueError("must start with sqlite:/// or postgres://")
    if text in {"sqlite:///", "sqlite:///:memory:"}:
        raise ValueError("must name a file: what is kept in memory is lost")
    return text


def _secret_key(text: str) -> str:
    if text and len(text) < 32:
        raise ValueError("must have 32 characters or more")
    return text


def _secret_keys(text: str) -> tuple[str, ...]:
    """Return the keys of a value that may hold several, one a line; a key may have spaces."""
    keys = (_secret_key(line.strip()) for line in text.splitlines())
    return tuple(key for key in keys if key)


def _base_url(text: str) -> str:
    if "?" in text or "#" in text or "@" in text:
        raise ValueError("must be an address alone, without a query or a name")
    return _web_url(text)


def _web_url(text: str) -> str:
    if not text:
        return ""
    parts = _split_url(text)
    if parts.scheme == "https" and parts.hostname:
        return text.rstrip("/")
    if parts.scheme == "http" and parts.hostname in _LOOPBACK:
        return text.rstrip("/")
    raise ValueError("must be an https:// address (http:// only on this machine)")


def _split_url(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:  # its text would show the value
        raise ValueError("is not a sound address") from None
    return parts


def _address(text: str) -> str:
    if text and not re.fullmatch(r"[^@\s]+@[^@\s]+", text):
        raise ValueError("must be an e-mail address")
    return text


def _smtp_url(text: str) -> str:
    parts = _split_url(text)
    if parts.scheme not in {"smtp", "smtp+tls", "smtps"} or not parts.hostname:
        raise ValueError("must be like smtp+tls://user:password@mail.example:587")
    return text


def _version(text: str) -> str:
    if not re.fullmatch(r"v[0-9]+\.[0-9]+", text):
        raise ValueError("must look like v26.0")
    return text


def _switch(text: str) -> bool:
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    if text.lower() in {"0", "false", "no", "off"}:
        return False
    raise ValueError("must be 1 or 0")


def _level(text: str) -> str:
    if text.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
    return text.upper()


def _whole(low: int, high: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return convert


def _duration(text: str) -> timedelta:
    match = re.fullmatch(r"(\d{1,5})([mhd])", text)
    if not match:
        raise ValueError("must be a number with m, h or d, such as 72h")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _behind_router(read: _Reader) -> bool:
    """Return whether this is a platform whose one router stands in front."""
    return any(map(read.text, ("DYNO", "RENDER_EXTERNAL_URL", "RAILWAY_PUBLIC_DOMAIN")))


def _platform_url(read: _Reader) -> str:
    """Return the address the platform gives, where it tells one."""
    railway = read.text("RAILWAY_PUBLIC_DOMAIN")
    return read.text("RENDER_EXTERNAL_URL") or (f"https://{railway}" if railway else "")


def _generated_key(database_url: str) -> str:
    """Return the key kept beside the SQLite file, made at the first start."""
    if not database_url.startswith("sqlite:///"):
        raise ConfigError("SECRET_KEY: is missing; set 32 or more random characters and keep them")
    folder = Path(database_url.removeprefix("sqlite:///")).parent
    path = folder / "secret_key"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _write_once(path, secrets.token_urlsafe(48))
        key = _secret_key(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"SECRET_KEY: is not set and {path} cannot be used ({type(error).__name__})"
        ) from None
    if not key:
        raise ConfigError(f"SECRET_KEY: is not set and {path} is empty")
    return key


def _write_once(path: Path, text: str) -> None:
    """Write a file whole or not at all; of two processes that start together one wins."""
    # Not the process id: two containers on one disk are both process 1.
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)  # a key lost in a power cut would lose all that was sealed with it
    os.close(folder)
