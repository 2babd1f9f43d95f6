"""Where the paper is published."""

YEN = "Yen et al. (2025), arXiv:2410.20625"
