"""LSP and IL-Bench."""
