#!/bin/sh
# The service account that reads a Google Workspace, in a project of its own. Needs the Google Cloud CLI and the right to
# create projects; what an administrator of the Workspace has to do after it is printed at the end.
#
#     PROJECT=cloudscan-kumo sh prepare-project.sh
#
# Nothing is granted in the project: the account needs no role there.
set -eu

: "${PROJECT:?Name the new project: PROJECT=cloudscan-kumo sh prepare-project.sh}"
key=${KEY:-cloudscan-google.json}
if [ -e "$key" ]; then
    echo "$key exists already; move it away or name another one as KEY." >&2
    exit 2
fi

gcloud projects describe "$PROJECT" >/dev/null 2>&1 || gcloud projects create "$PROJECT" --name=cloudscan
gcloud services enable --project="$PROJECT" \
    drive.googleapis.com admin.googleapis.com groupssettings.googleapis.com cloudidentity.googleapis.com
account="cloudscan@$PROJECT.iam.gserviceaccount.com"
gcloud iam service-accounts describe "$account" --project="$PROJECT" >/dev/null 2>&1 ||
    gcloud iam service-accounts create cloudscan --project="$PROJECT" --display-name="cloudscan reads sharing settings"
umask 077
gcloud iam service-accounts keys create "$key" --iam-account="$account" --project="$PROJECT"
client=$(gcloud iam service-accounts describe "$account" --project="$PROJECT" --format='value(oauth2ClientId)')

scopes=$(
    sed 's/^ *//' <<'SCOPES' | grep -v '^#' | paste -s -d , -
    # written by tools/deploy.py
    https://www.googleapis.com/auth/drive.metadata.readonly
    https://www.googleapis.com/auth/drive.readonly
    https://www.googleapis.com/auth/admin.directory.user.readonly
    https://www.googleapis.com/auth/admin.directory.group.readonly
    https://www.googleapis.com/auth/admin.directory.group.member.readonly
    https://www.googleapis.com/auth/admin.directory.domain.readonly
    https://www.googleapis.com/auth/admin.directory.orgunit.readonly
    https://www.googleapis.com/auth/apps.groups.settings
    https://www.googleapis.com/auth/admin.reports.audit.readonly
    https://www.googleapis.com/auth/cloud-identity.policies.readonly
    # until here
SCOPES
)
cat <<TEXT

The key is in $key: keep it private, and name it as key_file under [connectors.gdrive].
Now a super admin of the Workspace delegates these scopes, under Security > Access and data control > API controls >
Domain-wide delegation > Add new:

Client ID: $client
Scopes:    $scopes

apps.groups.settings is not read-only (Google has no such form); leave it out and set group_settings = false if you like.
TEXT
