"""The application on a real port, and people in it, for clients that are programs of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from local.stack import Stack
from tests import makers
from tests.cast import Person
from tests.served import served
from tests.site import Site


@pytest.fixture(scope="module")
async def served_site(app_stack: Stack) -> AsyncIterator[Site]:
    async with served(app_stack) as site:
        yield site


@pytest.fixture(scope="module")
async def reader(served_site: Site) -> Person:
    """Somebody who runs a client and signs in to it as well."""
    return await makers.signed_in(served_site, "sponsor", name="Renate")
