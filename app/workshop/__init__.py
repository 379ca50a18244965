"""Work that may cost much time or memory, done at benches: short-lived processes with hard limits, a few at a time."""
