"""The face: the web application, webhooks in front."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from bridge.config import Config
from bridge.store import Store
from bridge.worker import Worker

from . import admin, collect, grant, health, metrics
from .webhooks import Webhooks

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse


class Application:
    """The WSGI application with what belongs to it: configuration, store, embedded worker."""

    def __init__(self, config: Config, store: Store) -> None:
        self.config = config
        self.store = store
        self.worker: Worker | None = None
        self.flask = create_flask(config, store, self._stored)
        self._front = Webhooks(store, self.flask, self._stored)

    def __call__(self, environ: dict[str, Any], start: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        return self._front(environ, start)

    def start_worker(self) -> None:
        """Translate and send within this process, where the configuration says so."""
        if self.config.embed_worker and self.worker is None:
            self.worker = Worker(self.store, self.config)
            self.worker.start()

    def ask_to_stop(self) -> None:
        """Let the embedded worker begin to finish; safe in a signal's function."""
        if self.worker:
            self.worker.ask_to_stop()

    def stop_worker(self) -> None:
        """Finish what the embedded worker has under way."""
        if self.worker:
            self.worker.stop()
            self.worker = None

    def _stored(self) -> None:
        if self.worker:
            self.worker.wake()


def create_flask(config: Config, store: Store, stored: Callable[[], None] = lambda: None) -> Flask:
    """Return the Flask application: everything but the webhooks."""
    app = Flask(__name__)
    app.config.update(STORE=store, CONFIG=config, STORED=stored)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # it would redirect, to whatever host was named
    if config.trusted_proxies:  # else anybody could claim any address
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # as Flask's documentation has it
            app.wsgi_app,
            x_for=config.trusted_proxies,
            x_proto=config.trusted_proxies,
            x_host=config.trusted_proxies,
        )
    app.register_blueprint(health.blueprint)
    app.register_blueprint(collect.blueprint)
    app.register_blueprint(grant.blueprint)
    app.register_blueprint(metrics.blueprint)
    admin.register(app)
    return app
