"""Who else is at a document, and what became of it meanwhile, told over WebSockets (RFC 6455)."""
