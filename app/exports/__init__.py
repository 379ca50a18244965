"""Texts to take along: Markdown as it was written, and PDF made at the press within a budget."""
