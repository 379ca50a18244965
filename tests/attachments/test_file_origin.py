"""Files from an origin of their own: who gets there, with which address, for how long, and that nothing else is there."""

from __future__ import annotations

import asyncio
import re
import threading
import time
import zipfile
from html import unescape
from io import BytesIO
from uuid import uuid4

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from app.rights.memory import Memory
from app.settings import Settings, SettingsError
from app.vault.snapshot import Key, KeyRing
from app.web import file_proofs
from app.web.file_proofs import FIELD, WINDOW, proof, session_in
from app.web.headers import file_headers
from tests import makers
from tests.attachments.apart import Apart, beside
from tests.cast import Person

ELSEWHERE = ("/", "/login", "/static/site.css", "/health/live", "/api/v1/entries", "/metrics", "/docs", "/robots.txt")
OUT_WITHIN = 1.0


def cookies(who: Person) -> str:
    return "; ".join(f"{name}={value}" for name, value in who.browser.cookies().items())


async def test_a_link_leads_to_the_file_by_way_of_the_site(apart: Apart) -> None:
    page = f"/documents/{apart.document_id}/attachments"
    view = (await apart.sponsor.program.get(f"/api/v1{page}")).json()["items"][0]
    assert (view["page_url"], view["image_url"]) == (apart.path, f"{apart.path}/image")
    assert f'href="{apart.files}{apart.path}" download' in (await apart.editor.browser.get(page)).text
    # Neither a cookie nor a bearer is a passport there.
    token = {"Authorization": f"Bearer {apart.sponsor.program.token}", "Cookie": cookies(apart.sponsor)}
    plain = await apart.get(apart.files + apart.path, headers=token)
    assert (plain.status_code, plain.content) == (303, b"")
    assert plain.headers["location"] == apart.site.settings.public_url + apart.path
    for who in (apart.sponsor, apart.editor):
        address = await apart.proven(who)
        got = await apart.get(address)
        assert (got.status_code, got.content) == (200, makers.PIXEL)
        assert got.headers["content-disposition"].startswith("attachment;")
        assert got.headers["cache-control"] == "private, no-cache"
        assert got.headers["cross-origin-resource-policy"] == "cross-origin"
        assert got.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
        assert got.headers["referrer-policy"] == "no-referrer"
        assert "set-cookie" not in got.headers
        held = await apart.get(address, headers={"If-None-Match": got.headers["etag"]})
        assert (held.status_code, held.content) == (304, b"")


async def test_programs_get_the_bytes_where_they_always_did(apart: Apart) -> None:
    content = await apart.sponsor.program.get(f"/api/v1{apart.path}/content")
    assert (content.status_code, content.content) == (200, makers.PIXEL)
    assert content.headers["cross-origin-resource-policy"] == "same-origin"
    made = await apart.sponsor.program.raw(
        "POST", f"/api/v1/documents/{apart.document_id}/attachments?name=a", b"Soot."
    )
    assert made.headers["location"] == f"/api/v1/documents/{apart.document_id}/attachments/{made.json()['id']}"
    assert made.json()["page_url"].startswith("/documents/")
    assert (await apart.site.program().get(f"/api/v1{apart.path}/content")).status_code == 401


async def test_the_site_sends_no_stranger_there(apart: Apart) -> None:
    stranger = await makers.signed_in(apart.site, "sponsor")
    for ending in ("", "/image"):
        assert (await stranger.browser.get(apart.path + ending)).status_code == 404
        away = await apart.site.browser().get(apart.path + ending)
        assert away.headers["location"].startswith("/login?next=")
    # Nobody can tell what is not there from what is there for others.
    nowhere = f"/documents/{uuid4()}/attachments/{uuid4()}"
    for path in (nowhere, apart.path):
        answer = await apart.get(apart.files + path)
        assert answer.headers["location"] == apart.site.settings.public_url + path


async def test_pictures_in_a_text_carry_their_proof(apart: Apart) -> None:
    path, page = apart.path, f"/sponsor/documents/{apart.document_id}"
    said = f'![Ink]({path}/image) [the file]({path})\n\n    <img src="{path}/image">\n'
    saved = await apart.sponsor.program.patch(f"/api/v1/documents/{apart.document_id}", {"body": said}, If_Match="*")
    assert saved.json()["body"] == said  # what is kept does not know where files are served
    shown = await apart.sponsor.browser.get(page)
    assert f"img-src 'self' {apart.files};" in shown.headers["content-security-policy"]
    version = await apart.sponsor.browser.get(f"{page}/versions/2")
    preview = await apart.sponsor.browser.post("/drafts/preview", {"body": said}, page=page)
    for answer in (shown, version, preview):
        assert answer.status_code == 200, answer.text
        (picture,) = re.findall(r'<img src="([^"]+)"', answer.text)
        assert picture.startswith(f"{apart.files}{path}/image?{FIELD}=")
        assert f'<a href="{apart.files}{path}">the file</a>' in answer.text
        assert f'<img src="{path}/image">' in unescape(re.sub("<[^>]*>", "", answer.text))  # a text stays a text
        got = await apart.get(picture)
        assert (got.status_code, got.headers["content-type"]) == (200, "image/png")
        assert got.headers["content-disposition"].startswith("inline;")


