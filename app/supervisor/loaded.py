"""The last thing the process loads from which workers are copied: what came before is set aside from collection."""

from __future__ import annotations

import gc

# What is never looked at again is not written to either, and so stays shared between the workers.
gc.collect()
gc.freeze()
