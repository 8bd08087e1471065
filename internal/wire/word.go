package wire

// known are words that DRBD says of every volume and connection: tens of thousands of statuses are kept, these strings once.
var known = func() map[string]string {
	m := map[string]string{}
	for _, w := range []string{"UpToDate", "Inconsistent", "Outdated", "Consistent", "Diskless", "Attaching", "Detaching", "Failed", "Negotiating",
		"DUnknown", "Created", "Connected", "Connecting", "StandAlone", "Disconnecting", "Unconnected", "Timeout", "BrokenPipe", "NetworkFailure",
		"ProtocolError", "TearDown", "Primary", "Secondary", "Unknown", "Off", "Established", "SyncSource", "SyncTarget", "PausedSyncS",
		"PausedSyncT", "StartingSyncS", "StartingSyncT", "WFBitMapS", "WFBitMapT", "WFSyncUUID", "VerifyS", "VerifyT", "Ahead", "Behind"} {
		m[w] = w
	}
	return m
}()

// word is s, without memory of its own if it is one of DRBD's.
func word(s string) string {
	if w, ok := known[s]; ok {
		return w
	}
	return s
}
