"""How good a generation is, and whether it may go live."""