async def test_nobody_waits_while_the_pictures_of_a_long_text_get_their_proofs(
    apart: Apart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is alike for all of them is worked out once, and the text is gone through beside the event loop."""
    derived, threads = [], set()
    real, given = file_proofs._derived, file_proofs._mac

    def derive(key: Key) -> bytes:
        derived.append(key.version)
        return real(key)

    def sign(key: bytes, signed: bytes, path: str) -> bytes:
        threads.add(threading.get_ident())
        return given(key, signed, path)

    said = {"body": f"![Ink]({apart.path}/image)\n\nSome words.\n\n" * 100}
    saved = await apart.sponsor.program.patch(f"/api/v1/documents/{apart.document_id}", said, If_Match="*")
    assert saved.status_code == 200, saved.text
    monkeypatch.setattr(file_proofs, "_derived", derive)
    monkeypatch.setattr(file_proofs, "_mac", sign)
    shown = await apart.sponsor.browser.get(f"/sponsor/documents/{apart.document_id}")
    assert len(re.findall(rf'<img src="{apart.files}{apart.path}/image[?]{FIELD}=', shown.text)) == 100
    assert len(derived) == 1
    assert threads
    assert threading.get_ident() not in threads


async def test_what_the_api_says_may_stand_in_a_text(apart: Apart) -> None:
    view = (await apart.sponsor.program.get(f"/api/v1{apart.path}")).json()
    document = f"/api/v1/documents/{apart.document_id}"
    said = f"![Ink]({view['image_url']})"
    saved = await apart.sponsor.program.patch(document, {"body": said}, If_Match="*")
    assert saved.status_code == 200, saved.text
    shown = await apart.sponsor.browser.get(f"/sponsor/documents/{apart.document_id}")
    assert f'<img src="{apart.files}{apart.path}/image?{FIELD}=' in shown.text
    book = await apart.sponsor.program.get(f"{document}/export.epub")
    with zipfile.ZipFile(BytesIO(book.content)) as parts:
        assert [name for name in parts.namelist() if "/pictures/" in name] == ["EPUB/pictures/1.png"]


async def test_an_address_is_good_for_one_file(apart: Apart) -> None:
    address = await apart.proven(apart.sponsor)
    given = address.partition("=")[2]
    other_id = await makers.attachment(apart.sponsor, apart.document_id, name="other.png")
    for path in (f"{apart.path}/image", apart.path.replace(apart.picture_id, other_id)):
        refused = await apart.get(f"{apart.files}{path}?{FIELD}={given}")
        assert refused.status_code == 403
        assert "Open the file anew" in refused.text
        assert f'href="{apart.site.settings.public_url}/"' in refused.text
    for wrong in ("", "=", "A" * 76, "\u00e9" * 76, given[:-1], f"{given}A", f"+{given[1:]}"):
        assert (await apart.get(apart.files + apart.path, params={FIELD: wrong})).status_code == 403
    assert (await apart.get(address)).status_code == 200


async def test_an_address_ends(apart: Apart) -> None:
    (row,) = await apart.site.rows("SELECT id FROM sessions WHERE person_id = :who", who=apart.sponsor.id)
    for age, status in ((0, 200), (2 * WINDOW, 403)):
        given = proof(apart.ring, apart.path, row.id, time.time() - age)
        assert (await apart.get(f"{apart.files}{apart.path}?{FIELD}={given}")).status_code == status


async def test_a_proof_holds_what_it_says(apart: Apart) -> None:
    ring, session_id, moment = apart.ring, uuid4(), 5.0 * WINDOW
    given = proof(ring, "/a", session_id, moment)
    assert proof(ring, "/a", session_id, moment + WINDOW - 1) == given  # so a browser need not fetch a picture again
    assert session_in(ring, given, "/a", moment + 2 * WINDOW - 1) == session_id
    assert session_in(ring, given, "/a", moment + 2 * WINDOW) is None
    assert session_in(ring, given, "/b", moment) is None
    for place in range(len(given)):
        changed = given[:place] + ("A" if given[place] != "A" else "B") + given[place + 1 :]
        assert session_in(ring, changed, "/a", moment) is None
    assert session_in(KeyRing("session", ()), given, "/a", moment) is None  # its key was withdrawn


async def refused_in_time(apart: Apart, address: str, status: int) -> None:
    ended = began = time.monotonic()  # a little later than that, and so is the beginning of what is asked next
    while (answer := await apart.get(address)).status_code == 200:
        assert began - ended < OUT_WITHIN, "still served"
        await asyncio.sleep(0.02)
        began = time.monotonic()
    assert answer.status_code == status


async def test_whoever_is_out_is_out_at_once(apart: Apart) -> None:
    ada, other = await makers.signed_in(apart.site, "admin"), await makers.signed_in(apart.site, "editor")
    suspended, addresses = apart.sponsor, [await apart.proven(apart.sponsor), await apart.proven(apart.editor)]
    theirs = await beside(apart.site, apart.sponsor, other)
    addresses.append(await theirs.proven(other))
    for address in addresses:
        assert (await apart.get(address)).status_code == 200
    to_another = {"editor_id": str(apart.editor.id)}
    changed = await suspended.program.patch(f"/api/v1/documents/{theirs.document_id}", to_another, If_Match="*")
    assert changed.status_code == 200, changed.text
    await refused_in_time(apart, addresses[2], 404)
    assert (await apart.editor.browser.post("/logout")).status_code == 303
    await refused_in_time(apart, addresses[1], 403)
    done = await ada.program.post(f"/api/v1/admin/people/{suspended.id}/suspend", {"reason": "for a test"})
    assert done.status_code == 200, done.text
    await refused_in_time(apart, addresses[0], 403)


async def test_a_session_this_worker_never_met_is_looked_up(apart: Apart) -> None:
    address = await apart.proven(apart.sponsor)
    memory: Memory = apart.site.app.extensions[Memory.__name__]
    memory.clear()
    assert (await apart.get(address)).status_code == 200
    gone = proof(apart.ring, apart.path, uuid4(), time.time())
    assert (await apart.get(f"{apart.files}{apart.path}?{FIELD}={gone}")).status_code == 403


async def test_what_an_entry_shows_is_for_everybody(apart: Apart) -> None:
    document, plain = f"/api/v1/documents/{apart.document_id}", f"{apart.files}{apart.path}/image"
    await apart.editor.program.patch(document, {"body": f"![Ink]({apart.path}/image)"}, If_Match="*")
    for who, step in ((apart.editor, "hand-in"), (apart.sponsor, "accept"), (apart.sponsor, "publish")):
        taken = await makers.take(who, apart.document_id, step)
    for browser in (apart.site.browser(), apart.sponsor.browser):
        assert f'<img src="{plain}"' in (await browser.get(f"/entry/{taken['entry_id']}")).text
    got = await apart.get(plain)
    assert (got.status_code, got.headers["cache-control"]) == (200, "public, max-age=60")
    assert "set-cookie" not in got.headers
    await makers.take(apart.sponsor, apart.document_id, "unpublish")
    assert (await apart.get(plain)).status_code == 303


async def test_nothing_else_is_there(apart: Apart) -> None:
    files, port = apart.fetcher().http, apart.site.settings.port
    beyond = (f"{apart.path}/", f"{apart.path}/remove", f"/documents/{apart.document_id}/attachments")
    for path in (*ELSEWHERE, *beyond):
        answer = await files.get(path, headers={"Cookie": cookies(apart.sponsor)})
        assert answer.status_code == 404, path
        for name, value in file_headers(https=False).items():
            assert answer.headers.get_list(name) == [value]
        assert "set-cookie" not in answer.headers
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        answer = await files.request(method, apart.path)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    head = await files.head(apart.path)
    assert (head.status_code, head.content) == (303, b"")
    # The site goes by none of its names, whatever the port, and takes no form and no socket from there.
    for host in ("localhost", f"localhost:{port + 1}"):
        assert (await apart.site.browser().get("/", headers={"Host": host})).status_code == 421
    form = await apart.sponsor.browser.post("/logout", Origin=apart.files)
    assert form.status_code == 403
    live = f"{apart.site.settings.public_url.replace('http', 'ws')}/documents/{apart.document_id}/live"
    for url, origin, status in ((live, apart.files, 403), (live.replace("127.0.0.1", "localhost"), apart.files, 421)):
        with pytest.raises(InvalidStatus) as refused:
            async with connect(url, additional_headers={"Origin": origin, "Cookie": cookies(apart.sponsor)}):
                pass
        assert refused.value.response.status_code == status


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://files.example", "https away from loopback"),
        ("https://files.example", "as SCRIPTORIUM_PUBLIC_URL is"),
        ("http://127.0.0.1:5001", "another host"),
        ("http://localhost:5000/files", "an origin such as"),
        ("http://LOCALHOST:5000", "an origin such as"),
        ("http://*:5000", "an origin such as"),
        ("s3://bucket", "an origin such as"),
        ("//localhost", "an origin such as"),
    ],
)
def test_an_origin_that_will_not_do_is_refused(url: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        Settings.from_environment({"SCRIPTORIUM_FILES_URL": url})


def test_a_name_belongs_to_the_site_or_to_its_files() -> None:
    given = {"SCRIPTORIUM_FILES_URL": "http://localhost:5000"}
    assert Settings.from_environment(given).files_url == "http://localhost:5000"
    with pytest.raises(SettingsError, match="ALLOWED_HOSTS"):
        Settings.from_environment({**given, "SCRIPTORIUM_ALLOWED_HOSTS": "localhost"})
