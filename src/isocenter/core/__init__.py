"""The nouns of the house; stdlib and numpy only, imports nothing of ours."""
