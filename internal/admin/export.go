package admin

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/spf13/cobra"

	"holdfast/internal/store"
	"holdfast/internal/store/sqlite"
)

// dump is what export prints.
type dump struct {
	Schema    int      `json:"schema"`
	Cluster   string   `json:"cluster"`
	WrittenBy string   `json:"written_by"`
	Epoch     uint64   `json:"epoch"`
	Revision  uint64   `json:"revision"`
	NextID    int64    `json:"next_id"`
	Secrets   bool     `json:"secrets"` // in it
	Records   []record `json:"records"`
}

type record struct {
	ID   int64           `json:"id"`
	Kind string          `json:"kind"`
	Data json.RawMessage `json:"data,omitempty"`
	Raw  []byte          `json:"raw,omitempty"` // base64: data that isn't JSON
	Left string          `json:"left_out,omitempty"`
}

func export(f *files) *cobra.Command {
	var secrets bool
	cmd := &cobra.Command{Use: "export", Short: "Print the whole store as JSON", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.look(cmd.Context(), func(db *sqlite.DB) error {
				st, err := db.Load(cmd.Context())
				if err != nil {
					return err
				}
				d := dump{Schema: st.Schema, Cluster: st.Cluster, WrittenBy: st.WrittenBy, Epoch: st.Epoch, Revision: st.Base, NextID: st.NextID,
					Secrets: secrets, Records: []record{}}
				for _, r := range st.Records {
					d.Records = append(d.Records, show(r, secrets))
				}
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetIndent("", "  ")
				e.SetEscapeHTML(false)
				return e.Encode(d)
			})
		}}
	cmd.Flags().BoolVar(&secrets, "secrets", false, "with DRBD's shared secrets, claim codes and passphrases")
	return cmd
}

// show is one record; without secrets it is what is known to hold none.
func show(r store.Record, secrets bool) record {
	out := record{ID: r.ID, Kind: r.Kind.String()}
	if secrets {
		if json.Valid(r.Data) {
			out.Data = r.Data
		} else {
			out.Raw = r.Data
		}
		return out
	}
	if r.Kind == store.KindSecret || !r.Kind.Known() {
		out.Left = "it may hold secrets"
		return out
	}
	var v any
	dec := json.NewDecoder(bytes.NewReader(r.Data))
	dec.UseNumber()
	if dec.Decode(&v) != nil {
		out.Left = "it isn't JSON, and may hold secrets"
		return out
	}
	data, err := json.Marshal(redact(v))
	if err != nil {
		out.Left = err.Error()
		return out
	}
	out.Data = data
	return out
}

const redacted = "(secret)"

// redact replaces what must stay secret: values under a key that speaks of a secret, a passphrase, a password or a
// private key, and the secret half of a claim code.
func redact(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			s, isText := x.(string)
			switch {
			case isText && s != "" && secretKey(k):
				v[k] = redacted
			case isText && k == "fingerprint":
				if pin, _, ok := strings.Cut(s, "/"); ok {
					v[k] = pin + "/" + redacted
				}
			default:
				v[k] = redact(x)
			}
		}
	case []any:
		for i := range v {
			v[i] = redact(v[i])
		}
	}
	return v
}

func secretKey(k string) bool {
	k = strings.ToLower(k)
	for _, w := range []string{"secret", "passphrase", "password", "privkey", "private", "token", "masterkey"} {
		if strings.Contains(k, w) {
			return true
		}
	}
	return false
}
