// Package pool says what a storage driver does and what it sees. Drivers are in the folders below; pooltest is the suite
// that each of them passes.
//
// A backing device of ours has a name and carries a label: the id of the volume incarnation it was made for. A driver
// makes the label in the same stroke as the device (LVM tag) or before it (file), so that no device of ours is ever
// there without one. A driver decides nothing: it refuses to touch what has another label, or none.
package pool
