"""What CDK would deploy, and the package that it would upload."""
