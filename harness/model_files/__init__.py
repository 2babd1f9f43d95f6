"""Folders of models from anywhere: looked into before a library reads them.

Headers and indexes are checked by readers of our own, which allocate nothing that a file claims and follow
no name out of its folder. What libraries say after that becomes an error of ours.
"""

from harness.model_files.folder import check_model_folder, reading_model
from harness.model_files.gguf_header import check_gguf_header
from harness.model_files.safetensors_header import check_safetensors_header

__all__ = ["check_gguf_header", "check_model_folder", "check_safetensors_header", "reading_model"]
