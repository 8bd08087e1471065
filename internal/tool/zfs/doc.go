// Package zfs speaks zfs(8): argv one way, tab-separated lists and error texts the other. It decides nothing.
//
// Written by OpenZFS 2.3's manual and libzfs' messages. Other than LVM's and DRBD's it has no recorded runs yet.
package zfs
