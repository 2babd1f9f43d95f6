"""The contract between the harness and the code of a paper.

Everything that ``methods/`` may import from the harness is exported here: the abstract
:class:`Task` and :class:`Method`, the :class:`Context` they run in, the :class:`Scores` and
:class:`Metric` that carry results, references to artifacts and resources, errors, and checks of
what comes from outside.
"""

from harness.errors import CorroborateError, DivergedError, ProblemError, ResourceError
from harness.method.asked import SERVER_FILE, AskedModel, Asks, Probed
from harness.method.checkpoints import Checkpoints
from harness.method.contract import (
    CONTRACT_VERSION,
    Context,
    Method,
    Scores,
    Table,
    Task,
    param,
)
from harness.method.metric import Metric, mean_of
from harness.method.passes import affordable
from harness.method.references import (
    Artifact,
    HubSource,
    IndexSource,
    MirrorSource,
    PackageSource,
    PerSeed,
    Reading,
    Reference,
    Resource,
    Source,
)
from harness.model_files import check_gguf_header, check_model_folder, reading_model
from harness.text import parsed_json

__all__ = [
    "CONTRACT_VERSION",
    "SERVER_FILE",
    "Artifact",
    "AskedModel",
    "Asks",
    "Checkpoints",
    "Context",
    "CorroborateError",
    "DivergedError",
    "HubSource",
    "IndexSource",
    "Method",
    "Metric",
    "MirrorSource",
    "PackageSource",
    "PerSeed",
    "Probed",
    "ProblemError",
    "Reading",
    "Reference",
    "Resource",
    "ResourceError",
    "Scores",
    "Source",
    "Table",
    "Task",
    "affordable",
    "check_gguf_header",
    "check_model_folder",
    "mean_of",
    "param",
    "parsed_json",
    "reading_model",
]
