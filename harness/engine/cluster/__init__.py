"""Execution on a Ray cluster: Ray places and starts, the driver decides and records.

``session`` starts or reaches the cluster, ``identity`` says whether a node has the driver's code,
``fleet`` knows the nodes, ``store`` and ``shipping`` bring models, data and artifacts to them, ``node`` is
what runs there, and ``engine`` is the :class:`~harness.engine.engines.Engine` that the driver sees.
"""
