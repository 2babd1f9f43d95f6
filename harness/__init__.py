"""Corroborate: run the experiments of a paper again and judge each of its claims.

The package holds the machinery and knows no paper by name:

- :mod:`harness.method`: the contract that tasks and methods implement, and references to data;
- :mod:`harness.suite` and :mod:`harness.claims`: what a suite declares;
- :mod:`harness.plan`: suite and profile to trials, each with a fingerprint;
- :mod:`harness.engine`: trials to records;
- :mod:`harness.store`: records on disk;
- :mod:`harness.evidence`: records to statistics and verdicts;
- :mod:`harness.resources`: models and data sets, from folders, packages and hubs;
- :mod:`harness.cli`: the command line.
"""

__version__ = "0.1.0"
