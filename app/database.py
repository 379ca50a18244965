"""PostgreSQL for the application: two engines over short-lived logins, transactions, and errors in our own words.

Every physical connection is stamped with the generation of the login it was opened with.  When the login turns, stale
connections are replaced one by one as they are taken out of the pool, so a swap costs no request anything.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final, TypeVar

import asyncpg
from sqlalchemy import DateTime, MetaData, event, exc, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, PoolProxiedConnection

from app.errors import DomainError, Unavailable
from app.reader import Reader, Readers, Reading
from app.settings import Settings
from app.tasks import end
from app.vault.probe import CONNECT_TIMEOUT, DRIVER_FAULTS, REFUSED, tls_of
from app.vault.snapshot import DatabaseLogin, SecretSource, Snapshot

C = TypeVar("C", bound=AsyncConnection)

SPARE: Final = 5
POOL_TIMEOUT: Final = 5.0  # seconds a request may wait for a connection
DRAIN_LOOK: Final = 0.05
QUERY_CANCELED: Final = "57014"  # our own statement_timeout
LOST: Final = ("08", "57P", "53300")  # connection exceptions, shutdowns, too many connections
AWAY: Final = (DomainError, OSError, *DRIVER_FAULTS)
"""What work that nobody waits for meets while something it needs is away: told in a word, and tried again."""
LONGEST_DOUBT: Final = 5.0  # seconds to find out whether a commit whose answer was lost was kept
NUMBER: Final = text("SELECT CAST(CAST(pg_current_xact_id_if_assigned() AS text) AS bigint)")
STATUS: Final = text("SELECT pg_xact_status(CAST(CAST(:number AS text) AS xid8))")
CONTENDED: Final = ("40001", "40P01", "55P03")  # serialization failure, deadlock, lock not available

_log = logging.getLogger("scriptorium.database")


class Base(DeclarativeBase):
    """Every table; constraints are named by rule, so that migrations can speak of them, and times are aware."""

    type_annotation_map: ClassVar = {datetime: DateTime(timezone=True)}
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Contention(Unavailable):
    """Two transactions stood in each other's way and this one gave in; nothing of it was kept, trying again helps."""

    code = "contention"
    title = "Somebody is changing the same thing"


class Lost(Unavailable):
    """The connection went away before anything of the transaction was kept; doing all of it again is safe."""

    code = "database_unavailable"


class OutcomeUnknown(Unavailable):
    """The connection went away while committing, and PostgreSQL cannot be asked whether it did."""

    code = "outcome_unknown"
    title = "It is not known whether this was saved"


@dataclass
class Sitting:
    """What has been kept so far by one piece of work, such as a request; only work that kept nothing may be repeated."""

    kept: int = 0


SITTING: Final[ContextVar[Sitting | None]] = ContextVar("scriptorium-sitting", default=None)


