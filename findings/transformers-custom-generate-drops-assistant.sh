#!/bin/sh
# transformers 5.23: generate(custom_generate=function) does not pass assistant_model, streamer and tokenizer on.
#
# A way of decoding may be given as a function: "generate will perform the usual input preparation steps, then
# call the provided callable". A function that decodes with a draft, and streams, asks for the arguments that
# generate has for both.
# Usual expectation: a function with parameters of these names gets what generate was given, as the library's own
# ways of decoding do, or generate says that it does not go together.
# Seen: the function is called without them, and without a warning; arguments that generate does not know by
# itself (draft_model here) do arrive.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "torch==2.13.0" "transformers==5.23.0" "numpy==2.4.6"
cat > check.py <<'END'
import torch
import transformers

print("transformers", transformers.__version__)
size = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
model, small = (
    transformers.LlamaForCausalLM(transformers.LlamaConfig(vocab_size=20, **size)).eval() for _ in range(2)
)
got = {}


def decode(
    model, input_ids, logits_processor=None, stopping_criteria=None, generation_config=None,
    assistant_model="nothing", streamer="nothing", tokenizer="nothing", draft_model="nothing", **rest,
):
    got.update(
        assistant_model=assistant_model, streamer=streamer, tokenizer=tokenizer, draft_model=draft_model
    )
    return input_ids


class Streamer:
    def put(self, value):
        print("streamed", value)

    def end(self):
        pass


ids = torch.tensor([[1, 2, 3]])
model.generate(
    ids, attention_mask=torch.ones_like(ids), custom_generate=decode, assistant_model=small,
    streamer=Streamer(), tokenizer=object(), draft_model=small, pad_token_id=0,
)
told = {name: value if isinstance(value, str) else "what was given" for name, value in got.items()}
print("the function got", told)
assert told == {
    "assistant_model": "nothing",
    "streamer": "nothing",
    "tokenizer": "nothing",
    "draft_model": "what was given",
}, told
print("as described")
END
venv/bin/python check.py
