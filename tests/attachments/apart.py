"""A site whose files come from another name than its own, and people on it with a picture beside their document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from app.vault.snapshot import KeyRing
from tests import makers
from tests.cast import Person
from tests.client import Browser
from tests.site import Site


@dataclass
class Apart:
    """One document, the picture beside it, and two who see them."""

    site: Site
    sponsor: Person
    editor: Person
    document_id: str
    picture_id: str

    @property
    def files(self) -> str:
        return self.site.settings.files_url

    @property
    def path(self) -> str:
        return f"/documents/{self.document_id}/attachments/{self.picture_id}"

    @property
    def ring(self) -> KeyRing:
        return self.site.resources.secrets.snapshot.rings["session"]

    def fetcher(self) -> Browser:
        """A browser's other half: what it sends to the origin of files, where it has no cookie."""
        return self.site.browser(at=self.files)

    async def get(self, address: str, **options: Any) -> httpx.Response:
        assert address.startswith(self.files)
        return await self.fetcher().http.get(address, **options)

    async def proven(self, who: Person, ending: str = "") -> str:
        """The address somebody is sent to."""
        sent = await who.browser.get(self.path + ending)
        assert sent.status_code == 303, sent.text
        assert sent.content == b""
        assert sent.headers["cache-control"] == "no-store"
        address: str = sent.headers["location"]
        assert address.startswith(f"{self.files}{self.path}{ending}?proof=")
        return address


async def beside(site: Site, sponsor: Person, editor: Person) -> Apart:
    """A new document of these two, with a picture."""
    document_id = (await makers.document(sponsor, editor))["id"]
    return Apart(site, sponsor, editor, document_id, await makers.attachment(sponsor, document_id))
