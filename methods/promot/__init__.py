"""ProMoT (Wang et al., 2024): prompt tuning, then model tuning behind the frozen prompt."""
