"""The application that gunicorn serves: ``bridge.wsgi:app``."""

from bridge import config, logs
from bridge.secrets import Vault
from bridge.store import Store
from bridge.web import Application

_config = config.load()
logs.configure(_config.log_level)
app = Application(
    _config,
    Store(_config.database_url, Vault(_config.secret_key, _config.secret_key_previous)),
)
