// Package throttle limits block devices for all their users, by the root of cgroup v1's blkio hierarchy
// (kernel, admin-guide/cgroup-v1/blkio-controller.rst). In cgroup v2 the root has no limits.
package throttle
