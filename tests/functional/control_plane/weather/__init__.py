"""What may happen to an experiment at any moment: the control plane dies, messages come twice, late or out of order."""
