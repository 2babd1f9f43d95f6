"""What users must be able to rely on: one module for each promise of docs/reliability.md."""
