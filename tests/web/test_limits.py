"""Limits and the budget for wrong guesses, against a real Valkey: exact under a burst, strict without the store."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from math import inf
from typing import TYPE_CHECKING, Any

import pytest
from quart import Blueprint, Quart, request
from quart_rate_limiter import limit_blueprint, rate_exempt, rate_limit
from valkey.asyncio import Valkey

from app.errors import Throttled
from app.web import error_pages
from app.web.failure_budget import FailureBudget
from app.web.limit_decision import _GCRA, GENEROUS, Demand, SharedDecider
from app.web.limits import Limiter, named_limit
from app.web.shared_script import SharedStore
from tests.web.servers import Server, ValkeyServer, free_port, read_answer

if TYPE_CHECKING:
    from quart.typing import TestClientProtocol as Web  # by its name pytest takes it for a test


@dataclass(frozen=True)
class Limit:
    count: int
    period: float


@dataclass(frozen=True)
class Limits:
    """Settings as far as limits go."""

    workers: int = 2
    numbers: tuple[tuple[str, int, float], ...] = ()

    def limit(self, name: str) -> Limit:
        return next(Limit(count, period) for known, count, period in self.numbers if known == name)


@pytest.fixture
async def client(valkey_server: ValkeyServer) -> AsyncIterator[Valkey]:
    client = valkey_server.client()
    await client.flushall()
    yield client
    await client.aclose()


async def bare_page(template: str, **context: object) -> str:
    return f"{template} {context['status']}"


def make_app(client: Valkey, **numbers: tuple[int, float]) -> Quart:
    app = Quart(__name__)
    settings = Limits(numbers=tuple((name, *limit) for name, limit in numbers.items()))

    @app.post("/register")
    @rate_limit(limits=[named_limit("REGISTER")])
    async def register() -> str:
        return "made"

    @app.post("/signupeditor")
    @rate_limit(limits=[named_limit("REGISTER")])
    async def sign_up_editor() -> str:
        return "made"

    @app.get("/plain")
    @rate_limit(2, timedelta(seconds=60))
    async def plain() -> str:
        return "plain"

    @app.get("/health/live")
    @rate_exempt
    async def live() -> str:
        return "live"

    error_pages.install(app, bare_page)
    Limiter(settings, lambda: client, pages=[named_limit("PAGES")]).init_app(app)
    return app


async def test_named_limits_are_shared_by_all_routes_that_name_them(client: Valkey) -> None:
    web = make_app(client, REGISTER=(3, 3600), PAGES=(100, 60)).test_client()
    statuses = [(await web.post(path)).status_code for path in ("/register", "/signupeditor", "/register", "/register")]
    assert statuses == [200, 200, 200, 429]


async def test_what_the_headers_say(client: Valkey) -> None:
    web = make_app(client, REGISTER=(2, 60), PAGES=(100, 60)).test_client()
    first = await web.post("/register")
    assert (first.headers["RateLimit-Limit"], first.headers["RateLimit-Remaining"]) == ("2", "1")
    assert 29 <= int(first.headers["RateLimit-Reset"]) <= 30
    await web.post("/register")
    refused = await web.post("/register")
    assert refused.status_code == 429
    assert refused.headers.getlist("Retry-After") == ["30"]
    assert refused.headers["RateLimit-Remaining"] == "0"


async def test_a_refused_request_is_counted_nowhere(client: Valkey) -> None:
    web = make_app(client, REGISTER=(1, 3600), PAGES=(4, 60)).test_client()
    statuses = [(await web.post("/register")).status_code for _ in range(6)]
    assert statuses == [200, 429, 429, 429, 429, 429]
    assert [(await web.get("/plain")).status_code for _ in range(3)] == [200, 200, 429]


async def test_addresses_that_lead_nowhere_are_limited_and_health_is_not(client: Valkey) -> None:
    web = make_app(client, PAGES=(3, 60)).test_client()
    assert [(await web.get("/nope")).status_code for _ in range(4)] == [404, 404, 404, 429]
    assert [(await web.get("/health/live")).status_code for _ in range(9)] == [200] * 9


async def test_blueprints_around_a_route_limit_it(client: Valkey) -> None:
    app = Quart(__name__)
    outer, inner = Blueprint("outer", __name__), Blueprint("inner", __name__)

    @inner.get("/x")
    async def view() -> str:
        return "x"

    limit_blueprint(outer, limits=[named_limit("API")])
    outer.register_blueprint(inner)
    app.register_blueprint(outer, url_prefix="/api")
    error_pages.install(app, bare_page)
    Limiter(Limits(numbers=(("API", 1, 60),)), lambda: client).init_app(app)
    web = app.test_client()
    assert (await web.get("/api/x")).status_code == 200
    refused = await web.get("/api/x")
    assert refused.status_code == 429
    assert (await refused.get_json(force=True))["code"] == "too_many_requests"


async def test_callers_are_told_apart_and_ipv6_hosts_are_their_network(client: Valkey) -> None:
    app = make_app(client, REGISTER=(1, 60), PAGES=(100, 60))

    async def status(address: str) -> int:
        web = app.test_client()
        return (await web.post("/register", scope_base={"client": (address, 1), "state": {}})).status_code

    assert await status("203.0.113.1") == 200
    assert await status("203.0.113.2") == 200
    assert await status("203.0.113.1") == 429
    assert await status("2001:db8:1:1::1") == 200
    assert await status("2001:db8:1:1:ffff::9") == 429
    assert await status("2001:db8:1:2::1") == 200
    assert await status("::ffff:203.0.113.2") == 429


async def test_forged_forwarding_headers_change_nothing(client: Valkey) -> None:
    web = make_app(client, REGISTER=(1, 60), PAGES=(100, 60)).test_client()
    for number, expected in enumerate((200, 429, 429)):
        answer = await web.post("/register", headers={"X-Forwarded-For": f"198.51.100.{number}"})
        assert answer.status_code == expected
    assert (await web.post("/register", headers={"X-Forwarded-For": ""})).status_code == 429
    assert (await web.post("/register", headers={"X-Forwarded-For": ","})).status_code == 429


async def test_keys_expire(client: Valkey) -> None:
    web = make_app(client, REGISTER=(5, 10), PAGES=(100, 60)).test_client()
    await web.post("/register")
    keys = await client.keys("*")
    assert len(keys) == 2
    for key in keys:
        assert 0 < await client.pttl(key) <= 10_000


async def test_units_come_back_with_time(client: Valkey) -> None:
    decider = SharedDecider(lambda: client, workers=2, prefix="t")
    demand = [Demand("x", 10, 1.0)]
    began = time.monotonic()

    def most() -> int:
        """What has come by now, asking included: ten at the beginning, one each tenth of a second, and the one under way."""
        return 11 + int((time.monotonic() - began) * 10)

    first = sum([(await decider.take(demand)).allowed for _ in range(15)])
    assert 10 <= first <= most()
    await asyncio.sleep(0.35)
    second = sum([(await decider.take(demand)).allowed for _ in range(15)])
    assert second >= 3
    assert first + second <= most()


async def test_generous_limits_are_leased_in_portions_and_never_exceeded(client: Valkey) -> None:
    workers = [SharedDecider(lambda: client, workers=2, prefix="t") for _ in range(2)]
    demand = [Demand("x", GENEROUS * 2, 3600.0)]
    allowed = 0
    for number in range(GENEROUS * 3):
        allowed += (await workers[number % 2].take(demand)).allowed
    assert GENEROUS * 2 - 20 <= allowed <= GENEROUS * 2 + 2
    calls = (await client.info("commandstats"))["cmdstat_evalsha"]["calls"]
    assert calls < GENEROUS * 3


async def test_after_a_restart_of_valkey_the_script_is_loaded_again(client: Valkey) -> None:
    decider = SharedDecider(lambda: client, workers=2, prefix="t")
    assert (await decider.take([Demand("x", 2, 60.0)])).allowed
    await client.script_flush()
    await client.flushall()
    assert (await decider.take([Demand("x", 2, 60.0)])).allowed
    assert not decider.store.lost


@pytest.fixture
def own_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    server = ValkeyServer(tmp_path_factory.mktemp("own"))
    server.start()
    yield server
    server.stop()


def longest_wait(client: Valkey) -> float:
    """The most seconds any call has waited for this Valkey since `forget_waits`."""
    return SharedStore(lambda: client).longest_wait


def forget_waits(client: Valkey) -> None:
    SharedStore(lambda: client)._line().longest_wait = 0.0


async def some_round(waits: Callable[[], Awaitable[float]], below: float = 0.25, above: float = -1.0) -> None:
    """Neighbours of this process can only lengthen a wait: of up to ten rounds one within the bounds is enough."""
    seen: list[float] = []
    while len(seen) < 10:
        seen.append(await waits())
        if above < seen[-1] < below:
            return
    raise AssertionError(f"waits of {seen} s")


@pytest.mark.parametrize("how", ["pause", "stop"])
async def test_valkey_lost_makes_limits_stricter_never_absent(own_valkey: ValkeyServer, how: str) -> None:
    async def lost() -> float:
        client = own_valkey.client()
        await client.flushall()
        web = make_app(client, REGISTER=(9, 3600), PAGES=(1000, 60)).test_client()
        assert await status_of(web) == 200
        forget_waits(client)
        getattr(own_valkey, how)()
        try:
            together = await asyncio.gather(*[status_of(web) for _ in range(20)])
            assert sorted(together) == [200] * 3 + [429] * 17
            waited = longest_wait(client)
            forget_waits(client)
            assert await status_of(web) == 429
            if longest_wait(client) > 0:  # nobody waits for what is known to be lost, unless a second has gone by
                waited = inf
        finally:
            own_valkey.resume() if how == "pause" else own_valkey.start()
        await asyncio.sleep(1.1)
        # What waited in a hanging Valkey has been counted by now, which is strict and no harm; another limit shows
        # that it decides again.
        assert (await web.get("/plain")).headers["RateLimit-Limit"] == "2"
        assert await client.keys("*plain*")
        await client.aclose()
        return waited

    await some_round(lost)


async def test_nobody_waits_longer_than_250_ms_for_a_hanging_valkey(own_valkey: ValkeyServer) -> None:
    """Also whoever asks while others wait already."""

    async def hanging() -> float:
        client = own_valkey.client()
        decider, asking = SharedDecider(lambda: client, workers=2, prefix="t"), []
        await decider.take([Demand("x", 100, 60.0)])
        own_valkey.pause()
        try:
            for _ in range(10):
                asking += [asyncio.ensure_future(decider.take([Demand("x", 100, 60.0)])) for _ in range(3)]
                await asyncio.sleep(0.015)
            assert all(verdict.allowed for verdict in await asyncio.gather(*asking))
            assert decider.store.lost
        finally:
            own_valkey.resume()
        await client.aclose()
        return decider.store.longest_wait

    await some_round(hanging, above=0.1)


@pytest.mark.parametrize(
    ("breaking", "mending"),
    [
        (("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE")),
        (("CONFIG", "SET", "maxmemory", "1000"), ("CONFIG", "SET", "maxmemory", "0")),
    ],
    ids=["a replica", "a full memory"],
)
async def test_a_valkey_that_counts_nothing_is_a_lost_one(
    own_valkey: ValkeyServer, breaking: tuple[str, ...], mending: tuple[str, ...]
) -> None:
    """A replica takes no writes, a full memory neither: both answer, and nothing would be limited."""

    async def broken() -> float:
        client: Any = own_valkey.client()
        web = make_app(client, REGISTER=(9, 3600), PAGES=(1000, 60)).test_client()
        await client.set("filler", "x" * 1_000_000)
        await client.execute_command(*breaking)
        statuses = [await status_of(web) for _ in range(8)]
        assert statuses.count(200) <= 3, "a share of nine among two workers"
        waited = longest_wait(client)
        await client.execute_command(*mending)
        await asyncio.sleep(1.1)
        await client.flushall()
        assert await status_of(web) == 200
        assert await client.keys("*REGISTER*")
        await client.aclose()
        return waited

    await some_round(broken)


async def status_of(web: Web) -> int:
    return (await web.post("/register")).status_code


async def test_after_everything_was_flushed_limits_begin_anew_and_hold(client: Valkey) -> None:
    web = make_app(client, REGISTER=(2, 3600), PAGES=(1000, 60)).test_client()
    assert [await status_of(web) for _ in range(3)] == [200, 200, 429]
    await client.flushall()
    await client.script_flush()
    assert [await status_of(web) for _ in range(3)] == [200, 200, 429]


async def weigh(client: Valkey, count: int) -> float:
    """The bytes one key of a limit takes, with so many of them, each by the script itself."""
    decider = SharedDecider(lambda: client, workers=2, prefix="scriptorium")
    await decider.take([Demand("PAGES:warm", 1200, 600.0)])
    before = (await client.info("memory"))["used_memory"]
    for start in range(0, count, 500):
        blocks = (f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::/64" for number in range(start, start + 500))
        keys, arguments = zip(
            *(decider._question([Demand(f"PAGES:{block}", 5, 7200.0)]) for block in blocks), strict=True
        )
        pipeline = client.pipeline(transaction=False)
        for key, given in zip(keys, arguments, strict=True):
            pipeline.evalsha(_GCRA.digest, 1, *key, *given)
        await pipeline.execute()
    assert await client.dbsize() >= count
    assert 0 < await client.pttl(keys[-1][0]) <= 1_500_000
    used: int = (await client.info("memory"))["used_memory"]
    each: float = (used - before) / count
    return each


async def test_a_million_keys_would_stay_within_200_mb(client: Valkey) -> None:
    assert await weigh(client, 20_000) < 200


@pytest.mark.proof
async def test_a_million_keys_stay_within_200_mb(client: Valkey) -> None:
    assert await weigh(client, 1_000_000) < 200
    assert (await client.info("memory"))["used_memory_rss"] < 230_000_000


SERVER = """
import asyncio, json, sys
import uvicorn
from quart import Blueprint, Quart, request
from valkey.asyncio import Valkey
from app.web import error_pages
from app.web.failure_budget import FailureBudget
from app.web.limits import Limiter, named_limit
from quart_rate_limiter import rate_limit
from tests.web.test_limits import Limits, bare_page

