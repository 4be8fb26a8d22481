"""OpAMP (opamp-spec, protobuf over HTTP polling) as the fleet's wire format."""
