"""IL-Bench tasks, and LLM-symbolic programs (LSP) that learn to solve them in readable steps."""
