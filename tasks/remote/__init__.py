"""Raw archive and tables in a bucket: everything else works in a local mirror, as on a disk (docs/cluster.md)."""
