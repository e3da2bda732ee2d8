"""The page and the command line: what a person meets. Knows everything below it; nothing below knows it."""
