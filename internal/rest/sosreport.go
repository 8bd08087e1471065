package rest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// secretWords end the names of members that hold a secret: it is blotted out.
var secretWords = []string{`secret":"`, `passphrase":"`, `Passphrase":"`, `password":"`, `Password":"`}

// kept is an answer that goes into the report.
type kept struct {
	header http.Header
	body   bytes.Buffer
}

func (k *kept) Header() http.Header         { return k.header }
func (k *kept) Write(b []byte) (int, error) { return k.body.Write(b) }
func (k *kept) WriteHeader(int)             {}

// downloadReport sends what the controller knows, as files in a tar.gz: every list that this API has, as it answers it now.
// It comes from memory, so it is there also while nodes are away. Secrets are left out. What only the nodes have (their
// journals, drbdsetup's output) isn't in it.
func downloadReport(c *call) error {
	at := c.began.UTC()
	name := "sos_" + at.Format("2006-01-02_15-04-05")
	h := c.w.Header()
	h.Set("Content-Type", "application/gzip")
	h.Set("Content-Disposition", `attachment; filename="`+name+`.tar.gz"`)
	c.answered = true
	c.w.WriteHeader(http.StatusOK)
	z := gzip.NewWriter(c.w)
	t := tar.NewWriter(z)
	put := func(file string, text []byte) error {
		if err := t.WriteHeader(&tar.Header{Name: name + "/" + file, Mode: 0o600, Size: int64(len(text)), ModTime: at, Format: tar.FormatPAX}); err != nil {
			return err
		}
		_, err := t.Write(text)
		return err
	}
	intro := fmt.Sprintf("Holdfast %s (%s), made at %s.\n\nWhat the controller knows: its lists, as the REST API answers them. Secrets are left out.\nOf each node, add: journalctl -u holdfast-satellite, drbdsetup status --verbose --statistics, dmesg, lvs -a, zfs list.\n",
		c.s.info.Version, c.s.info.GitHash, at.Format(time.RFC3339))
	if put("README.txt", []byte(intro)) != nil {
		return nil // the client is gone
	}
	for _, r := range implemented() {
		if !reported(&r) {
			continue
		}
		rec := &kept{header: http.Header{}}
		q := c.r.Clone(c.r.Context())
		q.Method, q.URL, q.Body, q.Header = http.MethodGet, &url.URL{Path: r.pattern}, http.NoBody, http.Header{}
		c.s.ServeHTTP(rec, q)
		file := strings.ReplaceAll(strings.Trim(r.pattern, "/"), "/", "_")
		if strings.HasPrefix(rec.header.Get("Content-Type"), "application/json") {
			file += ".json"
		} else {
			file += ".txt"
		}
		if put(file, blot(rec.body.Bytes())) != nil {
			return nil
		}
	}
	if t.Close() == nil {
		_ = z.Close()
	}
	return nil
}

// reported tells whether the route is a read of its own: without parameters, and with an end.
func reported(r *route) bool {
	return r.method == http.MethodGet && r.read != nil && !strings.Contains(r.pattern, "{") && !strings.HasPrefix(r.pattern, "/v1/events/") &&
		!strings.HasPrefix(r.pattern, "/v1/sos-report") && !strings.HasPrefix(r.pattern, "/v1/key-value-store") && r.pattern != openAPIPath && r.pattern != "/"
}

// blot takes secrets out of JSON. A key-value store may hold anybody's, so it isn't in the report at all.
func blot(text []byte) []byte {
	s := string(text)
	for _, w := range secretWords {
		for from := 0; ; {
			i := strings.Index(s[from:], w)
			if i < 0 {
				break
			}
			start := from + i + len(w)
			end := start
			for end < len(s) && s[end] != '"' {
				if s[end] == '\\' {
					end++
				}
				end++
			}
			end = min(end, len(s))
			s = s[:start] + "-" + s[end:]
			from = start + 1
		}
	}
	return []byte(s)
}
