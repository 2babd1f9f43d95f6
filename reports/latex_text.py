r"""Arbitrary text for pdfLaTeX.

Tables are made to be ``\input`` into papers, and most papers are compiled with pdfLaTeX, so
that engine decides: what it can typeset with the standard fonts is typeset, everything else
is spelt out, emoji by their name and other scripts by their code points. Nothing is lost and
nothing can be executed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import groupby

from reports.text import clean

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "'": r"'",
}

_TEXT = {
    "\u00a0": "~",
    "\u2009": r"\,",
    "\u202f": r"\,",
    "\u200b": "",
    "\u2060": "{}",
    "\u2010": "-",
    "\u2011": "-",
    "\u2013": r"\textendash{}",
    "\u2014": r"\textemdash{}",
    "\u2018": "`",
    "\u2019": "'",
    "\u201c": "``",
    "\u201d": "''",
    "\u2026": r"\ldots{}",
    "\u2022": r"\textbullet{}",
    "\u2020": r"\textdagger{}",
    "\u2021": r"\textdaggerdbl{}",
    "\u00a7": r"\S{}",
    "\u00b0": r"\textdegree{}",
    "\u00b5": r"\textmu{}",
    "\u20ac": r"\texteuro{}",
    "\u00a3": r"\pounds{}",
}

_MATH = {
    "−": "-", "±": r"\pm", "×": r"\times", "÷": r"\div", "·": r"\cdot", "∗": r"\ast", "√": r"\surd",
    "≤": r"\leq", "≥": r"\geq", "≠": r"\neq", "≈": r"\approx", "≡": r"\equiv", "∼": r"\sim", "∝": r"\propto",
    "≪": r"\ll", "≫": r"\gg", "≻": r"\succ", "≺": r"\prec", "∞": r"\infty", "∂": r"\partial",
    "∇": r"\nabla", "∑": r"\sum", "∏": r"\prod", "∫": r"\int", "∈": r"\in", "∉": r"\notin", "⊂": r"\subset",
    "⊆": r"\subseteq", "∪": r"\cup", "∩": r"\cap", "∅": r"\emptyset", "∀": r"\forall", "∃": r"\exists",
    "∧": r"\wedge", "∨": r"\vee", "¬": r"\neg", "→": r"\rightarrow", "←": r"\leftarrow",
    "↔": r"\leftrightarrow",
    "⇒": r"\Rightarrow", "⇔": r"\Leftrightarrow", "↑": r"\uparrow", "↓": r"\downarrow", "↦": r"\mapsto",
    "⊗": r"\otimes", "⊕": r"\oplus", "∘": r"\circ", "⟨": r"\langle", "⟩": r"\rangle", "′": "'", "‖": r"\|",
    "⌊": r"\lfloor", "⌋": r"\rfloor", "⌈": r"\lceil", "⌉": r"\rceil", "ℓ": r"\ell", "ℝ": r"\mathbf{R}",
    "✓": r"\surd", "✗": r"\times", "⋅": r"\cdot", "⊤": r"\top", "⊥": r"\bot",
}  # fmt: skip

_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "ϵ": "epsilon", "ζ": "zeta",
    "η": "eta", "θ": "theta", "ϑ": "vartheta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu",
    "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "ς": "varsigma", "τ": "tau", "υ": "upsilon",
    "φ": "varphi", "ϕ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta",
    "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Υ": "Upsilon", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip

_SUPERSCRIPT = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹ⁿᵏᵗ", "0123456789nkt", strict=True))
_SUBSCRIPT = dict(zip("₀₁₂₃₄₅₆₇₈₉ₐₑₖₙₜ", "0123456789aeknt", strict=True))
_RAISED_SIGNS = {"⁺": "^{+}", "⁻": "^{-}", "₊": "_{+}", "₋": "_{-}"}

# Letters that the T1 encoding has beyond those that decompose into a letter and an accent.
_LIGATURES = {
    "ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ø": r"\o{}", "Ø": r"\O{}",
    "ł": r"\l{}", "Ł": r"\L{}", "ı": r"\i{}", "đ": r"\dj{}", "Đ": r"\DJ{}", "ð": r"\dh{}", "þ": r"\th{}",
}  # fmt: skip

_ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u", "\u0307": ".",
    "\u0308": '"', "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0327": "c", "\u0328": "k",
}  # fmt: skip

_BREAK_AFTER = re.compile(r"(?<=[/\-_.=:,\\])(?=[^/\-_.=:,\\])")


def latex(text: str) -> str:
    """Escape text for the body of a pdfLaTeX document; the result is plain ASCII."""
    # Fonts set two hyphens as a dash, and an option would lose one of its own.
    text = re.sub("-(?=-)", "-\u2060", clean(text))
    return "".join(_pieces(unicodedata.normalize("NFC", text)))


def latex_code(text: str) -> str:
    r"""Escape an identifier, allowing line breaks inside it, for use within ``\texttt``."""
    parts = _BREAK_AFTER.split(clean(text))
    return r"\allowbreak{}".join(_breakable(part) for part in parts)


def _breakable(part: str) -> str:
    # A hash has no natural break; without one it would stick out of a table's column.
    chunks = [part[at : at + 10] for at in range(0, len(part), 10)] if len(part) > 20 else [part]
    # Typewriter fonts set two hyphens as a dash unless something stands between them.
    return r"\allowbreak{}".join("".join(_pieces(chunk)).replace("-", "-{}") for chunk in chunks)


def typesettable(text: str) -> str:
    """The text with everything spelt out that standard Latin fonts lack, for drawn figures."""
    text = unicodedata.normalize("NFC", clean(text))
    return "".join(
        "".join(group) if known else _spelt("".join(group))
        for known, group in groupby(text, key=lambda char: _piece(char) is not None)
    )


def _pieces(text: str) -> Iterator[str]:
    for known, group in groupby(text, key=lambda char: _piece(char) is not None):
        run = "".join(group)
        if known:
            yield from (_piece(char) or "" for char in run)
        else:
            yield latex(_spelt(run))


def _piece(char: str) -> str | None:
    """One character in LaTeX, or nothing if pdfLaTeX has no glyph for it."""
    if char in _SPECIAL:
        return _SPECIAL[char]
    if " " <= char <= "~":
        return char
    if char in _TEXT:
        return _TEXT[char]
    return _mathematical(char) or _LIGATURES.get(char) or _accented(char)


def _mathematical(char: str) -> str | None:
    if char in _MATH:
        return rf"\ensuremath{{{_MATH[char]}}}"
    if char in _GREEK:
        return rf"\ensuremath{{\{_GREEK[char]}}}"
    if char in _RAISED_SIGNS:
        return rf"\ensuremath{{{_RAISED_SIGNS[char]}}}"
    if char in _SUPERSCRIPT:
        return rf"\textsuperscript{{{_SUPERSCRIPT[char]}}}"
    if char in _SUBSCRIPT:
        return rf"\textsubscript{{{_SUBSCRIPT[char]}}}"
    return None


def _accented(char: str) -> str | None:
    decomposed = unicodedata.normalize("NFD", char)
    if len(decomposed) != 2 or not decomposed[0].isascii() or decomposed[1] not in _ACCENTS:
        return None
    return rf"\{_ACCENTS[decomposed[1]]}{{{decomposed[0]}}}"


def _spelt(run: str) -> str:
    """Characters without a glyph, in words: emoji by name, all else by code point."""
    words: list[str] = []
    for symbol, group in groupby(run, key=lambda char: unicodedata.category(char) in ("So", "Sk")):
        chars = list(group)
        if symbol:
            words += [unicodedata.name(char, f"U+{ord(char):04X}").lower() for char in chars]
        else:
            words.append("U+" + " ".join(f"{ord(char):04X}" for char in chars))
    return f"[{', '.join(words)}]"
