"""Becomes another program that ends when its parent does, as another OS user if asked; run as a script, not imported.

    python -I -S guard.py SIGNAL PARENT_PID UID GID PROGRAM [ARGUMENT ...]

The kernel's parent-death signal survives exec but not a change of user, so the order here matters.  Where the
kernel has no such thing, the next start ends what was left behind.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Drop to UID and GID (-1 keeps them), bind our life to PARENT_PID's, become PROGRAM."""
    death_signal, parent, uid, gid = (int(word) for word in arguments[:4])
    program = arguments[4:]
    if uid >= 0:
        os.setgroups([gid])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit(1)
    os.umask(0o077)
    os.execv(program[0], program)  # noqa: S606 - becoming another program is the point


if __name__ == "__main__":
    main(sys.argv[1:])
