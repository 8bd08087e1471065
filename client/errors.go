package client

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"holdfast/api"
)

// ErrConnect is wrapped by every error that means: no controller could be reached.
var ErrConnect = errors.New("cannot connect to a controller")

// APIError is an answer with a status of 400 or more.
type APIError struct {
	// Status is the HTTP status.
	Status int
	// Rcs is the reply; empty when the body wasn't one.
	Rcs api.ApiCallRcList
	// Body is the start of the body when it wasn't a reply.
	Body string
}

// Error joins the messages of the reply.
func (e *APIError) Error() string {
	if len(e.Rcs) > 0 {
		return e.Rcs.String()
	}
	msg := fmt.Sprintf("the controller answered %d %s", e.Status, http.StatusText(e.Status))
	if b := strings.TrimSpace(e.Body); b != "" {
		msg += ": " + b
	}
	return msg
}

// IsNotFound tells whether err is an answer of status 404.
func IsNotFound(err error) bool {
	var e *APIError
	return errors.As(err, &e) && e.Status == http.StatusNotFound
}

// Replies returns the entries of an answer: those of a success, or those inside an *APIError.
func Replies(rcs api.ApiCallRcList, err error) (api.ApiCallRcList, error) {
	var e *APIError
	if errors.As(err, &e) && len(e.Rcs) > 0 {
		return e.Rcs, nil
	}
	return rcs, err
}
