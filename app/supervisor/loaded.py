"""The last thing the process loads from which workers are copied: what came before is set aside from collection.

It is not looked through before: what loading left over is next to nothing, and the time is what a start waits for.
"""

from __future__ import annotations

import gc

# What is never looked at again is not written to either, and so stays shared between the workers.
gc.freeze()
gc.enable()