class Generations:
    """Stamps connections with login generations, counts them, and refuses to hand out stale ones."""

    def __init__(self, source: SecretSource) -> None:
        self._source = source
        self.live: Counter[int] = Counter()

    def guard(self, engine: AsyncEngine) -> None:
        """Let this engine take its login from the source, for ever."""
        event.listen(engine.sync_engine, "do_connect", self._connect)
        event.listen(engine.sync_engine.pool, "connect", self._opened)
        event.listen(engine.sync_engine.pool, "close", self._closed)
        event.listen(engine.sync_engine.pool, "checkout", self._checkout)

    def stale(self) -> int:
        """How many connections of older logins are still open."""
        current = self._source.snapshot.login.generation
        return sum(count for generation, count in self.live.items() if generation < current)

    def present(self) -> int:
        """The generation of the login by now; raises Unavailable when it has ended."""
        login = self._source.snapshot.login
        _check_end(login)
        return login.generation

    def _connect(self, dialect: Any, record: ConnectionPoolEntry, args: Any, parameters: dict[str, Any]) -> Any:
        login = self._source.snapshot.login  # one read: user, password and generation belong together
        _check_end(login)
        record.info["generation"] = login.generation
        # `parameters` is the engine's own dict and lives as long as it does: never write a password into it.
        return dialect.connect(*args, **{**parameters, "user": login.user, "password": login.password})

    def _opened(self, _: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        self.live[record.info["generation"]] += 1

    def _closed(self, _: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        generation = record.info.get("generation") if record is not None else None
        if generation is not None:
            self.live[generation] -= 1
            if self.live[generation] <= 0:
                del self.live[generation]

    def _checkout(self, connection: DBAPIConnection, record: ConnectionPoolEntry, _: PoolProxiedConnection) -> None:
        login = self._source.snapshot.login
        # In both cases the pool reconnects this record, unseen by the caller.
        if record.info.get("generation") != login.generation:
            raise exc.DisconnectionError("stale login")
        if connection.driver_connection.is_closed():  # asyncpg saw the server hang up
            raise exc.DisconnectionError("closed by the server")
        _check_end(login)


class Database:
    """The two engines of one process: transactional for changes, AUTOCOMMIT for reads (half the round trips)."""

    def __init__(self, settings: Settings, source: SecretSource, *, application_name: str = "scriptorium") -> None:
        self._source = source
        self._generations = Generations(source)
        options = _options(settings, application_name)
        url = f"postgresql+asyncpg://{settings.database_host}:{settings.database_port}/{settings.database_name}"
        size = settings.database_pool + SPARE
        # No overflow on top: those connections are closed at each return, and opening one costs ten reads.
        pool = {"pool_size": size, "max_overflow": 0, "pool_timeout": POOL_TIMEOUT, "pool_recycle": 1800}
        self._writes = create_async_engine(url, **pool, **options)
        # Set at creation, not by execution_options: that costs 32 microseconds more on every statement.
        self._reads = create_async_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool, **options)
        for engine in (self._writes, self._reads):
            self._generations.guard(engine)
        self._readers = Readers(self._reads, size, POOL_TIMEOUT, self._generations.present)
        self._generation = 0
        self._draining: asyncio.Task[None] | None = None
        source.count_connections(lambda: self._generations.live)
        source.on_change(self._login_may_have_turned)

    @property
    def connections(self) -> Mapping[int, int]:
        """Open connections by login generation."""
        return dict(self._generations.live)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed on success, rolled back on any exception, cancellation included.

        Raises Unavailable when there is no connection to be had, Contention when another transaction was in the way;
        everything else (IntegrityError above all) passes through untouched.  A connection that is lost before the commit
        raises Lost; one that is lost in it is followed by a question to PostgreSQL, never by a guess.
        """
        connection = await self._connect(self._writes.connect)
        try:
            with _working():
                async with AsyncSession(bind=connection, expire_on_commit=False) as session, session.begin():
                    try:
                        yield session
                        await self._commit(session, connection)
                    except TimeoutError:
                        # Before the rollback, which would wait for a server that does not answer as well.
                        await connection.invalidate()
                        raise
        finally:
            # Shielded: a caller who went away must not leave a connection half returned.
            await asyncio.shield(connection.close())

    def read(self) -> Reading:
        """A connection on which every statement stands alone; for reads, and for single statements that are a whole."""
        return Reading(self._readers, self._reader, _translated)

    async def stop(self) -> None:
        """Close every connection."""
        if self._draining is not None:
            await end(self._draining)
        await self._writes.dispose()
        await self._readers.close()
        await self._reads.dispose()

    async def _commit(self, session: AsyncSession, connection: AsyncConnection) -> None:
        """Commit, and find out whether it was kept if the answer is lost; raises Lost or OutcomeUnknown."""
        await session.flush()
        if not connection.in_transaction():
            return
        number: int | None = await session.scalar(NUMBER)
        try:
            await session.commit()
        except (exc.DBAPIError, TimeoutError) as error:
            lost = isinstance(error, TimeoutError) or _went_away(error)
            if number is None or not lost:
                raise
            await connection.invalidate()
            if not await self._was_kept(number):
                raise Lost("The database went away") from error
        if number is not None and (sitting := SITTING.get()) is not None:
            sitting.kept += 1

    async def _was_kept(self, number: int) -> bool:
        """Whether a transaction was committed, as PostgreSQL remembers it; raises OutcomeUnknown when it cannot say."""
        deadline = asyncio.get_running_loop().time() + LONGEST_DOUBT
        while asyncio.get_running_loop().time() < deadline:
            with suppress(Unavailable, TimeoutError):
                async with asyncio.timeout_at(deadline), self.read() as other:
                    status = await other.scalar(STATUS, {"number": str(number)})
                if status != "in progress":
                    return bool(status == "committed")
            await asyncio.sleep(DRAIN_LOOK)
        raise OutcomeUnknown("Look whether it is there before you try again")

    async def _reader(self) -> Reader:
        return self._readers.at_hand() or await self._connect(self._readers.take)

    async def _connect(self, take: Callable[[], Awaitable[C]]) -> C:
        """Take a connection; a login PostgreSQL refuses is refetched and tried once more."""
        try:
            with _connecting():
                return await take()
        except _LoginRefused:
            await self._source.refresh("database")
        except exc.InvalidRequestError:
            pass  # the login turned twice while the pool was opening this connection
        with _connecting():
            return await take()

    def _login_may_have_turned(self, snapshot: Snapshot) -> None:
        if snapshot.login.generation != self._generation:
            self._generation = snapshot.login.generation
            if self._draining is None or self._draining.done():
                self._draining = asyncio.get_running_loop().create_task(self._drain(), name="drain-connections")

    async def _drain(self) -> None:
        """Touch idle connections until none of an older login is left, however little traffic there is."""
        while self._generations.stale() > 0:
            try:
                await self._readers.retire()
                if self._writes.pool.checkedin():  # type: ignore[attr-defined]  # every queue pool has it
                    async with self._writes.connect():
                        pass
            except (exc.SQLAlchemyError, OSError, TimeoutError, Unavailable) as error:
                _log.info("draining waits: %s", type(error).__name__)
            await asyncio.sleep(DRAIN_LOOK)


def _check_end(login: DatabaseLogin) -> None:
    if login.seconds_left() <= 0:
        raise Unavailable("The database login has ended and Vault gives no other", code="secrets_unavailable")


class _LoginRefused(Unavailable):
    """PostgreSQL does not know the login, or not any more: Vault revoked it, or we were slower than a swap."""


def _options(settings: Settings, application_name: str) -> dict[str, Any]:
    return {
        "hide_parameters": True,  # an error is logged with its statement; the values may be hashes and addresses
        "connect_args": {
            "ssl": tls_of(settings),
            "timeout": CONNECT_TIMEOUT,
            # The server's own timeout comes first; this one is for a server that stands still or is cut off.
            "command_timeout": settings.statement_timeout + 2.0,
            "server_settings": {
                "application_name": application_name,
                "search_path": "app",
                "jit": "off",  # its compile time shows on statements that only look expensive
                "statement_timeout": _milliseconds(settings.statement_timeout),
                "lock_timeout": _milliseconds(settings.lock_timeout),
                "idle_in_transaction_session_timeout": _milliseconds(settings.idle_in_transaction_timeout),
            },
        },
    }


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))


@contextmanager
def _connecting() -> Iterator[None]:
    """What can go wrong while taking a connection, in our words; the driver's errors arrive here untranslated."""
    try:
        yield
    except exc.TimeoutError:
        raise Unavailable("The database is busy", code="database_busy") from None
    except (asyncpg.PostgresError, exc.DBAPIError) as error:
        if _sqlstate(error) in REFUSED:
            raise _LoginRefused("The database refuses our login", code="secrets_unavailable") from None
        _log.warning("no connection: %s (%s)", type(error).__name__, _sqlstate(error))
        raise Unavailable("The database cannot be reached", code="database_unavailable") from None
    except (*DRIVER_FAULTS, OSError, TimeoutError) as error:
        _log.warning("no connection: %s", type(error).__name__)
        raise Unavailable("The database cannot be reached", code="database_unavailable") from None


@contextmanager
def _working() -> Iterator[None]:
    """What can go wrong with a connection in hand; only failures of the ground below us are translated."""
    try:
        yield
    except Exception as error:
        said = _translated(error)
        if said is None:
            raise
        raise said from error


def _translated(error: BaseException) -> Unavailable | None:
    """A failure of the ground below us in our words; None for everything else.

    It comes wrapped by SQLAlchemy, or as the driver raises it where a prepared statement ran on a `Reader`.
    """
    if isinstance(error, TimeoutError):
        return Unavailable("The database does not answer", code="database_unavailable")
    if not isinstance(error, (exc.DBAPIError, asyncpg.PostgresError, *DRIVER_FAULTS)):
        return None
    state = _sqlstate(error)
    if state in CONTENDED:
        return Contention(retry_after=1)
    if state == QUERY_CANCELED:
        return Unavailable("The database took too long", code="database_slow")
    return Lost("The database went away") if _went_away(error) else None


def _went_away(error: BaseException) -> bool:
    # The driver's own errors, which carry no state, are of a connection that has been closed.
    closed = error.connection_invalidated if isinstance(error, exc.DBAPIError) else not hasattr(error, "sqlstate")
    return closed or _sqlstate(error).startswith(LOST)


def _sqlstate(error: BaseException) -> str:
    return str(getattr(getattr(error, "orig", error), "sqlstate", None) or "")
