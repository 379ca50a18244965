"""Letters to people: written down in the transaction they speak of, sealed, and handed to a mail server afterwards.

Without a mail server (SCRIPTORIUM_SMTP_HOST) nothing is written down.  What is personal in a letter, the address above all,
lies in the table only as AES-GCM under a data key that Vault wrapped and that is open in memory alone.
"""
