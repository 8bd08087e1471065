package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"holdfast/api"
)

// Client talks to the controllers of one cluster. It may be used by several goroutines.
type Client struct {
	endpoints []*url.URL
	current   atomic.Int32
	http      *http.Client
	header    http.Header
	before    func(*http.Request, []byte) error
}

// Option changes how a Client works.
type Option func(*Client)

// WithHTTPClient sends requests through h, for TLS settings or tests.
func WithHTTPClient(h *http.Client) Option { return func(c *Client) { c.http = h } }

// WithBearer sends token with every request.
func WithBearer(token string) Option {
	return func(c *Client) { c.header.Set("Authorization", "Bearer "+token) }
}

// WithBasicAuth sends a user name and password with every request.
func WithBasicAuth(user, password string) Option {
	return func(c *Client) {
		r := http.Request{Header: http.Header{}}
		r.SetBasicAuth(user, password)
		c.header.Set("Authorization", r.Header.Get("Authorization"))
	}
}

// WithUserAgent names the program that asks.
func WithUserAgent(name string) Option { return func(c *Client) { c.header.Set("User-Agent", name) } }

// WithBefore calls f with each request and its body before it is sent; an error from f is returned in place of the answer.
func WithBefore(f func(r *http.Request, body []byte) error) Option {
	return func(c *Client) { c.before = f }
}

// HTTPClient makes the http.Client that New uses: connecting takes at most connect, and a whole request at most total (0:
// only its context limits it). conf may be nil.
func HTTPClient(connect, total time.Duration, conf *tls.Config) *http.Client {
	return &http.Client{
		Timeout: total,
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: connect, KeepAlive: 15 * time.Second}).DialContext,
			TLSHandshakeTimeout: connect,
			TLSClientConfig:     conf,
			MaxIdleConnsPerHost: 64,
			IdleConnTimeout:     30 * time.Second,
		},
		// Redirects are followed in send, which keeps method and body.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// New makes a client for a comma-separated list of controllers; see Endpoints.
func New(controllers string, opts ...Option) (*Client, error) {
	ends, err := Endpoints(controllers)
	if err != nil {
		return nil, err
	}
	c := &Client{endpoints: ends, header: http.Header{"User-Agent": {"holdfast"}}}
	for _, o := range opts {
		o(c)
	}
	if c.http == nil {
		c.http = HTTPClient(5*time.Second, 300*time.Second, nil)
	}
	return c, nil
}

// Endpoint is the controller that answered last, or the first of the list.
func (c *Client) Endpoint() *url.URL {
	u := *c.endpoints[int(c.current.Load())%len(c.endpoints)]
	return &u
}

// path joins segments below /v1 and escapes each.
func path(segments ...string) string {
	var b strings.Builder
	b.WriteString("/v1")
	for _, s := range segments {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(s))
	}
	return b.String()
}

// Do sends one request and decodes the answer into out unless out is nil. An in other than nil is sent as JSON. The
// escaped path begins with /v1.
func (c *Client) Do(ctx context.Context, method, path string, query url.Values, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
	}
	resp, err := c.send(ctx, method, path, query, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return apiError(resp)
	}
	if out == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("read the answer to %s %s: %w", method, path, err)
	}
	if raw, ok := ctx.Value(rawKey{}).(*json.RawMessage); ok {
		*raw = text
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil // no body: out stays as it is
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("read the answer to %s %s: %w", method, path, err)
	}
	return nil
}

type rawKey struct{}

// WithRaw makes requests with the returned context also store the answer's JSON text, as it was received.
func WithRaw(ctx context.Context, raw *json.RawMessage) context.Context {
	return context.WithValue(ctx, rawKey{}, raw)
}

// send tries the controllers in turn, beginning with the one that answered last.
func (c *Client) send(ctx context.Context, method, path string, query url.Values, body []byte) (*http.Response, error) {
	start := int(c.current.Load())
	var failures []error
	for i := range c.endpoints {
		n := (start + i) % len(c.endpoints)
		resp, err := c.sendTo(ctx, c.endpoints[n], method, path, query, body)
		if err == nil {
			if moved := secureEndpoint(c.endpoints[n], resp); moved != nil {
				resp.Body.Close()
				resp, err = c.sendTo(ctx, moved, method, path, query, body)
			}
		}
		if err == nil {
			c.current.Store(int32(n))
			return resp, nil
		}
		if !notSent(err) || ctx.Err() != nil {
			return nil, err
		}
		failures = append(failures, err)
	}
	return nil, fmt.Errorf("%w: %w", ErrConnect, errors.Join(failures...))
}

// secureEndpoint is where a controller with TLS redirects requests for its plain port: to https on the same host. Any
// other redirect is not followed, so that passwords and changes go nowhere else.
func secureEndpoint(from *url.URL, resp *http.Response) *url.URL {
	if resp.StatusCode < 300 || resp.StatusCode >= 400 {
		return nil
	}
	to, err := resp.Location()
	if err != nil || to.Scheme != "https" || to.Hostname() != from.Hostname() {
		return nil
	}
	return &url.URL{Scheme: to.Scheme, Host: to.Host}
}

func (c *Client) sendTo(ctx context.Context, base *url.URL, method, path string, query url.Values, body []byte) (*http.Response, error) {
	target := base.String() + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	var rd io.Reader
	if body != nil {
		rd = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, target, rd)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	for k, v := range c.header {
		req.Header[k] = v
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.before != nil {
		if err := c.before(req, body); err != nil {
			return nil, err
		}
	}
	return c.http.Do(req)
}

// notSent tells whether the request can't have been received: connecting failed, or agreeing on TLS did.
func notSent(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" || errors.Is(err, http.ErrSchemeMismatch) {
		return true
	}
	var plain tls.RecordHeaderError
	var cert *tls.CertificateVerificationError
	return errors.As(err, &plain) || errors.As(err, &cert)
}

// maxErrorBody bounds how much of an error's body is read, in bytes.
const maxErrorBody = 1 << 20

func apiError(resp *http.Response) error {
	e := &APIError{Status: resp.StatusCode}
	b, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	if t, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); t != "text/html" {
		_ = json.Unmarshal(b, &e.Rcs)
	}
	if len(e.Rcs) == 0 {
		e.Body = string(b[:min(len(b), 300)])
	}
	return e
}

// change sends a request whose answer is a reply.
func (c *Client) change(ctx context.Context, method, path string, o []ChangeOption, in any) (api.ApiCallRcList, error) {
	q := url.Values{}
	for _, f := range o {
		f(q)
	}
	var rcs api.ApiCallRcList
	err := c.Do(ctx, method, path, q, in, &rcs)
	return rcs, err
}

// get reads one value.
func get[T any](ctx context.Context, c *Client, path string, q url.Values) (T, error) {
	var out T
	err := c.Do(ctx, http.MethodGet, path, q, nil, &out)
	return out, err
}
