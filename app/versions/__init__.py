"""What every text with a history shares: keeping versions small, comparing two, putting two people's changes together.

It knows nothing of documents or entries; they bring their texts and get texts back.
"""
