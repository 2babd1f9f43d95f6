"""LITE: learnable late interactions for re-ranking (Ji et al., 2024), and its baselines."""
