package model

// Throttle limits a volume's backing device on each node, for all who use it together. 0: no limit.
type Throttle struct {
	ReadBytes, WriteBytes int64 // per second
	ReadOps, WriteOps     int64 // per second
}
