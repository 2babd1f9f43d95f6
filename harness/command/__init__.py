"""Installed as ``corroborate_command``, beside ``harness`` and not in it, so that no package can hide it."""
