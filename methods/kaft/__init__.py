"""KAFT (Li et al., 2023, arXiv:2211.05110): knowledge-aware finetuning.

A question-answering model should obey its context if the context is relevant, also where it
contradicts what the model remembers, and ignore it otherwise. KAFT finetunes on four kinds of
context with targets to match::

    from methods.kaft.mixture import KAFT, build
    from methods.kaft.questions import Question
    from methods.kaft.substitution import substitute

    items = build(questions, KAFT, beliefs, rng)   # inputs and targets, ready for any trainer

Nothing is re-exported here: a fingerprint follows imports, and would follow these everywhere.
"""
