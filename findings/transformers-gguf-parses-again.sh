#!/bin/sh
# transformers 5.23.0 parses a GGUF file's vocabulary anew for each of configuration, weights and tokenizer.
#
# A GGUF file holds its tokenizer beside the weights, and gguf-py 0.19.0 makes several NumPy views of a memory map
# for each of its entries. A tiny random Llama with a vocabulary of 30,000 tokens is written with gguf-py; then the
# readers that are made, and the CPU seconds that each takes, are counted.
# Usual expectation: one parse a file, and a tiny model loads at once; tokens cost nothing beside weights.
# Seen: from_pretrained of model and tokenizer parse the file three times or more, each in a second or
# more. With the 262,144 tokens of Gemma 3 that is a minute and more, most of what loading takes.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check \
    "transformers==5.23.0" "gguf==0.19.0" "torch==2.13.0" "accelerate==1.15.0" "sentencepiece==0.2.1"
cat > check.py <<'END'
import time
from importlib.metadata import version

import gguf
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

TOKENS = 30_000
torch.manual_seed(0)
config = LlamaConfig(
    vocab_size=TOKENS, hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2,
    num_key_value_heads=2, max_position_embeddings=64,
)
model = LlamaForCausalLM(config)
writer = gguf.GGUFWriter("tiny.gguf", "llama")
writer.add_context_length(64)
writer.add_embedding_length(32)
writer.add_block_count(1)
writer.add_feed_forward_length(64)
writer.add_head_count(2)
writer.add_head_count_kv(2)
writer.add_layer_norm_rms_eps(config.rms_norm_eps)
writer.add_rope_dimension_count(16)
writer.add_vocab_size(TOKENS)
writer.add_tokenizer_model("llama")
writer.add_token_list(["<unk>", "<s>", "</s>", *(f"w{number}" for number in range(TOKENS - 3))])
writer.add_token_scores([-float(number) for number in range(TOKENS)])
writer.add_token_types([2, 3, 3, *([1] * (TOKENS - 3))])
writer.add_bos_token_id(1)
writer.add_eos_token_id(2)
names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, 1)
for name, tensor in model.state_dict().items():
    writer.add_tensor(names.get_name(name, (".weight",)), tensor.numpy())
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()

seconds = []


class Counted(gguf.GGUFReader):
    def __init__(self, *args, **options):
        start = time.process_time()
        super().__init__(*args, **options)
        seconds.append(time.process_time() - start)


gguf.GGUFReader = Counted
AutoModelForCausalLM.from_pretrained(".", gguf_file="tiny.gguf")
of_model = len(seconds)
AutoTokenizer.from_pretrained(".", gguf_file="tiny.gguf")
print("transformers", version("transformers"), "gguf", version("gguf"))
print(f"parses of one file: {of_model} for the model, {len(seconds) - of_model} for its tokenizer")
print("CPU seconds of each:", ", ".join(f"{one:.2f}" for one in seconds))
assert of_model >= 2, seconds
assert len(seconds) >= 3, seconds
assert min(seconds) > 0.2, seconds
print("as described")
END
venv/bin/python check.py
