#!/bin/sh
# transformers 5.23.0 reads a Gemma-3 GGUF file and drops its RoPE scaling and its layer pattern.
#
# GGUF has settings for both (gemma3.rope.scaling.type and .factor, which files of Gemma 3 with 4B
# parameters and more carry, and gemma3.attention.sliding_window_pattern). A tiny random Gemma-3 model
# is written to GGUF with gguf-py, once plain, once scaled, once with a pattern of its own, and loaded again.
# Usual expectation: the loaded model gives the logits of the one that was written, or loading fails.
# Seen: the plain model does; the others load without an error or a warning and give other logits, for
# their config says that nothing is scaled and has the usual pattern.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check \
    "transformers==5.23.0" "gguf==0.19.0" "torch==2.13.0" "accelerate==1.15.0"
cat > check.py <<'END'
from importlib.metadata import version

import gguf
import torch
from transformers import AutoModelForCausalLM, Gemma3ForCausalLM, Gemma3TextConfig

SCALED = {
    "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
    "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1_000_000.0},
}
PATTERN = ["full_attention", "sliding_attention", "full_attention"]


def new_model(**options):
    torch.manual_seed(0)
    config = Gemma3TextConfig(
        vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=options.pop("layers", 6),
        num_attention_heads=2, num_key_value_heads=1, head_dim=256, sliding_window=8,
        initializer_range=0.2, max_position_embeddings=256, **options,
    )
    return Gemma3ForCausalLM(config).eval()


def write(model, file, *, scaled=False, pattern=False):
    config = model.config
    writer = gguf.GGUFWriter(file, "gemma3")
    writer.add_name("tiny")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_sliding_window(config.sliding_window)
    writer.add_rope_freq_base(1_000_000.0)
    writer.add_vocab_size(config.vocab_size)
    if scaled:
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(8.0)
    if pattern:
        writer.add_sliding_window_pattern([kind == "sliding_attention" for kind in config.layer_types])
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.GEMMA3, config.num_hidden_layers)
    for name, tensor in model.state_dict().items():
        if name != "lm_head.weight":
            stored = tensor + 1 if name.endswith("norm.weight") else tensor
            writer.add_tensor(names.get_name(name, (".weight",)), stored.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


tokens = torch.arange(200)[None] % 64
cases = {
    "plain": (new_model(), {}, True),
    "linear RoPE scaling by 8": (new_model(rope_parameters=SCALED), {"scaled": True}, False),
    "a layer pattern of its own": (new_model(layers=3, layer_types=PATTERN), {"pattern": True}, False),
}
print("transformers", version("transformers"), "gguf", version("gguf"), "torch", version("torch"))
print("Expected: each loaded model has the logits of the model that was written.")
same = True
for name, (model, settings, wanted) in cases.items():
    write(model, "tiny.gguf", **settings)
    loaded = AutoModelForCausalLM.from_pretrained(".", gguf_file="tiny.gguf", dtype=torch.float32).eval()
    with torch.no_grad():
        gap = float((loaded(tokens).logits - model(tokens).logits).abs().max())
    kept = gap < 1e-3
    rope, layers = loaded.config.rope_parameters["full_attention"]["rope_type"], loaded.config.layer_types[:3]
    print(f"Seen, {name}: largest difference {gap:.4f}; full attention has RoPE '{rope}', layers {layers} ...")
    same = same and kept == wanted
raise SystemExit(0 if same else "The behaviour has changed.")
END
venv/bin/python check.py 2> log || { tail -n 5 log >&2; exit 1; }
