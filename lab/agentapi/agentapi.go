package agentapi

// Address is where the agent listens inside the machine: the control network that QEMU makes for each machine alone.
const Address = "10.0.2.15:7070"

// ReadyLine is what the agent prints on the console once it listens.
const ReadyLine = "LAB-AGENT-READY"

// Paths of the agent's HTTP interface. A tunnel is an HTTP CONNECT to the wanted host:port.
const (
	PathExec     = "/exec"     // POST Command -> Outcome
	PathSpawn    = "/spawn"    // POST Command -> Process
	PathProcess  = "/process"  // GET ?pid= -> Process
	PathSignal   = "/signal"   // POST ?pid=&signal= (to the process group of a spawned process)
	PathFile     = "/file"     // GET, PUT ?path=&mode= (octal)
	PathIdentity = "/identity" // POST Identity
	PathTerminal = "/terminal" // POST ?rows=&cols=&term=; after the answer the connection is the terminal
)

// Command is a program to run.
type Command struct {
	Argv    []string `json:"argv"`
	Env     []string `json:"env,omitempty"`      // added to the agent's own
	Dir     string   `json:"dir,omitempty"`      // /root if empty
	Stdin   []byte   `json:"stdin,omitempty"`    // exec only
	LimitMS int64    `json:"limit_ms,omitempty"` // exec only; 0: none
	Log     string   `json:"log,omitempty"`      // spawn only: stdout and stderr are appended to this file
}

// Outcome is how a program ended.
type Outcome struct {
	Exit       int    `json:"exit"`             // -1 if it was ended by a signal or did not end
	Signal     string `json:"signal,omitempty"` // that signal
	Stdout     []byte `json:"stdout,omitempty"`
	Stderr     []byte `json:"stderr,omitempty"`
	DurationMS int64  `json:"duration_ms"`
	TimedOut   bool   `json:"timed_out,omitempty"` // the limit passed; it was killed
	Stuck      bool   `json:"stuck,omitempty"`     // killed, but it does not die (D state)
	Failure    string `json:"failure,omitempty"`   // why it could not be started
}

// Process is the state of a spawned program.
type Process struct {
	Pid     int    `json:"pid"`
	Running bool   `json:"running"`
	Exit    int    `json:"exit"` // once it has ended; -1 if ended by a signal
	Signal  string `json:"signal,omitempty"`
}

// Identity makes a resumed copy of a saved machine a machine of its own.
type Identity struct {
	ID       int    `json:"id"`
	Name     string `json:"name"`
	Address  string `json:"address"` // with prefix length, for data0
	MAC      string `json:"mac"`     // of data0
	Seed     []byte `json:"seed"`    // fresh randomness: copies share the saved machine's
	UnixNano int64  `json:"unix_nano"`
}
