package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"holdfast/api"
)

func newSosReport(a *App) *cobra.Command {
	return group("sos-report", "sos", "What the controller knows, for support", takes(&cobra.Command{
		Use:     "download [PATH]",
		Aliases: []string{"dl"},
		Short:   "Save what the controller knows as a tar.gz, without secrets",
		Long: "Save what the controller knows as a tar.gz: its lists, as the REST API answers them. Secrets are left out. PATH is a file that\n" +
			"isn't there yet, or a folder; without it the file comes into the current folder under the controller's name for it.",
		RunE: func(cmd *cobra.Command, args []string) error {
			to := "."
			if len(args) > 0 {
				to = args[0]
			}
			c, err := a.api()
			if err != nil {
				return err
			}
			name, report, err := c.SosReport(cmd.Context())
			if err != nil {
				return a.failed(err)
			}
			defer report.Close()
			if at, err := os.Stat(to); err == nil && at.IsDir() {
				to = filepath.Join(to, name)
			}
			if err := save(to, report); err != nil {
				return fmt.Errorf("save the report: %w", err)
			}
			return a.replies(api.ApiCallRcList{api.Rc(api.Created, "File saved to: %s", to)})
		},
	}, 0, 1))
}

// save writes a new file, whole or not at all; only its owner may read it.
func save(to string, r io.Reader) error {
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err = io.Copy(f, r); err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = os.Remove(to)
	}
	return err
}
