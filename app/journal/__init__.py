"""The journal: entries that everybody may read, written by members or published from documents."""
