"""``capi-bridge serve``, ``worker``, ``migrate``, ``sandbox``: what runs."""

import signal
from dataclasses import replace

import click

from bridge import config, logs
from bridge.web import Application, server
from bridge.web.admin.accounts import setup_notice
from bridge.worker import Worker

from .shared import open_store

STOPS = {signal.SIGTERM, signal.SIGINT}


def _run(application: Application) -> None:
    """Serve *application* by gunicorn, with our settings instead of a file."""
    # Loading it reads WEB_CONCURRENCY, and breaks on a wrong one before we can name it.
    from gunicorn.app.base import BaseApplication

    class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
        def load_config(self) -> None:
            for name, value in server.settings(application.config).items():
                if value is not None:
                    self.cfg.set(name, value)

        def load(self) -> Application:
            return application

    Server().run()


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Instead of PORT.")
def serve(port: int | None) -> None:
    """Serve the web and, unless EMBED_WORKER=0, translate and send within it."""
    settings = config.load()
    if port:
        settings = replace(settings, port=port)
    store = open_store(settings)
    notice = setup_notice(settings, store)
    store.close()
    click.echo(f"capi-bridge listens on {settings.base_url}", err=True)
    if notice:
        click.echo(f"not set up yet: {notice}", err=True)
    _run(Application(settings, store))


@click.command()
def worker() -> None:
    """Translate and send, without the web."""
    settings = config.load()
    logs.configure(settings.log_level)
    running = Worker(open_store(settings), settings)
    # Blocked and waited for: a second signal could not interrupt what the first one does.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    running.start()
    signal.sigwait(STOPS)
    running.stop()


@click.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    store = open_store()
    store.close()
    click.echo("the schema is up to date")


@click.command()
@click.option("--port", default=8090, show_default=True, type=click.IntRange(0, 65535))
@click.option("--fault", "faults", multiple=True, metavar="SPEC", help="Fail on command.")
def sandbox(port: int, faults: tuple[str, ...]) -> None:
    """Run the local Graph API that refuses what Meta refuses."""
    from bridge import sandbox as graph

    click.echo(f"the local Graph API listens on http://127.0.0.1:{port}", err=True)
    graph.serve(port, ",".join(faults))
