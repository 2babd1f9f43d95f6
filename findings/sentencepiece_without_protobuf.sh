#!/bin/sh
# A tokenizer that is a SentencePiece model (as mT5's and T5 v1.1's on the hub: spiece.model, no
# tokenizer.json) needs sentencepiece AND protobuf in transformers. With sentencepiece installed and
# protobuf absent, transformers does not ask for protobuf: it takes the file for one of tiktoken and
# asks for that package. Installing tiktoken does not help; installing protobuf does.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
python="$folder/venv/bin/python"
"$python" -m pip install --quiet transformers==5.23.0 sentencepiece==0.2.3
cat > "$folder/load.py" <<'PY'
import json, sys
from importlib.metadata import version
from pathlib import Path

import sentencepiece

folder = Path(sys.argv[1]) / "tokenizer"
folder.mkdir(exist_ok=True)
text = folder / "text.txt"
text.write_text("\n".join(f"the {n} cats see {m} dogs" for n in range(20) for m in range(20)))
sentencepiece.SentencePieceTrainer.train(
    input=str(text), model_prefix=str(folder / "spiece"), vocab_size=30, hard_vocab_limit=False,
    pad_id=0, eos_id=1, unk_id=2, bos_id=-1, minloglevel=2,
)
(folder / "config.json").write_text(json.dumps({"model_type": "mt5"}))
(folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "T5Tokenizer", "extra_ids": 0}))

from transformers import AutoTokenizer

try:
    ids = AutoTokenizer.from_pretrained(folder, local_files_only=True)("the 3 cats")["input_ids"]
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "spiece.model"))
    print("read:", ids == [*pieces.encode("the 3 cats"), 1])
except Exception as error:
    print("refused:", str(error).strip().splitlines()[-1])
PY
echo "transformers 5.23.0, sentencepiece 0.2.3"
echo "expected without protobuf: an error that names protobuf"
without=$("$python" "$folder/load.py" "$folder" 2>/dev/null)
echo "seen without protobuf:     $without"
"$python" -m pip install --quiet tiktoken
tiktoken=$("$python" "$folder/load.py" "$folder" 2>/dev/null)
echo "seen with tiktoken:        $tiktoken"
"$python" -m pip install --quiet protobuf
with=$("$python" "$folder/load.py" "$folder" 2>/dev/null)
echo "seen with protobuf:        $with"
case "$without" in *tiktoken*) ;; *) echo "changed: tiktoken is not named any more"; exit 1 ;; esac
case "$without" in *protobuf*) echo "changed: protobuf is named now"; exit 1 ;; *) ;; esac
case "$tiktoken" in refused:*) ;; *) echo "changed: tiktoken is enough now"; exit 1 ;; esac
[ "$with" = "read: True" ] || { echo "changed: protobuf does not help any more"; exit 1; }
