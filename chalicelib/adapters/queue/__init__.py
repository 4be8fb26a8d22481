"""The work queue's engines: SQS on AWS, the same thread on one machine."""
