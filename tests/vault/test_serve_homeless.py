"""A token that dies without a fresh secret-id: the broker starts again with one, or everything ends asking for one."""

from __future__ import annotations

import pytest

from tests.secrets.scene import _tokens
from tests.vault.conftest import House
from tests.vault.test_serve import launch, serving, until


def kill_tokens(house: House) -> None:
    """Revoke every token of the application, as an operator does whose host was broken into."""
    with house.owner() as owner:
        for accessor in owner.list("auth/token/accessors")["data"]["keys"]:
            about = owner.adapter.post(
                "/v1/auth/token/lookup-accessor", json={"accessor": accessor}, raise_exception=False
            )
            if isinstance(about, dict) and (about["data"].get("meta") or {}).get("role_name") == "scriptorium-app":
                owner.auth.token.revoke_accessor(accessor)


def test_a_fresh_secret_id_brings_everything_back(house: House) -> None:
    with serving(house, "homeless", vault_wait="30") as serve:
        (broker,) = serve.broker()
        kill_tokens(house)
        until(lambda: serve.broker() not in ([], [broker]), 40.0, 0.2)
        assert '"code": 75' in serve.log.read_text()
        house.stack.wrap_secret_id(path=house.place / "homeless" / "secret-id")
        until(lambda: _tokens(house) == 1 and house.logins() == 1, 40.0, 0.5)
        until(serve.answers)
        assert serve.process.poll() is None


@pytest.mark.proof
@pytest.mark.parametrize("workers", ["1", "2"])
def test_without_one_everything_ends_asking_for_one(house: House, workers: str) -> None:
    serve = launch(house, f"beggar-{workers}", vault_wait="2", workers=workers)
    until(lambda: serve.ready() or serve.process.poll() is not None, 40.0)
    kill_tokens(house)
    assert serve.process.wait(60) == 75
    assert "nobody delivered a fresh secret-id" in serve.log.read_text()
