"""Run as a process: synthesises both stacks into CDK_OUTDIR, as infra.main does, but downloads nothing.

The functions' requirements are left out of the package; whatever is of our making is in it.
"""

from aws_cdk import App

from infra.main import build

if __name__ == "__main__":
    app = App(analytics_reporting=False)
    build(app, region="eu-west-1", account=None, public_url="https://phoenix.example", requirements="")
    app.synth()
