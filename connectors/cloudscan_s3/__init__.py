"""Amazon S3: buckets, access points and objects, and who has access to each of them."""
