"""Training of a model that several processes hold together, each a part of every weight.

PyTorch's own ``fully_shard`` (FSDP2; Zhao et al. 2023, arXiv:2304.11277) divides weights, gradients and the
optimizer's states; a layer is gathered when it computes. :func:`~methods.common.sharded.training.train`
starts one process for each of ``ctx.devices``, and the trial's own process drives them: it holds no part of
the model, keeps the contract of checkpoints, and gets the trained weights back as safetensors.
"""
