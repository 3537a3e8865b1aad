"""Text to index terms, the same way for answers and for questions."""
