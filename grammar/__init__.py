"""The .lark files, nothing else."""
