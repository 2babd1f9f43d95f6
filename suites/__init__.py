"""The papers' records: what they report, what to run, and what must hold. Declarations only."""
