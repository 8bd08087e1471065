package pki

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

const claimFile = "claim.json"

// storedClaim is Claim as the file has it.
type storedClaim struct {
	ClusterID    string    `json:"cluster_id,omitempty"`
	ControllerCA string    `json:"controller_ca,omitempty"`
	ClaimedAt    time.Time `json:"claimed_at,omitzero"`
	OpenUntil    time.Time `json:"open_until,omitzero"`
}

// LoadClaim reads the claim of the satellite below stateDir. Without the file it is the zero Claim: nobody's, and not open.
func LoadClaim(stateDir string) (Claim, error) {
	path := filepath.Join(satelliteDir(stateDir), claimFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Claim{}, nil
	}
	if err != nil {
		return Claim{}, fmt.Errorf("read claim: %w", err)
	}
	c, err := decodeClaim(b)
	if err != nil {
		return Claim{}, fmt.Errorf("read claim: %w: %s: %w; restore it, or remove it and run `holdfast satellite open-claim`", ErrBadFile, path, err)
	}
	return c, nil
}

// UpdateClaim changes the claim of the satellite below stateDir: it reads it, asks change for the new one and saves that
// before it returns. The daemon and the commands on the same node may do so at the same time. If change fails, nothing is
// saved and its error returned with the claim as it is.
func UpdateClaim(stateDir string, change func(Claim) (Claim, error)) (Claim, error) {
	dir := satelliteDir(stateDir)
	lock, err := os.Open(dir)
	if err != nil {
		return Claim{}, fmt.Errorf("lock claim: %w", err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return Claim{}, fmt.Errorf("lock claim: %w", err)
	}
	old, err := LoadClaim(stateDir)
	if err != nil {
		return Claim{}, err
	}
	c, err := change(old)
	if err != nil {
		return old, err
	}
	if c == old {
		return c, nil
	}
	b, err := encodeClaim(c)
	if err != nil {
		return old, err
	}
	if err := writeFile(filepath.Join(dir, claimFile), b); err != nil {
		return old, fmt.Errorf("save claim: %w", err)
	}
	return c, nil
}

func encodeClaim(c Claim) ([]byte, error) {
	b, err := json.MarshalIndent(storedClaim(c), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode claim: %w", err)
	}
	return append(b, '\n'), nil
}

func decodeClaim(b []byte) (Claim, error) {
	var s storedClaim
	if err := json.Unmarshal(b, &s); err != nil { // what a newer release added is ignored
		return Claim{}, err
	}
	if (s.ClusterID == "") != (s.ControllerCA == "") {
		return Claim{}, errors.New("it names a cluster without its authority, or the reverse")
	}
	return Claim(s), nil
}
