"""Images from what a scanner measured: projections (CT, PET) and k-space (MRI)."""
