"""Letters about decisions: written with them, sealed in the table, handed to a real mail server, tried again, given up."""

from __future__ import annotations

import asyncio
import secrets
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from app.mail import service
from app.mail.envelope import Content, Unreadable, seal, unseal
from app.mail.postman import Postman
from app.mail.service import Postbox
from app.settings import Settings, SettingsError
from app.vault.snapshot import PERSONAL
from local.stack import Stack
from local.tls import certify
from tests import makers
from tests.cast import Person
from tests.mail.mailbox import Mailbox, mailbox
from tests.site import Site, running
from vault.client import connect

SAID, STAFF = "We look forward to your first page.", "for the staff alone"


@dataclass
class Post:
    """An application with a mail server, the server, and an administrator."""

    site: Site
    box: Mailbox
    ada: Person

    @property
    def postman(self) -> Postman:
        found: Postman = self.site.app.extensions[Postman.__name__]
        return found

    async def decide(self, person: Person, verb: str, status: int = 200) -> None:
        decision = {"reason": STAFF, "message": SAID}
        answer = await self.ada.program.post(f"/api/v1/admin/people/{person.id}/{verb}", decision)
        assert answer.status_code == status, answer.text

    async def delivered(self, person: Person, count: int = 1) -> list[Any]:
        """The letters to a person, once there are so many; whichever worker's round it was that brought them."""
        deadline = time.monotonic() + 20.0
        while len(found := [one for one in self.box.letters if one["To"] == person.email]) < count:
            assert time.monotonic() < deadline, "no letter came"
            await self.postman.deliver_due()
            await asyncio.sleep(0.05)
        return found

    async def waiting(self) -> list[Any]:
        return await self.site.rows("SELECT * FROM outbox WHERE sealed IS NOT NULL")

    async def due(self) -> None:
        await self.site.change("UPDATE outbox SET next_try_at = now() - interval '1 second'")


@pytest.fixture(scope="module")
async def post(app_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Post]:
    password = secrets.token_urlsafe(18)
    rotator = connect(app_stack.deployer.address, app_stack.deployer.token("rotator")).secrets.kv.v2
    rotator.create_or_update_secret("scriptorium/smtp", {"password": password}, mount_point="kv")
    rotator.update_metadata("scriptorium/personal", mount_point="kv", custom_metadata={"activate_after": "0"})
    folder: Path = tmp_path_factory.mktemp("tls")
    certify(folder, {"127.0.0.1"})
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    with mailbox(password, tls_context=context, require_starttls=True) as box:
        async with running(
            app_stack,
            SMTP_HOST="127.0.0.1",
            SMTP_PORT=str(box.port),
            SMTP_CA=str(folder / "ca.pem"),
            SMTP_USER="letters",
            MAIL_FROM="letters@journal.example",
        ) as site:
            ada = await makers.signed_in(site, "admin", name="Ada")
            yield Post(site, box, ada)


@pytest.fixture
async def somebody(post: Post) -> Person:
    return await makers.person(post.site, "editor", status="pending", name="Ines")


async def test_each_decision_is_told_in_kind_words(post: Post, somebody: Person) -> None:
    for count, (verb, words) in enumerate(
        [("approve", "your account is open"), ("suspend", "is suspended"), ("reinstate", "open again")], 1
    ):
        await post.decide(somebody, verb)
        letter = (await post.delivered(somebody, count))[-1]
        text = letter.get_content()
        assert text.startswith("Dear Ines,")
        assert words in text
        assert SAID in text
        assert STAFF not in str(letter)
        links = [word for word in text.split() if "://" in word]
        assert links == [f"{post.site.settings.public_url}/login"]
        assert letter["From"].addresses[0].addr_spec == "letters@journal.example"
    assert not await post.waiting()


