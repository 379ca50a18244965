"""People: who they are, how they prove it, what they may do and what became of their application.

Here belong accounts, passwords, browser sessions and their life cycle.  Bearer tokens live in `app.tokens`, the
decisions of administrators in `app.admin`, which calls this feature's service.
"""
