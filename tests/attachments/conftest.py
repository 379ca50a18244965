"""What the tests of files share: a second application on the same servers, whose files have an origin of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from local.stack import Stack
from tests import makers
from tests.attachments.apart import Apart, beside
from tests.served import served
from tests.site import Site


@pytest.fixture(scope="package")
async def other_site(app_stack: Stack) -> AsyncIterator[Site]:
    async with served(app_stack, FILES_URL="http://localhost:{port}") as site:
        yield site


@pytest.fixture
async def apart(other_site: Site) -> Apart:
    sponsor = await makers.signed_in(other_site, "sponsor")
    return await beside(other_site, sponsor, await makers.signed_in(other_site, "editor"))
