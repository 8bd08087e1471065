// Package loop speaks losetup's command line (util-linux 2.38). It decides
// nothing.
package loop
