package pki

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func request(c *Cluster, fingerprint string) ClaimRequest {
	return ClaimRequest{ClusterID: c.ID, ControllerCA: c.CA(), Fingerprint: fingerprint, Peer: c.Certificate().Leaf}
}

func TestDecideClaim(t *testing.T) {
	us, them := newTestCluster(t, 1), newTestCluster(t, 2)
	self, other := newTestIdentity(t, 3), newTestIdentity(t, 4)
	twin := newTestCluster(t, 5) // of our name, with other keys
	twin.ID = us.ID
	open := Claim{}.open(t0)
	ours := Claim{ClusterID: us.ID, ControllerCA: string(us.CA()), ClaimedAt: t0}
	own := self.Fingerprint()
	wrongSecret := own.Short() + "/" + strings.SplitN(other.ClaimCode(), "/", 2)[1]

	for name, c := range map[string]struct {
		state Claim
		req   ClaimRequest
		at    time.Duration
		want  error
		says  string
	}{
		"first minute":                     {open, request(us, ""), time.Minute, nil, ""},
		"first minute, fingerprint given":  {open, request(us, own.String()), time.Minute, nil, ""},
		"first minute, code given":         {open, request(us, self.ClaimCode()), time.Minute, nil, ""},
		"last second":                      {open, request(us, ""), ClaimWindow - time.Second, nil, ""},
		"an hour later":                    {open, request(us, ""), ClaimWindow, ErrClosed, "open-claim"},
		"later, by what the wire shows":    {open, request(us, own.String()), ClaimWindow, ErrClosed, "claim code"},
		"later, with the code":             {open, request(us, self.ClaimCode()), 1000 * time.Hour, nil, ""},
		"never opened":                     {Claim{}, request(us, ""), 0, ErrClosed, own.Short()},
		"never opened, with the code":      {Claim{}, request(us, self.ClaimCode()), 0, nil, ""},
		"the clock went back":              {open, request(us, ""), -time.Minute, ErrClosed, ""},
		"another's fingerprint":            {open, request(us, other.Fingerprint().String()), 0, ErrWrongFingerprint, own.Short()},
		"another's code":                   {open, request(us, other.ClaimCode()), 0, ErrWrongFingerprint, own.Short()},
		"a code with another's secret":     {open, request(us, wrongSecret), 0, ErrWrongFingerprint, "satellite fingerprint"},
		"nonsense for a fingerprint":       {open, request(us, "nonsense"), 0, ErrWrongFingerprint, "nonsense"},
		"again by the owner":               {ours, request(us, ""), 1000 * time.Hour, nil, ""},
		"by another cluster":               {ours, request(them, ""), 0, ErrOwned, us.ID},
		"by another cluster with the code": {ours, request(them, self.ClaimCode()), 0, ErrOwned, "satellite release"},
		"by the owner's name":              {ours, request(twin, ""), 0, ErrBadRequest, ""},
		"without a cluster":                {open, ClaimRequest{ControllerCA: us.CA(), Peer: us.Certificate().Leaf}, 0, ErrBadRequest, ""},
		"without an authority":             {open, ClaimRequest{ClusterID: us.ID, Peer: us.Certificate().Leaf}, 0, ErrBadRequest, ""},
		"without a certificate":            {open, ClaimRequest{ClusterID: us.ID, ControllerCA: us.CA()}, 0, ErrBadRequest, ""},
		"with another's certificate":       {open, ClaimRequest{ClusterID: us.ID, ControllerCA: us.CA(), Peer: them.Certificate().Leaf}, 0, ErrBadRequest, ""},
		"the authority shown as peer":      {open, ClaimRequest{ClusterID: us.ID, ControllerCA: us.CA(), Peer: us.ca.cert}, 0, ErrBadRequest, ""},
		"a leaf for authority": {open, ClaimRequest{ClusterID: "controller", ControllerCA: certPEM(us.controller.cert),
			Peer: us.Certificate().Leaf}, 0, ErrBadRequest, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := DecideClaim(c.state, self, c.req, t0.Add(c.at))
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if err != nil {
				if got != c.state {
					t.Errorf("refused, but changed to %+v", got)
				}
				if !strings.Contains(err.Error(), c.says) {
					t.Errorf("%q doesn't say %q", err, c.says)
				}
				if strings.Contains(err.Error(), strings.SplitN(self.ClaimCode(), "/", 2)[1]) {
					t.Errorf("%q tells the secret", err)
				}
				return
			}
			if got.ClusterID != us.ID || got.ControllerCA != string(us.CA()) || got.ClaimedAt.IsZero() || got.Open(t0) {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestClaimBySameName: a cluster made anew under the old one's id is another cluster.
func TestClaimBySameName(t *testing.T) {
	us, self := newTestCluster(t, 1), newTestIdentity(t, 3)
	ca, err := newCert(us.ID, nil, nil, t0, seeded(7))
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := newCert("controller", us.controller.cert.ExtKeyUsage, ca, t0, seeded(8))
	if err != nil {
		t.Fatal(err)
	}
	twin := &Cluster{ID: us.ID, ca: ca, controller: leaf}
	ours := Claim{ClusterID: us.ID, ControllerCA: string(us.CA()), ClaimedAt: t0}
	if _, err := DecideClaim(ours, self, request(twin, ""), t0); !errors.Is(err, ErrOwned) || !strings.Contains(err.Error(), "other keys") {
		t.Fatalf("got %v", err)
	}
	if a, err := ours.Access(leaf.cert); err != nil || a != AccessClaim {
		t.Fatalf("%v, %v", a, err)
	}
}

func TestAccess(t *testing.T) {
	us, them := newTestCluster(t, 1), newTestCluster(t, 2)
	ours := Claim{ClusterID: us.ID, ControllerCA: string(us.CA()), ClaimedAt: t0}
	for name, c := range map[string]struct {
		claim Claim
		peer  *Cluster
		want  Access
	}{
		"nobody's":         {Claim{}, us, AccessClaim},
		"nobody's, open":   {Claim{}.open(t0), us, AccessClaim},
		"the owner":        {ours, us, AccessOwner},
		"another cluster":  {ours, them, AccessClaim},
		"after a release":  {ours.Release(t0), us, AccessClaim},
		"nothing is shown": {ours, nil, AccessClaim},
	} {
		var a Access
		var err error
		if c.peer == nil {
			a, err = c.claim.Access(nil)
		} else {
			a, err = c.claim.Access(c.peer.Certificate().Leaf)
		}
		if err != nil || a != c.want {
			t.Errorf("%s: %v, %v", name, a, err)
		}
	}
	if _, err := (Claim{ClusterID: "x", ControllerCA: "y"}).Access(us.Certificate().Leaf); !errors.Is(err, ErrBadFile) {
		t.Errorf("damaged: %v", err)
	}
}

func TestReopenAndRelease(t *testing.T) {
	us := newTestCluster(t, 1)
	ours := Claim{ClusterID: us.ID, ControllerCA: string(us.CA()), ClaimedAt: t0}
	if _, err := ours.Reopen(t0); !errors.Is(err, ErrOwned) || !strings.Contains(err.Error(), us.ID) {
		t.Fatalf("got %v", err)
	}
	free := ours.Release(t0)
	if free.Owned() || !free.Open(t0) || free.Open(t0.Add(ClaimWindow)) {
		t.Fatalf("%+v", free)
	}
	again, err := free.Reopen(t0.Add(5 * time.Hour))
	if err != nil || !again.Open(t0.Add(5*time.Hour+time.Minute)) {
		t.Fatalf("%+v, %v", again, err)
	}
}

// TestWrongClock: a window set by a clock far ahead doesn't stay open for years once the clock is right.
func TestWrongClock(t *testing.T) {
	c := Claim{}.open(t0.AddDate(10, 0, 0))
	if c.Open(t0) {
		t.Error("open")
	}
}

func TestClaimFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := UpdateClaim(dir, func(c Claim) (Claim, error) { return c, nil }); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("before the first start: %v", err)
	}
	self, _, err := OpenSatellite(dir, t0, seeded(3))
	if err != nil {
		t.Fatal(err)
	}
	us := newTestCluster(t, 1)
	claim := func(c Claim) (Claim, error) { return DecideClaim(c, self, request(us, ""), t0.Add(time.Minute)) }
	got, err := UpdateClaim(dir, claim)
	if err != nil || got.ClusterID != us.ID {
		t.Fatalf("%+v, %v", got, err)
	}
	read, err := LoadClaim(dir)
	if err != nil || read != got {
		t.Fatalf("%+v, %v", read, err)
	}
	mustBePrivate(t, filepath.Join(dir, "satellite"), "claim.json", "satellite.crt", "satellite.key")

	no := errors.New("no")
	if c, err := UpdateClaim(dir, func(c Claim) (Claim, error) { return Claim{}, no }); !errors.Is(err, no) || c != got {
		t.Fatalf("%+v, %v", c, err)
	}
	if read, err := LoadClaim(dir); err != nil || read != got {
		t.Fatalf("%+v, %v", read, err)
	}

	path := filepath.Join(dir, "satellite", "claim.json")
	for _, bad := range []string{"", "{", `{"cluster_id":"x"}`, `{"cluster_id":7}`} {
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadClaim(dir); !errors.Is(err, ErrBadFile) {
			t.Fatalf("%q: %v", bad, err)
		}
		if _, err := UpdateClaim(dir, claim); !errors.Is(err, ErrBadFile) {
			t.Fatalf("%q: %v", bad, err)
		}
	}
	if err := os.WriteFile(path, []byte(`{"open_until":"2026-03-01T13:00:00Z","from_a_later_release":1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := LoadClaim(dir); err != nil || !c.Open(t0) {
		t.Fatalf("%+v, %v", c, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if c, err := LoadClaim(dir); err != nil || c != (Claim{}) {
		t.Fatalf("%+v, %v", c, err)
	}
}

// TestClaimsAtOnce: of several clusters that claim at the same moment, one gets the satellite.
func TestClaimsAtOnce(t *testing.T) {
	dir := t.TempDir()
	self, _, err := OpenSatellite(dir, t0, seeded(3))
	if err != nil {
		t.Fatal(err)
	}
	const n = 6
	var wg sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		c := newTestCluster(t, byte(10+i))
		wg.Go(func() {
			_, errs[i] = UpdateClaim(dir, func(s Claim) (Claim, error) { return DecideClaim(s, self, request(c, ""), t0) })
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, ErrOwned) {
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d won", won)
	}
}
