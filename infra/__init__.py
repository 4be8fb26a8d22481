"""What Phoenix is on AWS, as a CDK app. Nothing here runs on Lambda, and of chalicelib it sees the domain alone."""
