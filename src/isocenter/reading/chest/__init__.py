"""What the chest CT task is made of: orientation, nodules, calcium, pictures."""
