"""Likeness of meaning: vectors of answers beside the words. An extra; nothing here is imported unless it is set."""
