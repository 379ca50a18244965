"""What an operator types besides `serve`: migrate, make the first administrator, rotate, verify, back up and look.

What only one command needs is loaded by that command: most of the time they take is that of loading.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec
from rich.console import Console
from rich.progress import Progress

from app import operations, rotation
from app.accounts.service import Decision
from app.audit.verdict import in_words
from app.command_line import fail, instance_environment, load_settings
from app.errors import DomainError, Invalid
from app.ids import now
from app.vault.errors import VaultError, VaultStartError

T = TypeVar("T")
NOT_RUNNING, USAGE, REFUSED = 69, 64, 1


def run(work: Callable[[], Awaitable[T]]) -> T:
    """Run one operation; every refusal becomes a sentence and an exit code."""
    try:
        return asyncio.run(_awaited(work))
    except VaultStartError as error:
        fail(error.message, error.exit_code)
    except operations.NotRunning as error:
        fail(str(error), NOT_RUNNING)
    except Invalid as error:
        fail("; ".join(f"{name}: {' '.join(said)}" for name, said in error.errors.items()), USAGE)
    except (DomainError, VaultError) as error:
        fail(str(error), REFUSED)


async def _awaited(work: Callable[[], Awaitable[T]]) -> T:
    return await work()


def tell(value: Any, *, as_json: bool, words: str) -> None:
    """Print a result for people, or as JSON for programs."""
    click.echo(msgspec.json.encode(value).decode() if as_json else words)


@click.group()
def main() -> None:
    """The commands of `app.cli`, which is where one comes in."""


@main.command()
@click.option("--revision", default="head", show_default=True, help="Where to bring the schema.")
def migrate(revision: str) -> None:
    """Bring the database to the newest schema, under the migration's own login from Vault."""
    from app import migrations  # noqa: PLC0415 - loads alembic, for which no other command should wait

    settings = load_settings(os.environ)
    run(lambda: migrations.migrate(settings, revision))
    click.echo("The database has the newest schema.")


@main.group()
def admin() -> None:
    """Administrators."""


@admin.command("create")
@click.option("--email", required=True, help="Their address, with which they sign in.")
@click.option("--display-name", required=True, help="Their name as others see it.")
@click.option(
    "--password-stdin",
    is_flag=True,
    required=True,
    expose_value=False,  # there is no other way: an argument would be seen by everybody on this machine
    help="Read the password from standard input.",
)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def admin_create(email: str, display_name: str, as_json: bool) -> None:
    """Make an administrator; a person who has an account already is given the role."""
    password = sys.stdin.readline().rstrip("\r\n")
    settings = load_settings(instance_environment())
    made = run(lambda: operations.create_admin(settings, email, display_name, password))
    words = f"{email} is an administrator now." if made.made else f"{email} had an account and is an administrator now."
    tell(made, as_json=as_json, words=words)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def status(as_json: bool) -> None:
    """Say how the running instance stands: secrets, database, people."""
    settings = load_settings(instance_environment())
    found = run(lambda: operations.status(settings))
    tell(found, as_json=as_json, words=operations.in_words(found))


@main.group("secrets")
def secrets_group() -> None:
    """Keys and logins from Vault."""


