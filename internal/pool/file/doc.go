// Package file makes backing devices as sparse files in a directory, each behind a loop device (provider FILE_THIN).
//
//	<name>.img    the data
//	<name>.label  "holdfast:<volume id>", written before the data and removed after it
//	<name>.new    a file being made; it gets its name when it has its size
//
// A label without a file is nothing; a file without a label isn't ours.
package file
