"""SpecTr (Sun et al., 2023, arXiv:2310.15141): speculative decoding with several drafts.

Notation of the paper, everywhere in this package: **p is the draft (small) model, q the target
(large) model**. Most later papers use the opposite letters.

With any two causal language models of ``transformers`` that share a tokenizer::

    from methods.spectr.decoding import BlockSize, generate
    from methods.spectr.selection import KSeq
    from methods.spectr.sessions import Sampling, TransformerDraft, TransformerTarget

    sampling = Sampling(temperature=1.0)
    traces = generate(
        TransformerTarget(large, sampling), TransformerDraft(small, sampling), KSeq(),
        prompts, BlockSize(drafts=8, length=8), tokens=64, generator=torch.Generator().manual_seed(0),
    )

Nothing is re-exported here: a fingerprint follows imports, and would follow these everywhere.
"""
