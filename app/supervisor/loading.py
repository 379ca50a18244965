"""The first thing the process loads from which workers are copied: until the last, rubbish is not looked for."""

from __future__ import annotations

import gc

gc.disable()  # what is loaded stays, and looking through it again and again takes a seventh of the time
