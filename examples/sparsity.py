# %% [markdown]
# # How sparse a model is
#
# A small transformer with ReLU is trained on Python's help texts. Before training about half of its
# neurons are active on a token; training alone makes them fewer.

# %%
from pydoc_data.topics import topics

import torch
import transformers

from methods.common import tiny_lm
from methods.common.draws import generator
from methods.sparsity.measuring import measure, top_k_activations

text = [paragraph for topic in topics.values() for paragraph in topic.split("\n\n")]
tokenizer = tiny_lm.train_tokenizer(text, vocabulary=400)
stream = tiny_lm.encode(tokenizer, text)
held_out = [paragraph for paragraph in text if 20 < len(paragraph) < 200][-200:]

torch.manual_seed(0)
width = {"hidden_size": 64, "ffn_dim": 256, "word_embed_proj_dim": 64}
config = transformers.OPTConfig(vocab_size=400, num_hidden_layers=3, num_attention_heads=4, **width)
model = transformers.OPTForCausalLM(config)


# %%
def told(name):
    """Active neurons of each layer, in per cent."""
    found = measure(model, held_out, tokenizer)
    layers = ", ".join(f"{layer.nnz_percent:.1f}" for layer in found.counts.layers)
    print(f"{name}: {found.counts.nnz_percent:.1f} % of neurons are active (by layer: {layers})")
    print(f"what counts as zero: {found.zero}")


told("untrained")
schedule = tiny_lm.Schedule(steps=200, batch=16, length=48, warmup=20)
tiny_lm.train(model, stream, schedule, generator(1), lambda share, note: None)
told("trained")

# %% [markdown]
# Top-k keeps the k largest activations of each token. Where few are active, cutting the rest costs little.

# %%
batch = stream[: 64 * 48].view(64, 48)


def loss():
    """Nats a token."""
    with torch.no_grad():
        return float(model(input_ids=batch, labels=batch).loss)


print(f"all 256 neurons: {loss():.3f} nats a token")
for k in (128, 64, 16, 4):
    with top_k_activations(model, k):
        print(f"the {k} largest: {loss():.3f} nats a token")
