"""A canary in every secret: through work, errors, rotations, kills and an emergency, none of them shows anywhere."""

from __future__ import annotations

import os
import signal

from app import operations, rotation
from tests.e2e.forms import sign_in
from tests.e2e.people import Person, Secrets
from tests.networked import calling
from tests.secrets.hidden import everything_hidden, shown_somewhere
from tests.secrets.scene import settings_of, under
from tests.secrets.test_under_load import _until_back
from tests.vault.conftest import House
from tests.vault.test_serve import Serving, serving

PAGES = ("/admin/secrets", "/admin/audit", "/api/v1/admin/secrets", "/nowhere", "/entry")


async def looked_at(serve: Serving, admin: Person) -> str:
    """What an administrator sees, in a browser and as a program."""
    url, seen = f"http://127.0.0.1:{serve.port}", []
    async with calling(url) as http:
        await sign_in(http, admin, Secrets())
        given = (await http.post("/api/login", json={"email": admin.email, "password": admin.password})).json()
        program = {"Authorization": f"Bearer {given['access_token']}"}
        for path in PAGES:
            answer = await http.get(path, headers=program if path.startswith("/api") else {})
            assert answer.status_code in ((404,) if path == "/nowhere" else (200,)), (path, answer.text)
            seen.append(answer.text)
    return "\n".join(seen)


async def test_no_secret_shows_anywhere(house: House) -> None:
    with serving(house, "hidden", limit_scale="1000", log_level="debug", metrics_networks="127.0.0.1/32") as serve:
        secret = await everything_hidden(house, serve)
        admin = Person("admin", "Ottilie Brandt")
        await operations.create_admin(settings_of(serve), admin.email, admin.display_name, admin.password)
        pages = await looked_at(serve, admin)
        async with under(serve) as load, load.going(program=1, writer=1, reader=1, refresher=1):
            await rotation.rotate(settings_of(serve), rotation.order("all", emergency=False), None)
            (broker,) = serve.broker()
            os.kill(broker, signal.SIGKILL)
            await _until_back(serve, broker)
            secret += await everything_hidden(house, serve)
            await rotation.rotate(settings_of(serve), rotation.order("all", emergency=True), None)
        secret += await everything_hidden(house, serve)
        pages += await looked_at(serve, admin)
        assert len(set(secret)) > 25
        assert await shown_somewhere(house, serve, secret, pages) == []
        # The search finds what is there.
        assert await shown_somewhere(house, serve, [admin.display_name], pages) != []
