"""Rights that are remembered and rights that end: recognising a caller without a query, and "out" within milliseconds.

`memory` keeps what a process knows of people and credentials, `line` hears what ended through PostgreSQL's NOTIFY,
`notices` says it in the transaction that ends it, `confirmations` tells the administrator that every worker has heard.
"""
