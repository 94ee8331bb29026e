"""What the targets for TensorFlow have in common: its operators, and what they need to be told."""
