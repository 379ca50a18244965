"""Runs `local.run` as a command."""

import sys

from local.run import main

sys.exit(main(sys.argv[1:]))
