"""Training: plan, run, process, record, files, and what can be trained on."""
