#!/bin/sh
# peft 0.21.2: adapters tied by ensure_weight_tying=True are two parameters, and Adam moves them twice.
#
# A model whose embedding and output layer are tied gets LoRA on both with LoraConfig(ensure_weight_tying=True):
# "This will ensure that the adapters added to the tied layers are also tied."
# Usual expectation: tied factors are one parameter with one gradient, as tied weights of transformers and PyTorch
# are: parameters() gives each once, and a step of Adam moves an entry by about the rate at first.
# Seen: they are two parameters over the same memory, each with its own part of the gradient and its own state of
# the optimizer, and parameters() gives both. The first step of Adam moves entries by up to twice the rate.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check \
    "torch==2.13.0" "transformers==5.23.0" "peft==0.21.2" "numpy==2.4.6"
cat > check.py <<'END'
import peft
import torch
import transformers

print("peft", peft.__version__)
torch.manual_seed(0)
size = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
base = transformers.LlamaForCausalLM(
    transformers.LlamaConfig(vocab_size=20, **size, tie_word_embeddings=True)
)
inputs, outputs = base.get_input_embeddings().weight, base.get_output_embeddings().weight
print("the model's own tied weights are one parameter:", inputs is outputs)

config = peft.LoraConfig(
    r=2, target_modules=["embed_tokens"], ensure_weight_tying=True, init_lora_weights=False
)
model = peft.get_peft_model(base, config)
trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
places = list(dict.fromkeys(p.data_ptr() for p in trained.values()))
for name, parameter in trained.items():
    print(f"{name} {tuple(parameter.shape)} in memory {places.index(parameter.data_ptr())}")
(embedded,) = [p for name, p in trained.items() if "lora_embedding_B" in name]
(put_out,) = [p for name, p in trained.items() if "lm_head.lora_A" in name]
assert embedded is not put_out
assert embedded.data_ptr() == put_out.data_ptr()

rate = 0.01
optimizer = torch.optim.Adam(trained.values(), lr=rate)
ids = torch.arange(12)[None]
model(input_ids=ids, labels=ids).loss.backward()
same = torch.equal(embedded.grad, put_out.grad.T)
before = embedded.detach().clone()
optimizer.step()
moved = ((embedded.detach() - before).abs().max() / rate).item()
print(f"gradients are the same: {same}; the first step moves an entry by up to {moved:.2f} rates")
assert inputs is outputs
assert len(trained) == 4
assert not same
assert 1.9 < moved < 2.01, moved
print("as described")
END
venv/bin/python check.py
