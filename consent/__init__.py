"""Who may see what, for how long, and the proof: rules only, time is an argument."""
