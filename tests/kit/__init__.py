"""Starters of real servers and other things several tests need."""
