"""Where things are kept: database, blobs, jobs, search."""
