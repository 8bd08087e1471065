// Package scenario runs Holdfast in the lab: real kernel, LVM and DRBD, real power cuts. One test a story. They share a
// cluster of two machines, and each leaves it as it found it; after a failure the next gets a fresh one. They run where
// HOLDFAST_LAB=1 is set (`make test` does), else they say that they were skipped. With HOLDFAST_LAB_MODULES, a folder of
// other kernel modules, the same stories run on those, and the ones that need DRBD 9 run too.
//
// With -v each test prints a diary: seconds since its start, seconds that the step took, the step.
package scenario