told = json.loads(sys.stdin.readline())
client = Valkey(host="127.0.0.1", port=told["valkey"], password=told["password"])
settings = Limits(numbers=(("TRY", 5, 60.0), ("SIGN_IN", 5, 60.0), ("SIGN_IN_ADDRESS", 1000, 60.0)))
app = Quart("served")
budget = FailureBudget(settings, lambda: client)
checks = 0

@app.post("/limited")
@rate_limit(limits=[named_limit("TRY")])
async def limited():
    return "passed"

@app.post("/login/<word>")
async def login(word):
    global checks
    await request.get_data()
    async with budget.attempt({"SIGN_IN": "kim|127.0.0.1", "SIGN_IN_ADDRESS": "127.0.0.1"}) as attempt:
        checks += 1
        await asyncio.sleep(0.02)
        if word != "right":
            return "wrong", 401
        attempt.succeeded()
        return "in"

@app.get("/checks")
async def count():
    return str(checks)

error_pages.install(app, bare_page)
Limiter(settings, lambda: client).init_app(app)
uvicorn.run(app, host="127.0.0.1", port=told["port"], log_level="critical", proxy_headers=False)
"""


@pytest.fixture
def two_workers(valkey_server: ValkeyServer) -> Iterator[list[int]]:
    ports, processes = [free_port(), free_port()], []
    for port in ports:
        process = subprocess.Popen([sys.executable, "-c", SERVER], stdin=subprocess.PIPE)
        told = {"valkey": valkey_server.port, "password": valkey_server.password, "port": port}
        assert process.stdin is not None
        process.stdin.write(json.dumps(told).encode() + b"\n")
        process.stdin.close()
        processes.append(process)
    for port in ports:
        until = time.monotonic() + 20
        while True:
            try:
                if call(port, "GET", "/checks") == (200, b"0"):
                    break
            except OSError:
                assert time.monotonic() < until
                time.sleep(0.1)
    yield ports
    for process in processes:
        process.kill()
        process.wait()


def call(port: int, method: str, path: str) -> tuple[int, bytes]:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
        answer = read_answer(connection)
        return answer.status, answer.body


def burst(ports: list[int], path: str, count: int = 80) -> list[int]:
    """Open all connections, send all but the last byte, then release together: nothing else shows the race."""
    connections = [socket.create_connection(("127.0.0.1", ports[n % len(ports)]), timeout=20) for n in range(count)]
    for connection in connections:
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nx".encode())
    time.sleep(0.5)
    for connection in connections:
        connection.sendall(b"x")
    statuses = [read_answer(connection).status for connection in connections]
    for connection in connections:
        connection.close()
    return statuses


async def test_a_burst_on_two_workers(two_workers: list[int], client: Valkey) -> None:
    for _ in range(3):
        await client.flushall()
        statuses = await asyncio.to_thread(burst, two_workers, "/limited")
        assert statuses.count(200) == 5, statuses
        assert statuses.count(429) == 75


async def test_at_most_five_guesses_of_eighty_reach_the_check(two_workers: list[int], client: Valkey) -> None:
    statuses = await asyncio.to_thread(burst, two_workers, "/login/wrong")
    assert statuses.count(401) == 5
    assert statuses.count(429) == 75
    checks = [int(call(port, "GET", "/checks")[1]) for port in two_workers]
    assert sum(checks) == 5


async def test_eighty_good_sign_ins_at_once_all_pass(two_workers: list[int], client: Valkey) -> None:
    statuses = await asyncio.to_thread(burst, two_workers, "/login/right")
    assert statuses == [200] * 80
    assert (await asyncio.to_thread(burst, two_workers, "/login/wrong", 4)) == [401] * 4
    assert (await asyncio.to_thread(burst, two_workers, "/login/right", 20)) == [200] * 20


def make_budget(client: Valkey, limit: int = 3, period: float = 60.0) -> FailureBudget:
    return FailureBudget(Limits(numbers=(("SIGN_IN", limit, period),)), lambda: client)


async def try_once(budget: FailureBudget, good: bool, who: str = "kim") -> bool:
    async with budget.attempt({"SIGN_IN": who}) as attempt:
        if good:
            attempt.succeeded()
    return good


async def test_failures_leave_the_window_and_say_when(client: Valkey) -> None:
    budget = make_budget(client, 2, 1.0)
    await try_once(budget, False)
    await try_once(budget, False)
    with pytest.raises(Throttled) as refused:
        await try_once(budget, True)
    assert refused.value.retry_after == 1
    assert await try_once(budget, True, "somebody else")
    await asyncio.sleep(1.05)
    assert await try_once(budget, True)


async def test_a_caller_who_hangs_up_has_still_guessed(client: Valkey) -> None:
    budget, trying = make_budget(client, 1), asyncio.Event()

    async def hang() -> None:
        async with budget.attempt({"SIGN_IN": "kim"}):
            trying.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(hang())
    await trying.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    with pytest.raises(Throttled):
        await try_once(budget, True)


async def test_places_of_a_dead_worker_lapse(client: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.failure_budget.HOLD", 0.3)
    budget = make_budget(client, 1)
    held = budget.attempt({"SIGN_IN": "kim"})
    started = time.monotonic()
    await held.__aenter__()  # and never left: this worker is gone
    assert await try_once(budget, True)
    assert 0.2 < time.monotonic() - started < 10


async def test_no_account_names_in_the_store(client: Valkey) -> None:
    await try_once(make_budget(client), False, "kim@example.test")
    assert all(b"kim" not in key for key in await client.keys("*"))


async def test_a_request_that_needs_limits_and_guesses_waits_once(own_valkey: ValkeyServer) -> None:
    async def both() -> float:
        client = own_valkey.client()
        await client.flushall()
        budget, decider = make_budget(client), SharedDecider(lambda: client, workers=2, prefix="t")
        assert (await decider.take([Demand("x", 9, 60.0)])).allowed
        own_valkey.pause()
        try:
            assert (await decider.take([Demand("x", 9, 60.0)])).allowed
            waited = longest_wait(client)
            forget_waits(client)
            assert await try_once(budget, True)
            assert longest_wait(client) == 0, "it waited already"
            assert decider.store.lost
        finally:
            own_valkey.resume()
        await client.aclose()
        return waited

    await some_round(both, above=0.1)


async def test_a_hanging_valkey_that_wakes_up_keeps_no_places(own_valkey: ValkeyServer) -> None:
    client = own_valkey.client()
    budget = make_budget(client, 2)
    assert await try_once(budget, True)
    own_valkey.pause()
    await asyncio.gather(*[try_once(budget, True, f"person {number % 3}") for number in range(9)])
    own_valkey.resume()
    await asyncio.sleep(1.1)
    async with asyncio.timeout(10):
        while True:
            assert await try_once(budget, True)
            if await client.keys("*under_way") == []:
                break
            await asyncio.sleep(0.05)
    await client.aclose()


async def test_failures_seen_before_valkey_was_lost_still_count(own_valkey: ValkeyServer) -> None:
    client = own_valkey.client()
    budget = make_budget(client, 5)
    for _ in range(2):
        await try_once(budget, False)
    own_valkey.stop()
    with pytest.raises(Throttled):
        await try_once(budget, True)
    await client.aclose()


async def test_a_process_that_stood_still_does_not_blame_valkey(client: Valkey) -> None:
    decider = SharedDecider(lambda: client, workers=2, prefix="t")
    for standstill in (0.22, 0.3, 0.5):
        taking = asyncio.ensure_future(decider.take([Demand("x", 9, 60.0)]))
        for _ in range(4):
            await asyncio.sleep(0)
        time.sleep(standstill)  # noqa: ASYNC251  that is the fault being tried
        assert (await taking).allowed
        assert not decider.store.lost


@pytest.mark.parametrize("how", ["pause", "stop"])
async def test_guesses_stay_bounded_without_valkey(own_valkey: ValkeyServer, how: str) -> None:
    async def guesses() -> float:
        client = own_valkey.client()
        await client.flushall()
        budget = make_budget(client, 6)
        assert await try_once(budget, True)
        getattr(own_valkey, how)()
        try:
            started = time.monotonic()
            outcomes = await asyncio.gather(*[try_once(budget, False) for _ in range(20)], return_exceptions=True)
            took = time.monotonic() - started
            assert sum(outcome is False for outcome in outcomes) == 2  # 6 among two workers and one to spare
            assert await try_once(budget, True, "somebody else")
        finally:
            own_valkey.resume() if how == "pause" else own_valkey.start()
        await client.aclose()
        return took

    await some_round(guesses, below=1.0)  # twenty tries, one behind the other: only the first waits


async def test_requests_of_a_limited_route_run_in_a_request(client: Valkey, serve: Callable[..., Server]) -> None:
    app = Quart(__name__)

    @app.get("/api/x")
    async def view() -> str:
        return str(request.path)

    error_pages.install(app, bare_page)
    server_client: list[Valkey] = []

    def connect() -> Valkey:
        if not server_client:
            kwargs = client.connection_pool.connection_kwargs
            server_client.append(Valkey(host="127.0.0.1", port=kwargs["port"], password=kwargs["password"]))
        return server_client[0]

    @app.after_serving
    async def close() -> None:
        await connect().aclose()

    Limiter(Limits(numbers=(("API", 2, 60),)), connect, programs=[named_limit("API")]).init_app(app)
    server = serve(app)
    assert [server.get("/api/x").status for _ in range(3)] == [200, 200, 429]
    refused = server.get("/api/x")
    assert refused.headers["content-type"] == "application/problem+json"
    assert int(refused.headers["retry-after"]) >= 29
    assert refused.headers["content-security-policy"]
