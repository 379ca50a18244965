"""Benchmarks with the peers they run against; `python -m bench` prints one table of ratios."""
