"""What pages and printed sheets are made of and what is not ours: fonts, icons, voices, taken from packages at build time."""
