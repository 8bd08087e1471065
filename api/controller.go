package api

// RESTVersion is the version of LINSTOR's REST API that this package follows. Clients switch features on by it.
const RESTVersion = "1.28.0"

// ControllerVersion tells what answers.
type ControllerVersion struct {
	Version string `json:"version"`
	GitHash string `json:"git_hash,omitempty"`
	// BuildTime is RFC 3339.
	BuildTime      string `json:"build_time"`
	RestAPIVersion string `json:"rest_api_version"`
}

// ErrorReport is something that went wrong, kept for support.
type ErrorReport struct {
	NodeName string `json:"node_name,omitempty"`
	// ErrorTime is ms.
	ErrorTime        int64  `json:"error_time"`
	Filename         string `json:"filename"`
	Text             string `json:"text,omitempty"`
	Module           string `json:"module,omitempty"`
	Version          string `json:"version,omitempty"`
	Peer             string `json:"peer,omitempty"`
	Exception        string `json:"exception,omitempty"`
	ExceptionMessage string `json:"exception_message,omitempty"`
	OriginFile       string `json:"origin_file,omitempty"`
	OriginMethod     string `json:"origin_method,omitempty"`
	OriginLine       int    `json:"origin_line,omitempty"`
}

// ErrorReportDelete chooses the reports to delete.
type ErrorReportDelete struct {
	Since     *Int     `json:"since,omitempty"`
	To        *Int     `json:"to,omitempty"`
	Nodes     []string `json:"nodes,omitempty"`
	Exception string   `json:"exception,omitempty"`
	Version   string   `json:"version,omitempty"`
	IDs       []string `json:"ids,omitempty"`
}

// Stats counts objects of one kind.
type Stats struct {
	Count int64 `json:"count"`
}

// PassphraseStatus tells whether a master passphrase is "unset", "locked" or "unlocked".
type PassphraseStatus struct {
	Status string `json:"status"`
}
