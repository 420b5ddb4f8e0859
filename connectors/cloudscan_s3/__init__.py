"""Amazon S3: buckets, access points and objects, and whom each of them lets in."""
