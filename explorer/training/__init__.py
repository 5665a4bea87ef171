"""Fine-tuning runs made on purpose, to see what a run needs: frozen, removed or re-initialised layers."""
