"""Tiny tokenizers of real families: the very class, algorithm, marks and special tokens.

They are trained on a few lines and written as the two files that a checkpoint on the hub has.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Family = Literal["gemma", "llama", "t5", "mt5", "opt", "qwen2", "bert", "roberta"]

_SENTENCES = (
    "The quick brown fox jumps over the lazy dog; what is the capital of the country? It is the city.",
    "Question: Which of these is right? A) yes B) no C) the first D) the second. Answer: True or False.",
    "The question is how much it cost, and the answer is the number of the books that they had in all.",
    "This film was good and the actors were bad. Rating: 5 stars of 10, a score from 0 to 5.",
    "Le renard est déjà là où l'été à Noël; garçon, forêt, œuvre, français. Über den Fluß, schön, größer.",
    "Această țară și orașul său în România; premise, hypothesis, summary, rules, labels, if and then else.",
)
_NAMES = ("Africa", "Asia", "Europe", "Brown", "Clark", "Diaz", "Evans", "Fox", "Gray", "Hale", "Jones")
_ALPHABET = (
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    ".,;:!?()[]{}<>'\"-+*/=%$#@&_|\\~^`\n\tàâçéèêëîïôûùüöäßșțăîœ’“”–—…"
)
_SIZE = 700
_SPACE = "▁"
_SENTINELS = 100
_UNKNOWN = "<unk>"


def write_tokenizer(folder: Path, family: Family) -> int:
    """Write ``tokenizer.json`` and ``tokenizer_config.json``.

    Returns:
        The number of tokens.
    """
    content, config = _made(family)
    (folder / "tokenizer.json").write_text(content, encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")
    from tokenizers import Tokenizer

    return int(Tokenizer.from_str(content).get_vocab_size())


@lru_cache
def _made(family: Family) -> tuple[str, dict[str, Any]]:
    """Text of ``tokenizer.json``, and what ``tokenizer_config.json`` says."""
    return _FAMILIES[family]()


def _lines() -> list[str]:
    # Each letter by itself and within words, so that nothing of the alphabet is unknown; names in many
    # orders, so that each becomes a token.
    pairs = [f" {one} {other}" for one in _NAMES for other in _NAMES]
    return [*_SENTENCES, *pairs, *_ALPHABET, *(f"a{letter}b {letter}" for letter in _ALPHABET)]


def _gemma() -> tuple[str, dict[str, Any]]:
    """Byte-pair encoding with blanks as ``▁``, no prefix, bytes for unknown letters, ``<bos>`` in front."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from tokenizers.trainers import BpeTrainer

    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<start_of_turn>", "<end_of_turn>"]
    raw = [f"<0x{value:02X}>" for value in range(256)]
    made = Tokenizer(models.BPE(unk_token=_UNKNOWN, fuse_unk=True, byte_fallback=True))
    made.normalizer = normalizers.Replace(" ", _SPACE)
    made.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    made.decoder = decoders.Sequence(
        [decoders.Replace(_SPACE, " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    trainer = BpeTrainer(vocab_size=_SIZE, special_tokens=[*special, *raw], show_progress=False)
    made.train_from_iterator(_lines(), trainer)
    made.add_tokens([AddedToken("\n" * count, normalized=False) for count in (1, 2, 3)])
    made.post_processor = processors.TemplateProcessing(
        single="<bos> $A", pair="<bos> $A <bos> $B", special_tokens=[("<bos>", 2)]
    )
    config = {"tokenizer_class": "GemmaTokenizer", "bos_token": "<bos>", "eos_token": "<eos>"}
    config |= {"pad_token": "<pad>", "unk_token": "<unk>"}
    return _without_added(made, raw), config


def _llama() -> tuple[str, dict[str, Any]]:
    """As Gemma's, with a blank in front of the text and ``<s>`` before it."""
    from tokenizers import Tokenizer, decoders, models, normalizers, processors
    from tokenizers.trainers import BpeTrainer

    raw = [f"<0x{value:02X}>" for value in range(256)]
    made = Tokenizer(models.BPE(unk_token=_UNKNOWN, fuse_unk=True, byte_fallback=True))
    made.normalizer = normalizers.Sequence([normalizers.Prepend(_SPACE), normalizers.Replace(" ", _SPACE)])
    made.decoder = decoders.Sequence(
        [decoders.Replace(_SPACE, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    trainer = BpeTrainer(vocab_size=_SIZE, special_tokens=["<unk>", "<s>", "</s>", *raw], show_progress=False)
    made.train_from_iterator(_lines(), trainer)
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)]
    )
    config = {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>"}
    return _without_added(made, raw), config | {"unk_token": "<unk>", "legacy": False}


def _t5(sentinels: int = _SENTINELS) -> tuple[str, dict[str, Any]]:
    """Unigram with a blank in front, line ends as blanks, ``</s>`` behind, and sentinels that count down."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    # Words cost little more than letters, so that they stay whole.
    words = dict.fromkeys(f"{_SPACE}{word}" for text in (*_SENTENCES, *_NAMES) for word in text.split())
    letters = dict.fromkeys((_SPACE, *(letter for letter in _ALPHABET if not letter.isspace())))
    special = [("<pad>", 0.0), ("</s>", 0.0), (_UNKNOWN, 0.0)]
    pieces = [*((word, -7.0) for word in words), *((letter, -6.0) for letter in letters)]
    made = Tokenizer(models.Unigram([*special, *pieces], unk_id=2, byte_fallback=False))
    made.normalizer = normalizers.Replace("\n", " ")
    made.pre_tokenizer = pre_tokenizers.Metaspace(replacement=_SPACE, prepend_scheme="always")
    made.decoder = decoders.Metaspace(replacement=_SPACE, prepend_scheme="always")
    made.add_special_tokens([AddedToken(name, special=True) for name, _ in special])
    marks = [f"<extra_id_{i}>" for i in range(sentinels)]
    made.add_special_tokens([AddedToken(mark, special=True) for mark in reversed(marks)])
    made.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    config = {"tokenizer_class": "T5Tokenizer", "eos_token": "</s>", "pad_token": "<pad>"}
    more = {"unk_token": "<unk>", "extra_ids": sentinels, "additional_special_tokens": marks}
    return made.to_str(), config | more


def _byte_level(special: Iterable[str]) -> Tokenizer:
    """Byte-pair encoding of bytes, as GPT-2 has it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_SIZE,
        special_tokens=list(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(_lines(), trainer)
    return made


def _opt() -> tuple[str, dict[str, Any]]:
    """GPT-2's bytes with ``</s>`` in front, which is its beginning, end and unknown token."""
    from tokenizers import processors

    made = _byte_level(["<s>", "<pad>", "</s>", "<unk>"])
    made.post_processor = processors.TemplateProcessing(
        single="</s> $A", pair="</s> $A </s> $B", special_tokens=[("</s>", 2)]
    )
    config = {"tokenizer_class": "GPT2Tokenizer", "add_bos_token": True, "pad_token": "<pad>"}
    return made.to_str(), config | dict.fromkeys(("bos_token", "eos_token", "unk_token"), "</s>")


def _qwen2() -> tuple[str, dict[str, Any]]:
    """GPT-2's bytes without a beginning, and marks of turns."""
    made = _byte_level(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    template = (
        "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
        "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    config = {"tokenizer_class": "Qwen2Tokenizer", "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
    return made.to_str(), config | {"chat_template": template, "bos_token": None, "unk_token": None}


def _bert() -> tuple[str, dict[str, Any]]:
    """Word pieces in lower case between ``[CLS]`` and ``[SEP]``."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    made = Tokenizer(models.WordPiece(unk_token=special[1]))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(vocab_size=_SIZE, special_tokens=special, show_progress=False)
    made.train_from_iterator(_lines(), trainer)
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    config = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": 512}
    return made.to_str(), config | dict(zip(names, special, strict=True))


def _roberta() -> tuple[str, dict[str, Any]]:
    """GPT-2's bytes between ``<s>`` and ``</s>``."""
    from tokenizers import processors

    made = _byte_level(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    made.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    config = {"tokenizer_class": "RobertaTokenizer", "bos_token": "<s>", "cls_token": "<s>"}
    more = {"eos_token": "</s>", "sep_token": "</s>", "pad_token": "<pad>", "mask_token": "<mask>"}
    return made.to_str(), config | more | {"unk_token": "<unk>", "model_max_length": 512}


def _without_added(made: Tokenizer, ordinary: list[str]) -> str:
    """The tokenizer's text, with tokens that training reserved as ordinary ones."""
    content = json.loads(made.to_str())
    content["added_tokens"] = [t for t in content["added_tokens"] if t["content"] not in set(ordinary)]
    return json.dumps(content, ensure_ascii=False)


_FAMILIES: dict[Family, Callable[[], tuple[str, dict[str, Any]]]] = {
    "gemma": _gemma,
    "llama": _llama,
    "t5": _t5,
    "mt5": lambda: _t5(sentinels=0),
    "opt": _opt,
    "qwen2": _qwen2,
    "bert": _bert,
    "roberta": _roberta,
}
