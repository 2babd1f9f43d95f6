# %% [markdown]
# # Decoding with several drafts
#
# A small model drafts, a larger one checks: the text has the distribution of plain sampling from the
# larger one, in fewer of its calls. Both models are trained here, on the help texts that come with Python.

# %%
from pydoc_data.topics import topics

import torch

from methods.common import tiny_lm
from methods.common.draws import generator
from methods.spectr.ngram import count_ngrams
from methods.spectr.strategy import SpecTr

text = [paragraph for topic in topics.values() for paragraph in topic.split("\n\n")]
tokenizer = tiny_lm.train_tokenizer(text, vocabulary=400)
stream = tiny_lm.encode(tokenizer, text)
print(f"{len(text)} paragraphs, {len(stream)} tokens")


# %%
def trained(size, steps):
    """A model of that size after so many updates on windows of the text."""
    model = tiny_lm.new_model(400, size, generator(0))
    schedule = tiny_lm.Schedule(steps=steps, batch=16, length=48, warmup=20)
    loss = tiny_lm.train(model, stream, schedule, generator(1), lambda share, note: None)
    print(f"{size.layers} layers of width {size.hidden}: {loss:.2f} nats a token")
    return model


large = trained(tiny_lm.Size(layers=3, hidden=96), steps=120)
small = trained(tiny_lm.Size(layers=1, hidden=48), steps=120)

# %% [markdown]
# What counts is how many tokens each call of the large model gives. K drafts of L tokens are read in one
# call; more drafts find more, and so does a better draft. An n-gram model costs next to nothing.

# %%
tokenizer.pad_token, tokenizer.padding_side = tokenizer.eos_token, "left"
begun = ["The following", "A class is", "If the object", "In this case"]
prompts = tokenizer(begun, return_tensors="pt", padding=True)
ngram = count_ngrams([(stream.numpy(), 1.0)], 400)

for name, draft in (("small model", small), ("n-gram model", ngram), ("prompt look-up", "prompt-lookup")):
    for drafts in (1, 4):
        torch.manual_seed(0)
        strategy = SpecTr(draft, drafts=drafts, length=4)
        large.generate(
            input_ids=prompts.input_ids,
            attention_mask=prompts.attention_mask,
            custom_generate=strategy,
            do_sample=True,
            top_k=0,
            max_new_tokens=100,
            pad_token_id=0,
        )
        blocks = [size for trace in strategy.traces for size in trace.blocks]
        print(f"{name}, K = {drafts}: {sum(blocks) / len(blocks):.2f} tokens a call of the large model")
