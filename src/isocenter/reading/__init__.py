"""A study comes in, findings or a named reason for none come out."""
