"""Which pixels drove an answer, and whether the picture that says so deserves belief."""
