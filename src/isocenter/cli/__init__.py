"""The command line: one file per noun; nothing heavy is imported before a command runs."""
