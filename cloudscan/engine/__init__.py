"""How we judge: rule files, their examples, and rules run over a snapshot."""
