"""Configs: composed by Hydra, checked, and errors in them said in one sentence."""
