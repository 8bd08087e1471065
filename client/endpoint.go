package client

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// Default ports of a controller.
const (
	DefaultPort    = 3370
	DefaultTLSPort = 3371
)

// Endpoints reads a comma-separated list of controllers. Each is host, host:port, an IPv6 address with or without
// brackets, or a URL with scheme http, https, linstor (= http) or linstor+ssl (= https). The result has one base URL per
// controller, without a path. An empty list means localhost.
func Endpoints(list string) ([]*url.URL, error) {
	var out []*url.URL
	for _, part := range strings.Split(list, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		u, err := endpoint(part)
		if err != nil {
			return nil, fmt.Errorf("controller %q: %w", part, err)
		}
		out = append(out, u)
	}
	if len(out) == 0 {
		out = append(out, &url.URL{Scheme: "http", Host: net.JoinHostPort("localhost", strconv.Itoa(DefaultPort))})
	}
	return out, nil
}

func endpoint(s string) (*url.URL, error) {
	scheme, rest, found := strings.Cut(s, "://")
	if !found {
		scheme, rest = "http", s
	}
	switch strings.ToLower(scheme) {
	case "http", "linstor":
		scheme = "http"
	case "https", "linstor+ssl", "linstors":
		scheme = "https"
	default:
		return nil, fmt.Errorf("unknown scheme %q; use http, https, linstor or linstor+ssl", scheme)
	}
	rest, path, _ := strings.Cut(rest, "/")
	if path != "" {
		return nil, fmt.Errorf("unexpected path %q", "/"+path)
	}
	if strings.Contains(rest, "@") {
		return nil, fmt.Errorf("a user name in the address isn't supported")
	}
	host, port := rest, ""
	switch {
	case net.ParseIP(rest) != nil: // a bare IPv6 address has colons and no port
	case strings.HasSuffix(rest, "]"):
		host = strings.Trim(rest, "[]")
	case strings.Contains(rest, ":"):
		var err error
		if host, port, err = net.SplitHostPort(rest); err != nil {
			return nil, fmt.Errorf("not host or host:port")
		}
	}
	if host == "" {
		return nil, fmt.Errorf("the host is missing")
	}
	if port == "" {
		port = strconv.Itoa(DefaultPort)
		if scheme == "https" {
			port = strconv.Itoa(DefaultTLSPort)
		}
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return nil, fmt.Errorf("port %q is not in 1-65535", port)
	}
	return &url.URL{Scheme: scheme, Host: net.JoinHostPort(host, port)}, nil
}
