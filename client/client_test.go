package client_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"holdfast/api"
	"holdfast/client"
)

func TestEndpoints(t *testing.T) {
	for in, want := range map[string]string{
		"":                                     "http://localhost:3370",
		"alpha":                                "http://alpha:3370",
		"alpha, bravo:1":                       "http://alpha:3370 http://bravo:1",
		"linstor://alpha,linstor+ssl://b:5":    "http://alpha:3370 https://b:5",
		"https://alpha/":                       "https://alpha:3371",
		"::1,[::1],[::1]:99,http://[fe80::1]:": "http://[::1]:3370 http://[::1]:3370 http://[::1]:99 http://[fe80::1]:3370",
	} {
		us, err := client.Endpoints(in)
		if err != nil {
			t.Errorf("%q: %v", in, err)
		}
		var got []string
		for _, u := range us {
			got = append(got, u.String())
		}
		if g := strings.Join(got, " "); g != want {
			t.Errorf("%q: %s, want %s", in, g, want)
		}
	}
	for _, bad := range []string{"ftp://x", "a:b:c", "x:0", "x:70000", "x:http", "http://", "http://x/y", "u@x"} {
		if _, err := client.Endpoints(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

// deadPort returns the address of a port that refuses connections.
func deadPort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestTheFirstControllerThatAnswersIsKept(t *testing.T) {
	var asked int
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		io.WriteString(w, `{"version":"1","build_time":"","rest_api_version":"1.28.0"}`)
	}))
	defer srv.Close()
	c, err := client.New(deadPort(t) + "," + srv.URL + "," + deadPort(t))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		v, err := c.Version(context.Background())
		if err != nil || v.RestAPIVersion != "1.28.0" {
			t.Fatal(v, err)
		}
	}
	if asked != 2 || c.Endpoint().String() != srv.URL {
		t.Error(asked, c.Endpoint())
	}
}

func TestNoControllerIsErrConnect(t *testing.T) {
	c, err := client.New(deadPort(t) + "," + deadPort(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Nodes(context.Background(), client.Filter{}); !errors.Is(err, client.ErrConnect) {
		t.Error(err)
	}
}

// A request that was received must not be sent to another controller.
func TestAnAnswerThatBreaksOffIsNotRepeated(t *testing.T) {
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, _ := w.(http.Hijacker).Hijack()
		conn.Close()
	}))
	defer broken.Close()
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the second controller was asked")
	}))
	defer other.Close()
	c, _ := client.New(broken.URL + "," + other.URL)
	_, err := c.CreateNode(context.Background(), api.Node{Name: "a"})
	if err == nil || errors.Is(err, client.ErrConnect) {
		t.Error(err)
	}
}

func TestTimeoutAndContext(t *testing.T) {
	stop := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stop }))
	defer srv.Close()
	defer close(stop)
	c, _ := client.New(srv.URL, client.WithHTTPClient(client.HTTPClient(time.Second, 20*time.Millisecond, nil)))
	_, err := c.Version(context.Background())
	var ne net.Error
	if !errors.As(err, &ne) || !ne.Timeout() {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.Version(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestErrorsCarryTheReply(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/html"):
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(502)
			io.WriteString(w, "<h1>proxy</h1>")
		default:
			w.WriteHeader(404)
			io.WriteString(w, `[{"ret_code":-4611686018427387604,"message":"Node 'x' not found."}]`)
		}
	}))
	defer srv.Close()
	c, _ := client.New(srv.URL)
	_, err := c.Node(context.Background(), "x")
	var e *client.APIError
	if !errors.As(err, &e) || !client.IsNotFound(err) || !e.Rcs.Has(api.FailNotFoundNode) || err.Error() != "Node 'x' not found." {
		t.Errorf("%v %+v", err, e)
	}
	_, err = c.Node(context.Background(), "html")
	if err == nil || err.Error() != "the controller answered 502 Bad Gateway: <h1>proxy</h1>" {
		t.Error(err)
	}
}

func TestRequestsOnTheWire(t *testing.T) {
	var line, body string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		line, body = r.Method+" "+r.URL.EscapedPath()+"?"+r.URL.RawQuery, string(b)
		io.WriteString(w, "[]")
	}))
	defer srv.Close()
	c, _ := client.New(srv.URL)
	ctx := context.Background()
	for _, s := range []struct {
		do         func() error
		line, body string
	}{
		{func() error {
			_, err := c.ResourceView(ctx, client.Filter{Nodes: []string{"a", "b"}, Props: []string{"Aux/x=1"}, Limit: 5})
			return err
		}, "GET /v1/view/resources?limit=5&nodes=a&nodes=b&offset=0&props=Aux%2Fx%3D1", ""},
		{func() error {
			_, err := c.DeleteResource(ctx, "r/1", "a", client.Lose("r"), client.Async())
			return err
		}, "DELETE /v1/resource-definitions/r%2F1/resources/a?async=true&lose=r", ""},
		{func() error {
			_, err := c.AutoPlace(ctx, "r", api.AutoPlaceRequest{SelectFilter: api.AutoSelectFilter{PlaceCount: api.NewInt(2)}})
			return err
		}, "POST /v1/resource-definitions/r/autoplace?", `{"select_filter":{"place_count":2}}`},
	} {
		if err := s.do(); err != nil {
			t.Error(err)
		}
		if line != s.line || body != s.body {
			t.Errorf("%s %s\nwant %s %s", line, body, s.line, s.body)
		}
	}
}

// A controller with TLS redirects its plain port; the request follows with method and body, but to the same host alone.
func TestRedirectToTLS(t *testing.T) {
	var got string
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = r.Method + " " + r.URL.Path + " " + string(b)
		io.WriteString(w, "[]")
	}))
	defer secure.Close()
	target := secure.URL
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", target+r.URL.Path)
		w.WriteHeader(302)
	}))
	defer plain.Close()
	h := secure.Client()
	h.CheckRedirect = client.HTTPClient(0, 0, nil).CheckRedirect
	c, _ := client.New(plain.URL, client.WithHTTPClient(h))
	if _, err := c.ModifyNode(context.Background(), "a", api.NodeModify{NodeType: api.NodeCombined}); err != nil {
		t.Fatal(err)
	}
	if want := `PUT /v1/nodes/a {"node_type":"COMBINED"}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	target, got = "https://elsewhere.example", ""
	var e *client.APIError
	if _, err := c.DeleteNode(context.Background(), "a"); !errors.As(err, &e) || e.Status != 302 || got != "" {
		t.Errorf("%v %s", err, got)
	}
}

// Somebody else's port: no TLS there, or a certificate that isn't trusted.
func TestAnEndpointWithoutTheRightTLSIsPassedOver(t *testing.T) {
	nodes := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`[]`)) }
	plain := httptest.NewServer(http.HandlerFunc(nodes))
	defer plain.Close()
	secure := httptest.NewUnstartedServer(http.HandlerFunc(nodes))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	wrong := []string{"linstor+ssl://" + plain.Listener.Addr().String(), secure.URL}
	for _, w := range wrong {
		c, err := client.New(w)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Nodes(context.Background(), client.Filter{}); !errors.Is(err, client.ErrConnect) {
			t.Errorf("%s: %v", w, err)
		}
	}
	c, err := client.New(strings.Join(append(wrong, plain.URL), ","))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Nodes(context.Background(), client.Filter{}); err != nil {
		t.Error(err)
	}
}
