"""A browser that keeps cookies, is signed in if asked to be, and fills in the CSRF token."""

import re
from typing import Any

from werkzeug.test import Client, TestResponse

from bridge.store import Operator
from bridge.web import Application
from bridge.web.admin import passwords

PASSWORD = "a stable with seven lamps"
SECURE = {"Sec-Fetch-Site": "same-origin"}
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Browser:
    """One browser at `host`, over https if asked."""

    def __init__(self, application: Application, host: str = "localhost", scheme: str = "http"):
        self.application = application
        self.base_url = f"{scheme}://{host}"
        self.host = host.partition(":")[0]
        self.client = Client(application)

    @property
    def cookie(self) -> str:
        """The session cookie's name."""
        return "__Host-session" if self.base_url.startswith("https") else "session"

    @property
    def token(self) -> str | None:
        """The session cookie's value."""
        found = self.client.get_cookie(self.cookie, domain=self.host)
        return found.value if found else None

    def signed_in(self, role: str = "owner", name: str = "", *, password: str = "") -> "Browser":
        """Return this browser, with a session of a new operator of that role."""
        accounts = self.application.store.accounts
        name = name or role
        password_hash = passwords.hashed(password) if password else "no hash"
        if accounts.exist():
            operator: Operator = accounts.add_operator(name, role, password_hash)
        else:
            operator = accounts.set_up(name, password_hash)
            if role != "owner":
                accounts.add_operator("first", "owner", "no hash")
                accounts.set_role(operator.id, role)
        return self.as_operator(operator)

    def as_operator(self, operator: Operator) -> "Browser":
        """Return this browser, with a new session of *operator*."""
        self.carry(self.application.store.accounts.open_session(operator.id, "Test"))
        return self

    def carry(self, token: str) -> None:
        """Take over a session cookie."""
        self.client.set_cookie(self.cookie, token, domain=self.host)

    def get(self, path: str, **headers: str) -> TestResponse:
        """Ask for a page."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.get(path, base_url=self.base_url, headers=named, buffered=True)

    def csrf(self, path: str = "/admin/settings") -> str:
        """Return the token of the forms on a page."""
        answer = self.get(path)
        if answer.status_code in {302, 303}:
            answer = self.get(answer.location)
        found = TOKEN.search(answer.text)
        assert found, f"no form on {path}: {answer.status}"
        return found[1]

    def post(
        self,
        path: str,
        *,
        csrf: str | None = None,
        headers: dict[str, str] | None = None,
        address: str = "127.0.0.1",
        **data: Any,
    ) -> TestResponse:
        """Send a form, with the right CSRF token unless another is given."""
        token = self.csrf() if csrf is None else csrf
        return self.client.post(
            path,
            base_url=self.base_url,
            data={"csrf_token": token, **data},
            headers=SECURE if headers is None else headers,
            environ_overrides={"REMOTE_ADDR": address},
            buffered=True,
        )
