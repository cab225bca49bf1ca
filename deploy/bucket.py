"""Make the bucket of papers, once, or put its settings right: versions on, what was hidden dies after 30 days. Safe to repeat.

Reads the same variables as the service: ABRI_BLOBS (`s3:NAME`), ABRI_S3_ENDPOINT, AWS_REGION and the two AWS keys.
"""

import os
import sys
import time

import boto3
from botocore.exceptions import BotoCoreError, ClientError

HIDDEN_DAYS = 30  # as long as any backup lives
WAIT_SECONDS = 60  # for a store that starts at the same time
RULES = [
    {
        "ID": "what-was-hidden",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "NoncurrentVersionExpiration": {"NoncurrentDays": HIDDEN_DAYS},
    },
    {
        "ID": "half-made-uploads",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    },
]


def main() -> int:
    """Make the bucket of the settings; 1 when the store never answers. One that knows no lifecycle is said and will do: the
    background work aborts half-made uploads and sweeps, so only versions that somebody else hid would stay."""
    kind, _, name = os.environ["ABRI_BLOBS"].partition(":")
    if kind != "s3":
        print("ABRI_BLOBS names no bucket.", file=sys.stderr)
        return 1
    client = boto3.client(
        "s3", endpoint_url=os.environ.get("ABRI_S3_ENDPOINT"), region_name=os.environ.get("AWS_REGION", "us-east-1")
    )
    end = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            if name not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
                client.create_bucket(Bucket=name)
            client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
            break
        except (BotoCoreError, ClientError) as error:
            if time.monotonic() > end:
                print(f"The store does not answer as it should: {type(error).__name__}.", file=sys.stderr)
                return 1
            time.sleep(1)
    try:
        client.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": RULES})
    except ClientError as error:
        print(
            f"{name}: versions are on; this store refused the lifecycle ({error.response['Error']['Code']}): what somebody else hides"
            " there stays until somebody removes it.",
            file=sys.stderr,
        )
        return 0
    print(f"{name}: versions are on, hidden versions die after {HIDDEN_DAYS} days.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
