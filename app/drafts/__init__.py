"""Texts under way: what somebody typed and has not saved, one for each place they write in, seen by nobody else."""
