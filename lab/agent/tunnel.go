package main

import (
	"io"
	"net"
	"net/http"
	"time"
)

// serveTunnel joins the caller to a TCP address that this machine reaches (HTTP CONNECT).
func serveTunnel(w http.ResponseWriter, r *http.Request) {
	far, err := net.DialTimeout("tcp", r.Host, 10*time.Second)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer far.Close()
	near, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer near.Close()
	if _, err := io.WriteString(near, "HTTP/1.1 200 Connected\r\n\r\n"); err != nil {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(far, buffered)
		far.(*net.TCPConn).CloseWrite()
	}()
	io.Copy(near, far)
	near.(*net.TCPConn).CloseWrite()
	<-done
}
