"""The algorithms of the papers and of their baselines, usable on their own.

One package a paper; what two papers share is in :mod:`methods.common`.
"""
