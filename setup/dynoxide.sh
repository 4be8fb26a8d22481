#!/bin/sh
# The DynamoDB-compatible engine of the contract suite, built once (about two minutes) unless it is there already.
set -e
version=3.2.0 # the crate's; the product calls itself 1.5.0
mkdir -p .tools/bin
found=${PHOENIX_DYNOXIDE:-$(command -v dynoxide || true)}
if [ -n "$found" ] && "$found" --version 2> /dev/null | grep -q '1\.5\.0'; then
  ln -sf "$found" .tools/bin/dynoxide
  exit 0
fi
echo "building the DynamoDB-compatible test engine (dynoxide $version): about two minutes, once"
cargo install dynoxide-rs --version $version --locked --quiet \
  --no-default-features --features native-sqlite,http-server,cli --root .tools
