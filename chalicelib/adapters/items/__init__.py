"""The item store port on real engines: SQLite (one machine) and DynamoDB through PynamoDB.

Import the engine's own module (`sqlite`, `dynamodb`), so that one machine never loads the AWS client. No noun of the
product belongs here: repositories map nouns to items on the port.
"""
