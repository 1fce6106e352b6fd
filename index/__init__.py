"""Offline indexing: media to shots, vectors and facts; and the library that holds them.

Imports nothing of ours but itself.
"""
