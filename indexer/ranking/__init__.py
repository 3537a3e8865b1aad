"""Which answers, in which order."""
