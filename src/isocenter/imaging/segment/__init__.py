"""Masks from pixels, without a trained model."""
