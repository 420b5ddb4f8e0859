"""What an unattended scan of S3 needs beside the configuration: AWS's own ways to sign in.

Source: AWS SDKs and Tools Reference Guide, "Environment variables"; configure-aws-credentials' documentation.
"""

from cloudscan.needs import NeededFile, Needs, Variable, WorkflowStep
from cloudscan_s3.options import Options

_KEYS = (
    Variable(name="AWS_ACCESS_KEY_ID", meaning="an access key, where the machine has no role", optional=True),
    Variable(name="AWS_SECRET_ACCESS_KEY", meaning="its secret", optional=True),
    Variable(name="AWS_SESSION_TOKEN", meaning="its session, if it is a temporary one", optional=True),
)
_OIDC = WorkflowStep(
    action="aws-actions/configure-aws-credentials",
    commit="8df5847569e6427dd6c4fb1cf565c83acfa8afa7",
    version="v6.0.0",
    options={
        "role-to-assume": "${{ vars.AWS_ROLE_TO_ASSUME }}",
        "aws-region": "${{ vars.AWS_REGION || 'us-east-1' }}",
        "role-session-name": "cloudscan",
        "role-duration-seconds": "${{ vars.AWS_ROLE_SECONDS || 3600 }}",
    },
)


def needs(options: Options) -> Needs:
    """A role of the machine or an access key; with profiles, AWS's own configuration, in which they stand."""
    if options.profile or options.profiles:
        config = NeededFile(meaning="the AWS configuration with the profiles", variable="AWS_CONFIG_FILE")
        return Needs(files=(config,))
    return Needs(variables=_KEYS, steps=() if options.endpoint else (_OIDC,))
