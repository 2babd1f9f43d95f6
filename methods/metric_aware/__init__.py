"""Metric-aware inference (RAIL): the decision that the metric asks for, from a predictive distribution.

``distributions`` has predictive distributions over a numeric grid, from scored options or from
samples; ``rules`` the decision for each metric; ``losses`` what the decisions minimise; ``mbr`` and
``gfm`` the decisions without a closed form, for texts and for sets of labels.
"""
