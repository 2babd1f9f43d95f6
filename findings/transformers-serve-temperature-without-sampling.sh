#!/bin/sh
# transformers 5.23: `transformers serve` answers a request with a temperature above 0 greedily, unless the
# model's own generation_config.json says do_sample.
#
# A server of OpenAI's protocol is asked for texts at temperature 1, with several seeds. Its documentation takes
# temperature among the parameters of a request.
# Usual expectation: a temperature above 0 draws, as it does at other servers of the protocol, and other seeds
# give other texts.
# Seen: temperature 0 switches sampling off, and a temperature above 0 does not switch it on. For a model whose
# generation_config.json does not have do_sample (every base model that leaves it at its default), all seeds give
# the text of temperature 0, with the status 200 and no word about it to the client. With "do_sample": true in
# that file they differ.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "torch==2.13.0" "transformers[serving]==5.23.0" \
    "numpy==2.4.6"
cat > check.py <<'END'
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import tokenizers
import torch
import transformers

print("transformers", transformers.__version__)
words = [f"w{number}" for number in range(64)]
plain = tokenizers.Tokenizer(tokenizers.models.WordLevel({word: i for i, word in enumerate(words)}, "w0"))
plain.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=plain, unk_token="w0", pad_token="w0")
torch.manual_seed(0)
size = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
config = transformers.LlamaConfig(vocab_size=64, eos_token_id=None, bos_token_id=None, **size)
model = transformers.LlamaForCausalLM(config)


def saved(name, **generation):
    folder = Path(name).resolve()
    model.generation_config = transformers.GenerationConfig(**generation)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def texts(folder):
    """The text at temperature 0, and those at temperature 1 with the seeds 1 to 5."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [str(Path(sys.executable).parent / "transformers"), "serve", str(folder), "--port", str(port), "--device", "cpu"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )

    def ask(temperature, seed):
        body = {"model": str(folder), "prompt": "w1 w2", "max_tokens": 8, "temperature": temperature, "seed": seed}
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/v1/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)["choices"][0]["text"]

    try:
        for _ in range(240):
            try:
                greedy = ask(0.0, 1)
                break
            except urllib.error.URLError:
                time.sleep(1)
        return greedy, [ask(1.0, seed) for seed in range(1, 6)]
    finally:
        server.terminate()
        server.wait()


greedy, drawn = texts(saved("default"))
print("by default    ", len(set(drawn)), "text(s) of 5 seeds; the text of temperature 0:", set(drawn) == {greedy})
assert set(drawn) == {greedy}
greedy, drawn = texts(saved("sampling", do_sample=True))
print("with do_sample", len(set(drawn)), "text(s) of 5 seeds")
assert len(set(drawn)) == 5, drawn
print("as described")
END
HF_HUB_OFFLINE=1 venv/bin/python check.py
