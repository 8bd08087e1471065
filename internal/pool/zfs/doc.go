// Package zfs makes backing devices as volumes of a zpool, or of a dataset in one (providers ZFS and ZFS_THIN). The label
// is a user property that is given in the call that makes the volume or snapshot: holdfast:label for volumes,
// holdfast:snapshot for snapshots, because a snapshot inherits its volume's properties.
//
// A snapshot lives in its volume, so a volume stays while it has one that nobody removed (pool.ErrInUse).
//
// A restore makes a clone, in a moment and without copying. The snapshot can go all the same: it is renamed to gone:<label>,
// isn't in the picture any more, and ZFS destroys it with its last clone (zfs-destroy(8), -d). A volume that has only such
// snapshots goes too: first each clone changes places with it (zfs-promote(8)), so that it is a mere clone itself.
//
// A volume goes back to its newest snapshot only (pool.ErrNewerSnapshots); a hidden one counts.
package zfs
