"""Keras files in and out: checkpoints, optimizer slot variables, preprocessing, exports, surgery."""
