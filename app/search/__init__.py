"""Finding texts: the journal for everybody, documents for those who may see them."""