@secrets_group.command("rotate")
@click.argument("what", type=click.Choice([*rotation.SECRETS, rotation.ALL]))
@click.option(
    "--token-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File with the rotator's token (default: SCRIPTORIUM_ROTATOR_TOKEN_FILE, set by `make run`).",
)
@click.option("--emergency", is_flag=True, help="Make the old void at once: destroy old versions, revoke all logins.")
@click.option("--yes", is_flag=True, help="Do not ask before an emergency rotation.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def secrets_rotate(what: str, token_file: Path | None, emergency: bool, yes: bool, as_json: bool) -> None:
    """Rotate a secret while serving; returns once every worker accepts the new version.

    Nobody is signed out by it: what was signed with the version before is accepted until that version's grace ends.
    """
    settings = load_settings(instance_environment())
    wanted = rotation.order(what, emergency=emergency)
    if emergency and not yes:
        click.confirm(f"This cannot be undone: {rotation.consequences(wanted)}. Go on?", abort=True, err=True)
    done = run(lambda: rotation.rotate(settings, wanted, token_file))
    lines = [f"{one.secret}: version {one.version}, used from {one.used_from}" for one in done.rotated]
    tell(done, as_json=as_json, words="\n".join([*lines, f"{done.workers} workers accept it."]))


@main.group()
def people() -> None:
    """People and their accounts."""


def _decide(verb: str, email: str, reason: str, message: str, *, as_json: bool) -> None:
    settings = load_settings(instance_environment())
    decision = Decision(verb, reason, message)
    found = run(lambda: operations.decide_about(settings, email, decision))
    tell(found, as_json=as_json, words=f"{email} is {found.status} now.")


@people.command("suspend")
@click.argument("email")
@click.option("--reason", required=True, help="Why, for the record; the person does not see it.")
@click.option("--message", default="", help="What the person is told.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def people_suspend(email: str, reason: str, message: str, as_json: bool) -> None:
    """Suspend somebody: whatever they are signed in with ends at once, everywhere."""
    _decide("suspend", email, reason, message, as_json=as_json)


@people.command("reinstate")
@click.argument("email")
@click.option("--reason", required=True, help="Why, for the record; the person does not see it.")
@click.option("--message", default="", help="What the person is told.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def people_reinstate(email: str, reason: str, message: str, as_json: bool) -> None:
    """Reinstate somebody who was suspended."""
    _decide("reinstate", email, reason, message, as_json=as_json)


@main.command()
@click.argument("beginning", default="/")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def headers(beginning: str, as_json: bool) -> None:
    """List every route with the security headers of its answers, and what it declares to answer differently.

    BEGINNING leaves only routes whose address begins so.  Nothing needs to be running.  Exits with 0, with 1 when no
    route begins so, and with 78 when the settings cannot be used.
    """
    from app.factory import create_app  # noqa: PLC0415 - the whole application, which no other command waits for
    from app.web import header_list  # noqa: PLC0415 - loads the application too, for which no other command should wait

    settings = load_settings(instance_environment())
    found = header_list.header_list(create_app(settings), https=settings.secure, files_url=settings.files_url)
    routes = [route for route in found.routes if route.rule.startswith(beginning)]
    if not routes:
        fail(f"no route begins with {beginning}", REFUSED)
    shown = msgspec.structs.replace(found, routes=routes)
    tell(shown, as_json=as_json, words=header_list.in_words(found, routes))


@main.group()
def audit() -> None:
    """The audit trail."""


@audit.command("verify")
@click.option(
    "--copy",
    "copies",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A copy of the seals, of this or another host; may be given several times (default: this host's).",
)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def audit_verify(copies: tuple[Path, ...], as_json: bool) -> None:
    """Recompute the whole trail and name the first event that was edited, removed, inserted, reordered or cut off.

    Exits with 0 when it is whole, 1 when it is not, 69 when there is no instance to ask.
    """
    settings = load_settings(instance_environment())
    with Progress(console=Console(stderr=True), disable=as_json or not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task("Verifying", total=None)

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        report = run(lambda: operations.verify_audit(settings, copies, progress))
    tell(report, as_json=as_json, words=in_words(report))
    sys.exit(0 if report.good else REFUSED)


@main.command("backup")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def make_backup(file: Path | None, as_json: bool) -> None:
    """Back up everything people made to FILE (default: scriptorium-<time>.tar.gz here), while the instance serves.

    It holds the database and the attached files.  Secrets are not in it: Vault has its own backup, and without its
    pepper nobody in this one can sign in.
    """
    from app.backup import service as backup  # noqa: PLC0415 - only taking and restoring a backup should wait for it

    settings = load_settings(instance_environment())
    target = file or Path(f"scriptorium-{now():%Y%m%d-%H%M%S}.tar.gz")
    if not target.parent.is_dir():
        fail(f"there is no folder {target.parent}", USAGE)
    made = _with_steps("Backing up", as_json, lambda say: backup.make(settings, target, say))
    words = (
        f"{made.rows} rows of {made.tables} tables and {made.files} files are in {made.file} ({made.bytes:,} bytes)."
    )
    tell(made, as_json=as_json, words=words)


@main.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def restore_backup(file: Path, as_json: bool) -> None:
    """Put the backup in FILE back into a running instance that has nobody and nothing yet, and verify its trail.

    Everybody signs in again afterwards.  Exits with 0 when the trail is whole, 1 when it is not or nothing was done.
    """
    from app.backup import service as backup  # noqa: PLC0415 - only taking and restoring a backup should wait for it

    settings = load_settings(instance_environment())
    found = _with_steps("Restoring", as_json, lambda say: backup.restore(settings, file, say))
    words = f"{found.rows} rows and {found.files} files of {found.made_at} are back.\n{in_words(found.trail)}"
    tell(found, as_json=as_json, words=words)
    sys.exit(0 if found.trail.good else REFUSED)


def _with_steps(title: str, as_json: bool, work: Callable[[Callable[[str], None]], Awaitable[T]]) -> T:
    """Run long work with its present step shown on a terminal."""
    with Progress(console=Console(stderr=True), disable=as_json or not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task(title, total=None)
        return run(lambda: work(lambda step: bar.update(task, description=f"{title}: {step}")))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def demo(as_json: bool) -> None:
    """Fill an empty instance with believable people, documents and entries, and print their sign-ins.

    Where that was done before, the same people get new passwords.
    """
    settings = load_settings(instance_environment())
    cast = run(lambda: operations.make_demo(settings))
    words = "\n".join(f"{person.role:16} {person.email:24} {person.password}" for person in cast)
    tell(cast, as_json=as_json, words=words)
