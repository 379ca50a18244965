"""The watch: what happened against the house, counted and kept within bounds, and what is unusual about it.

The audit trail (`app.audit`) holds every deed, stands or falls with its transaction, and only grows.  Here are attempts,
most of which never became a deed: there may be millions of them, so they are gathered by hour and source.
"""
