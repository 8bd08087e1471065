package api

import (
	"fmt"
	"strings"
)

// ApiCallRc is one entry of the reply to a changing request; every such reply is a JSON array of them.
type ApiCallRc struct {
	RetCode        Code              `json:"ret_code"`
	Message        string            `json:"message"`
	Cause          string            `json:"cause,omitempty"`
	Details        string            `json:"details,omitempty"`
	Correction     string            `json:"correction,omitempty"`
	ErrorReportIDs []string          `json:"error_report_ids,omitempty"`
	ObjRefs        map[string]string `json:"obj_refs,omitempty"`
	// CreatedAt is ISO-8601 with an offset, set by the server's edge.
	CreatedAt string `json:"created_at,omitempty"`
}

// Keys of ApiCallRc.ObjRefs.
const (
	RefNode        = "Node"
	RefRscDfn      = "RscDfn"
	RefVlmNr       = "VlmNr"
	RefVlmMinor    = "VlmMinor"
	RefVlmSize     = "VlmSize"
	RefStorPool    = "StorPool"
	RefStorPoolDfn = "StorPoolDfn"
	RefNetIf       = "NetIf"
	RefRscGrp      = "RscGrp"
	RefVlmGrp      = "VlmGrp"
	RefSnapshot    = "Snapshot"
	RefKvs         = "KVS"
	RefUUID        = "UUID"
)

// Rc makes an entry.
func Rc(code Code, format string, args ...any) ApiCallRc {
	msg := format
	if len(args) > 0 {
		msg = fmt.Sprintf(format, args...)
	}
	return ApiCallRc{RetCode: code, Message: msg}
}

// Because returns the entry with a cause.
func (rc ApiCallRc) Because(cause string) ApiCallRc { rc.Cause = cause; return rc }

// Do returns the entry with a correction: what the reader can do.
func (rc ApiCallRc) Do(correction string) ApiCallRc { rc.Correction = correction; return rc }

// With returns the entry with details.
func (rc ApiCallRc) With(details string) ApiCallRc { rc.Details = details; return rc }

// Ref returns the entry with one more object reference; the original is left as it was.
func (rc ApiCallRc) Ref(key, value string) ApiCallRc {
	m := make(map[string]string, len(rc.ObjRefs)+1)
	for k, v := range rc.ObjRefs {
		m[k] = v
	}
	m[key] = value
	rc.ObjRefs = m
	return rc
}

// ApiCallRcList is a whole reply.
type ApiCallRcList []ApiCallRc

// HasError tells whether any entry is an error.
func (l ApiCallRcList) HasError() bool { return l.has(ClassError) }

// HasWarning tells whether any entry is a warning.
func (l ApiCallRcList) HasWarning() bool { return l.has(ClassWarning) }

// Has tells whether any entry has this type and number.
func (l ApiCallRcList) Has(code Code) bool {
	for _, rc := range l {
		if rc.RetCode.Is(code) {
			return true
		}
	}
	return false
}

func (l ApiCallRcList) has(c Class) bool {
	for _, rc := range l {
		if rc.RetCode.Class() == c {
			return true
		}
	}
	return false
}

// String joins the messages of the errors, or of all entries when none is an error.
func (l ApiCallRcList) String() string {
	var errs, all []string
	for _, rc := range l {
		all = append(all, rc.Message)
		if rc.RetCode.IsError() {
			errs = append(errs, rc.Message)
		}
	}
	if len(errs) > 0 {
		all = errs
	}
	return strings.Join(all, "; ")
}
