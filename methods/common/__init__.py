"""What more than one paper uses, each piece once and under its own name."""
