"""Files beside a document: taken in and given out in pieces, kept under their hashes, shown only after being made anew."""
