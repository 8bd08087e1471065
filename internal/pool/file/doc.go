// Package file makes backing devices as files in a directory, each behind a loop device: sparse ones (provider
// FILE_THIN), or ones that have all their blocks (FILE).
//
//	<name>.img    the data
//	<name>.label  "holdfast:<volume id>", written before the data and removed after it
//	<name>.new    a file being made; it gets its name when it has its size and content
//
// A label without a file is nothing; a file without a label isn't ours. A snapshot is the same three, called
// <device>@<snapshot> and without a loop device; its blocks are shared where the file system can do that (XFS, Btrfs),
// elsewhere there are no snapshots (pool.ErrUnsupported).
package file
