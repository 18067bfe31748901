"""Network shapes; each forward gives a dict with at least "logits"."""
