"""Commissioned documents: from a sponsor's draft to a published text, with every save kept."""
