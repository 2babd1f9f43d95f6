"""The sections of a report, one module a theme; each turns evidence into blocks."""
