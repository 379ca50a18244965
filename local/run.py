"""`python -m local run|demo|reset`: the whole house in the foreground of one terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from types import FrameType
from typing import NoReturn

import psutil

from app.settings import Settings
from local.choices import Choices, read_choices
from local.errors import StackError, StopAskedError
from local.instance import announce, withdraw
from local.keeper import Keeper
from local.ports import is_free
from local.processes import Child, wait_until
from local.progress import Terminal
from local.reset import reset
from local.serving import READY_PATIENCE, is_ready, last_words, run_demo, start_application
from local.stack import Stack

TICK_SECONDS = 0.2
WANTS_FRESH_SECRET_ID = 75
RESTARTS = 5


class Runner:
    """One run from the first step to the last process gone."""

    def __init__(self, choices: Choices, terminal: Terminal, *, demo: bool) -> None:
        self._choices = choices
        self._terminal = terminal
        self._demo = demo
        self._asked: list[str] = []
        self._app: Child | None = None
        self._keeper: Keeper | None = None
        self._restarts = 0
        self._claimed = False
        self._stack = Stack(
            choices.state,
            progress=terminal,
            cancelled=lambda: bool(self._asked),
            lasting_login=choices.given.get("SCRIPTORIUM_DATABASE_LOGIN") == "static",
        )

    def run(self) -> int:
        """Start, serve until asked to stop, stop; 0 when it ended because somebody asked, 1 otherwise."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        try:
            self._start()
            self._watch()
        except StopAskedError:
            self._terminal.say(f"{self._asked[0]}: stopping.")
            return 0
        except StackError as error:
            self._terminal.say(str(error), style="bold red")
            return 1
        finally:
            self._stop()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        # The second request means it: whatever still drains is cut off.
        if self._asked and self._app:
            self._app.process.kill()
        self._asked.append({signal.SIGINT: "Ctrl-C"}.get(signal.Signals(number), signal.Signals(number).name))

    def _start(self) -> None:
        _, settings = self._choices.settings()  # a mistake in them is told before anything is touched
        self._stack.claim()
        self._claimed = True
        _check_public_port(settings)
        self._choices.certify()
        self._stack.start()
        with self._terminal.step("Bringing the database up to date", "The database is up to date"):
            self._stack.migrate()
        self._environment, self._settings = self._choices.settings(self._stack.environment())
        self._keeper = Keeper(self._stack, self._terminal.say)
        with self._terminal.step("Starting the application", "The application is ready"):
            self._start_application()
        if self._demo:
            self._set_up_demo()
        self._say_ready()

    def _set_up_demo(self) -> None:
        """Fill the site; one that has people already is served as it is, and the reason said."""
        self._tend()
        try:
            with self._terminal.step("Setting up the demonstration", "The demonstration is set up"):
                sign_ins = run_demo(self._environment, self._stack.command_secret_id_file)
        except StackError as error:
            self._terminal.say(str(error), style="yellow")
        else:
            self._terminal.say(sign_ins)

    def _start_application(self) -> None:
        self._tend()
        log = self._stack.folders.logs / "app.log"
        self._app = start_application(self._environment, self._settings, log)
        self._stack.servers.remember(self._app)
        announce(self._stack, self._settings.public_url, self._environment, ready=False)
        try:
            wait_until(lambda: is_ready(self._settings), self._app, self._tend_and_ask, READY_PATIENCE)
        except StackError as error:
            raise StackError(f"{error} It said last: {last_words(log)}") from error
        announce(self._stack, self._settings.public_url, self._environment, ready=True)

    def _tend(self) -> None:
        if self._keeper:
            self._keeper.tick()

    def _tend_and_ask(self) -> bool:
        self._tend()
        return bool(self._asked)

    def _say_ready(self) -> None:
        where = self._stack.folders
        trust = f"; trust {where.tls / 'ca.pem'} in your browser" if self._choices.tls else ""
        self._terminal.say(f"Logs are in {where.logs}{trust}. Ctrl-C stops everything.")
        self._terminal.say(f"Scriptorium is ready: {self._settings.public_url}", style="bold green")

    def _watch(self) -> NoReturn:
        while not self._asked:
            time.sleep(TICK_SECONDS)
            if crashed := self._stack.servers.crashed():
                raise StackError(f"{crashed.epitaph()} Stopping the rest.")
            if self._app and self._app.ended is not None and not self._asked:
                self._restart_or_give_up(self._app)
            self._tend()
            self._stack.servers.tidy()
        raise StopAskedError

    def _restart_or_give_up(self, app: Child) -> None:
        """An application that ends with 75 asks for a new secret-id and another try (sysexits EX_TEMPFAIL)."""
        self._restarts += 1
        if app.ended != WANTS_FRESH_SECRET_ID or self._restarts > RESTARTS:
            raise StackError(f"{app.epitaph()} Stopping the rest.")
        self._terminal.say("The application lost its hold on its secrets and is started again with a fresh secret-id.")
        self._start_application()

    def _stop(self) -> None:
        if not self._claimed:
            return
        began = time.monotonic()
        if self._app:
            self._app.stop()
        withdraw(self._stack)
        if self._keeper:
            self._keeper.clear()
        self._stack.stop()
        self._terminal.say(f"Everything is stopped ({time.monotonic() - began:.1f} s).")


def _check_public_port(settings: Settings) -> None:
    if is_free(settings.port, settings.host):
        return
    holder = _holder_of(settings.port)
    raise StackError(
        f"Port {settings.port} on {settings.host} is taken{holder}; choose another with PORT, "
        f"for example: make run PORT={settings.port + 1}"
    )


def _holder_of(port: int) -> str:
    """Name the process that listens on a port, if we may know."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
                return (
                    f" by process {connection.pid} ({psutil.Process(connection.pid).name()})" if connection.pid else ""
                )
    except psutil.Error:
        return ""
    return ""


def main(arguments: list[str]) -> int:
    """Do what the one argument says."""
    terminal = Terminal()
    try:
        choices = read_choices(os.environ)
        match arguments:
            case ["run" | "demo" as what]:
                return Runner(choices, terminal, demo=what == "demo").run()
            case ["reset"]:
                return reset(choices.state, terminal, sure=os.environ.get("YES") == "1")
    except (StackError, subprocess.CalledProcessError) as error:
        terminal.say(str(error), style="bold red")
        return 1
    terminal.say("usage: python -m local run|demo|reset")
    return 2
