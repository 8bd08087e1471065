// Package scenario runs Holdfast in the lab: real kernel, LVM and DRBD, real power cuts. One test a story; each brings up
// its own machines. They run where HOLDFAST_LAB=1 is set (`make test` does), else they say that they were skipped.
package scenario
