"""What happened, who did it and from where: an append-only trail, written in the transaction of the deed itself."""
