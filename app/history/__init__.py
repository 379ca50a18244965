"""What somebody may read of the trail about themselves: what they did, and what was done to their account."""
