// Package zpool makes ZFS pools of whole devices.
package zpool
