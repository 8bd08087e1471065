package cli

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"holdfast/client"
	"holdfast/internal/cli/ui"
)

// globals are the options that every command takes.
type globals struct {
	noColor, noUTF8   bool
	warnAsError       bool
	curl              bool
	controllers       string
	machine           bool
	outputVersion     string
	verbose           bool
	timeout           int
	disableConfig     bool
	user, password    string
	certFile, keyFile string
	caFile            string
	allowInsecureAuth bool
}

// globalShort are the short forms of global options. They are no pflag shorthands, because commands use the same letters
// for other things; a command's own letter wins.
var globalShort = map[string]string{
	"m": "machine-readable", "V": "verbose", "t": "timeout", "u": "user", "P": "password", "v": "version",
}

func (g *globals) flags(fs *pflag.FlagSet) {
	fs.BoolVar(&g.noColor, "no-color", false, "no colours")
	fs.BoolVar(&g.noUTF8, "no-utf8", false, "no box-drawing characters")
	fs.BoolVar(&g.warnAsError, "warn-as-error", false, "exit with an error on warnings too")
	fs.BoolVar(&g.curl, "curl", false, "print the request as a curl command and send nothing")
	fs.StringVar(&g.controllers, "controllers", "", "comma-separated list of controllers: HOST[:PORT] or URL (also LS_CONTROLLERS; default localhost)")
	fs.BoolVar(&g.machine, "machine-readable", false, "print the API's JSON (short: -m)")
	fs.StringVar(&g.outputVersion, "output-version", "v1", "version of the machine-readable output: v0 or v1")
	fs.BoolVar(&g.verbose, "verbose", false, "say which controller answers (short: -V)")
	fs.IntVar(&g.timeout, "timeout", 300, "longest time to wait for an answer, in seconds (short: -t)")
	fs.BoolVar(&g.disableConfig, "disable-config", false, "read no configuration file")
	fs.StringVar(&g.user, "user", "", "user name (short: -u)")
	fs.StringVar(&g.password, "password", "", "password (short: -P)")
	fs.StringVar(&g.certFile, "certfile", "", "client certificate, PEM")
	fs.StringVar(&g.keyFile, "keyfile", "", "key of the client certificate, PEM")
	fs.StringVar(&g.caFile, "cafile", "", "certificates of the authorities to trust, PEM")
	fs.BoolVar(&g.allowInsecureAuth, "allow-insecure-auth", false, "send a password over a connection that isn't encrypted")
}

// firstFormat asks for the output of the first LINSTOR clients.
func (g *globals) firstFormat() bool { return g.outputVersion == "v0" }

// tokenFile may hold {"token": "..."} for the controller.
const tokenFile = "var/lib/linstor.d/auth.json"

// setUp runs before each command: it settles the style of output. The client is made only when it is needed.
func (a *App) setUp() error {
	if v, ok := a.env["LS_OUTPUT_VERSION"]; ok && v != "" && a.opt.outputVersion == "v1" {
		a.opt.outputVersion = v
	}
	if a.opt.outputVersion != "v1" && !a.opt.firstFormat() {
		return usagef(nil, "output version %q isn't one of v0, v1", a.opt.outputVersion)
	}
	if a.opt.timeout < 1 {
		return usagef(nil, "--timeout must be 1 second or more")
	}
	term := a.env["TERM"]
	a.style = ui.Style{
		Color: a.cfg.Streams.OutTTY && !a.opt.noColor && a.env["NO_COLOR"] == "" && term != "dumb",
		UTF8:  a.cfg.Streams.OutTTY && !a.opt.noUTF8 && utf8Locale(a.env),
	}
	return nil
}

// utf8Locale tells whether the locale's character set is UTF-8.
func utf8Locale(env map[string]string) bool {
	for _, k := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := env[k]; v != "" {
			v = strings.ToLower(v)
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return false
}

var errCurl = errors.New("printed as a curl command")

// api returns the client, making it at the first call.
func (a *App) api() (*client.Client, error) {
	if a.client != nil {
		return a.client, nil
	}
	var list []string
	for _, s := range []string{a.opt.controllers, a.env["LS_CONTROLLERS"]} {
		if strings.TrimSpace(s) != "" {
			list = append(list, s)
		}
	}
	controllers := strings.Join(list, ",")
	ends, err := client.Endpoints(controllers)
	if err != nil {
		return nil, usagef(nil, "%w", err)
	}
	conf, err := a.tlsConfig()
	if err != nil {
		return nil, err
	}
	opts := []client.Option{
		client.WithHTTPClient(client.HTTPClient(5*time.Second, time.Duration(a.opt.timeout)*time.Second, conf)),
		client.WithUserAgent("holdfast-cli/" + a.cfg.Version),
	}
	switch {
	case a.opt.user != "":
		for _, e := range ends {
			if e.Scheme != "https" && !a.opt.allowInsecureAuth {
				return nil, usagef(nil, "%s isn't encrypted, so the password isn't sent; use https:// or --allow-insecure-auth", e)
			}
		}
		opts = append(opts, client.WithBasicAuth(a.opt.user, a.opt.password))
	default:
		if t := a.token(); t != "" {
			opts = append(opts, client.WithBearer(t))
		}
	}
	if a.opt.curl {
		opts = append(opts, client.WithBefore(a.printCurl))
	}
	a.client, err = client.New(controllers, opts...)
	return a.client, err
}

func (a *App) token() string {
	if a.cfg.FS == nil {
		return ""
	}
	b, err := fs.ReadFile(a.cfg.FS, tokenFile)
	if err != nil {
		return ""
	}
	var t struct {
		Token string `json:"token"`
	}
	if json.Unmarshal(b, &t) != nil {
		return ""
	}
	return t.Token
}

func (a *App) tlsConfig() (*tls.Config, error) {
	if a.opt.certFile == "" && a.opt.caFile == "" {
		return nil, nil
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	read := func(name string) ([]byte, error) {
		return a.readFile(name)
	}
	if a.opt.certFile != "" {
		cert, err := read(a.opt.certFile)
		if err != nil {
			return nil, err
		}
		key := cert
		if a.opt.keyFile != "" {
			if key, err = read(a.opt.keyFile); err != nil {
				return nil, err
			}
		}
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("read certificate %s: %w", a.opt.certFile, err)
		}
		conf.Certificates = []tls.Certificate{pair}
	}
	if a.opt.caFile != "" {
		pem, err := read(a.opt.caFile)
		if err != nil {
			return nil, err
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", a.opt.caFile)
		}
	}
	return conf, nil
}

// printCurl prints a request as a curl command line.
func (a *App) printCurl(r *http.Request, body []byte) error {
	line := "curl -X " + r.Method
	if body != nil {
		line += " -H 'Content-Type: application/json' -d '" + strings.ReplaceAll(string(body), "'", `'\''`) + "'"
	}
	fmt.Fprintln(a.out(), line+" '"+strings.ReplaceAll(r.URL.String(), "'", "%27")+"'")
	return errCurl
}
