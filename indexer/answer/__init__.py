"""What of an answer is shown."""
