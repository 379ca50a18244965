"""Finds or fetches the Chromium that the browser tests drive: `python -m local.chromium` prints where it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

# The shell is the same browser without the windows it would draw for nobody, at half of the processor time.
SHELL = "chromium-headless-shell"
NAMES = (SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
TRIES = 3


def find() -> Path | None:
    """Return a Chromium of this machine, or the one playwright has fetched, or None."""
    for name in NAMES:
        if (program := shutil.which(name)) and _runs(program):
            return Path(program)
    with sync_playwright() as playwright:
        fetched = Path(playwright.chromium.executable_path)
    return fetched if fetched.exists() else None


def _runs(program: str) -> bool:
    """Tell whether it starts; Ubuntu's package is only a signpost to another one."""
    done = subprocess.run([program, "--version"], capture_output=True, check=False)
    return done.returncode == 0


def _apt_install(package: str, tries: int = TRIES) -> bool:
    """Install the distribution's package, which needs root and a Debian-like system; tell whether it worked."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    bounds = ["-o", "Acquire::http::Timeout=20", "-o", "Acquire::Retries=0"]
    steps = (
        ["apt-get", "update", "-qq", *bounds],
        ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *bounds, package],
    )
    print(f"Installing {package} with apt-get ...", file=sys.stderr)
    for _ in range(tries):
        done = [subprocess.run(step, env=environment, stdout=subprocess.DEVNULL, check=False) for step in steps]
        if done[-1].returncode == 0:
            return True
    return False


def _playwright_install() -> bool:
    print("Fetching Chromium with playwright ...", file=sys.stderr)
    return subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False).returncode == 0


def ensure() -> Path | None:
    """Return a Chromium, fetching one by whichever way works; None when none does.

    A machine of continuous integration is given the shell even where it has another: it is there to be quick.
    """
    if os.environ.get("CI") and not shutil.which(SHELL):
        _apt_install(SHELL, tries=1)
    return (
        find()
        or (find() if _apt_install(SHELL) or _apt_install("chromium") else None)
        or (find() if _playwright_install() else None)
    )


def main() -> int:
    """Print where Chromium is; 1 with one sentence when there is none."""
    program = ensure()
    if program is None:
        print(
            "The browser tests need Chromium and it could not be fetched: install it so that `chromium` is on PATH "
            "(Debian: apt-get install chromium), or run `.venv/bin/playwright install --with-deps chromium`.",
            file=sys.stderr,
        )
        return 1
    print(f"Browser: {program}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
