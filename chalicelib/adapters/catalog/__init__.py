"""The catalog on a disk."""