async def test_what_waits_is_sealed_and_sent_later(post: Post, somebody: Person) -> None:
    post.box.answer = "451 come back later"
    await post.decide(somebody, "decline")
    await post.postman.deliver_due()
    deadline = time.monotonic() + 20.0
    while not (row := (await post.waiting())[0]).error and time.monotonic() < deadline:  # noqa: ASYNC110  # in a table
        await asyncio.sleep(0.05)
    assert row.error == "the recipient is refused (451)"
    assert row.next_try_at > row.created_at
    columns = "o::text AS line, encode(sealed, 'escape') AS raw"
    (shown,) = await post.site.rows(f"SELECT {columns} FROM outbox o WHERE id = :id", id=row.id)
    for value in (somebody.email, SAID, "Ines"):
        assert value not in shown.line + shown.raw
    post.box.answer = ""
    await post.due()
    assert len(await post.delivered(somebody)) == 1
    assert not await post.waiting()


async def test_a_refused_address_is_given_up_and_counted(post: Post, somebody: Person) -> None:
    post.box.answer = "550 nobody here"
    await post.decide(somebody, "approve")
    deadline = time.monotonic() + 20.0
    await post.postman.deliver_due()
    while await post.waiting() and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
        await post.postman.deliver_due()
    post.box.answer = ""
    (row,) = await post.site.rows("SELECT * FROM outbox WHERE given_up_at IS NOT NULL ORDER BY created_at DESC LIMIT 1")
    assert (row.sealed, row.error) == (None, "the recipient is refused (550)")
    async with post.site.resources.database.read() as db:
        assert (await service.counts(db))["given_up"] >= 1
    assert post.postman.outcomes["given_up"] >= 1


async def test_a_decision_that_is_refused_leaves_no_letter(post: Post, somebody: Person) -> None:
    before = len(await post.site.rows("SELECT id FROM outbox"))
    await post.decide(somebody, "reinstate", 409)
    assert len(await post.site.rows("SELECT id FROM outbox")) == before


async def test_without_a_mail_server_nothing_is_written_down(site: Site, ada: Person) -> None:
    person = await makers.person(site, "editor", status="pending")
    before = len(await site.rows("SELECT id FROM outbox"))
    answer = await ada.program.post(f"/api/v1/admin/people/{person.id}/approve", {"reason": STAFF, "message": SAID})
    assert answer.status_code == 200
    assert len(await site.rows("SELECT id FROM outbox")) == before
    assert PERSONAL not in site.resources.secrets.snapshot.rings


async def test_what_waits_is_sealed_anew_after_a_rotation(post: Post, somebody: Person) -> None:
    post.box.answer = "451 come back later"
    await post.decide(somebody, "approve")
    (before,) = await post.waiting()
    turned = await post.site.resources.secrets.rotate(PERSONAL)
    await post.postman.deliver_due()
    (after,) = await post.waiting()
    assert after.key_version == turned.versions[PERSONAL] > before.key_version
    assert after.sealed != before.sealed
    post.box.answer = ""
    await post.due()
    assert len(await post.delivered(somebody)) == 1


async def test_a_letter_opens_only_in_its_own_row_and_while_its_key_stands(post: Post) -> None:
    postbox: Postbox = post.site.app.extensions[Postbox.__name__]
    ring, here = postbox.ring, uuid4()
    content = Content("a@example.org", "A", {})
    sealed = seal(ring.signing, here, content)
    assert unseal(ring, ring.signing.version, here, sealed) == content
    for version, row, data in (
        (ring.signing.version, uuid4(), sealed),
        (ring.signing.version, here, sealed[:-1] + bytes([sealed[-1] ^ 1])),
        (ring.signing.version, here, b""),
        (9999, here, sealed),
    ):
        with pytest.raises(Unreadable):
            unseal(ring, version, row, data)


@pytest.mark.parametrize(
    "given",
    [
        {"SMTP_TLS": "off", "SMTP_HOST": "mail.example.org"},
        {"MAIL_FROM": ""},
        {"MAIL_FROM": "letters"},
        {"MAIL_FROM": "a@b.example\r\nBcc: all@b.example"},
        {"SMTP_TLS": "perhaps"},
    ],
)
def test_careless_settings_are_refused(given: dict[str, str]) -> None:
    good = {"SMTP_HOST": "127.0.0.1", "MAIL_FROM": "letters@journal.example"}
    with pytest.raises(SettingsError):
        Settings.from_environment({f"SCRIPTORIUM_{name}": value for name, value in (good | given).items()})
