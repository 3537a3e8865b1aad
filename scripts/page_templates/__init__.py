"""Turns the plain source of the demonstration corpus into raw pages, one template for each invented site."""
