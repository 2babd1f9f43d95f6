"""SpecTr (Sun et al., 2023, arXiv:2310.15141): speculative decoding with several drafts.

Notation of the paper, everywhere in this package: **p is the draft (small) model, q the target
(large) model**. Most later papers use the opposite letters.
"""
