"""Keras files in and out: checkpoints, optimizer slots, preprocessing, exports, surgery."""
