"""Generations on disk, and the index inside one."""
