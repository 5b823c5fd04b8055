"""Letters of mathematics by the names that programs give them: ``alpha`` is α, ``yhat`` is ŷ."""

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ",
    "eta": "η", "theta": "θ", "kappa": "κ", "lambda": "λ", "lam": "λ", "mu": "μ", "nu": "ν",
    "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ", "chi": "χ",
    "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ",
    "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip
"""Greek letters by name; ``lam`` because ``lambda`` is a word of Python."""

GREEK_NAMES = {letter: name for name, letter in GREEK.items() if name != "lam"}
"""The name of each Greek letter, which is also its command in TeX."""

ACCENTS = {"hat": "\u0302", "tilde": "\u0303", "bar": "\u0304"}
"""Accents by name: the combining characters that stand behind the letter."""
