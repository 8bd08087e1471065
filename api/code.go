package api

import (
	"net/http"
	"strconv"
)

// Code is the ret_code of a reply: type, operation, object and number in one signed 64-bit integer. In JSON it is a
// signed number; an unsigned one breaks Go clients.
type Code int64

// The type of a reply is in the two highest bits.
const (
	MaskError Code = -1 << 62 // 0xC000000000000000
	MaskWarn  Code = -1 << 63 // 0x8000000000000000
	MaskInfo  Code = 1 << 62  // 0x4000000000000000

	maskType   Code = -1 << 62
	maskOp     Code = 0x0000000003000000
	maskObject Code = 0x00000000007C0000
	maskNumber Code = 0x0000000000007FFF
)

// The operation that a reply is about.
const (
	OpCreate Code = 0x1000000
	OpModify Code = 0x2000000
	OpDelete Code = 0x3000000
)

// The object that a reply is about.
const (
	ObjSchedule       Code = 0x540000
	ObjExtFiles       Code = 0x500000
	ObjPhysicalDevice Code = 0x4C0000
	ObjVlmGrp         Code = 0x480000
	ObjRscGrp         Code = 0x440000
	ObjKvs            Code = 0x400000
	ObjNode           Code = 0x3C0000
	ObjRscDfn         Code = 0x380000
	ObjRsc            Code = 0x340000
	ObjVlmDfn         Code = 0x300000
	ObjVlm            Code = 0x2C0000
	ObjNodeConn       Code = 0x280000
	ObjRscConn        Code = 0x240000
	ObjVlmConn        Code = 0x200000
	ObjNetIf          Code = 0x1C0000
	ObjStorPoolDfn    Code = 0x180000
	ObjStorPool       Code = 0x140000
	ObjCtrlConf       Code = 0x100000
	ObjSnapshot       Code = 0x0C0000
	ObjBackup         Code = 0x080000
	ObjRemote         Code = 0x040000
)

// Success codes.
const (
	Created            Code = 1
	Deleted            Code = 2
	Modified           Code = 3
	PassphraseAccepted Code = 4
	SuccessSignIn      Code = 10000
)

// Protocol errors: whole values, not composed of type, operation, object and number.
const (
	UnknownAPICall      Code = -0x3000000000000001 // 0xCFFFFFFFFFFFFFFF
	APICallAuthRequired Code = -0x3000000000000002 // 0xCFFFFFFFFFFFFFFE
	APICallParseError   Code = -0x3000000000000003 // 0xCFFFFFFFFFFFFFFD
)

// Class is the type of a reply.
type Class int

// The four classes, from the two highest bits: 00, 01, 10, 11.
const (
	ClassSuccess Class = iota
	ClassInfo
	ClassWarning
	ClassError
)

// String gives the word that the command line prints before a reply.
func (c Class) String() string {
	switch c {
	case ClassError:
		return "ERROR"
	case ClassWarning:
		return "WARNING"
	case ClassInfo:
		return "INFO"
	default:
		return "SUCCESS"
	}
}

// Class tells error, warning, information or success.
func (c Code) Class() Class { return Class(uint64(c) >> 62) }

// IsError tells whether both type bits are set.
func (c Code) IsError() bool { return c.Class() == ClassError }

// Number is the code without type, operation and object, 0-32767.
func (c Code) Number() int { return int(c & maskNumber) }

// Op is the operation, one of OpCreate, OpModify, OpDelete, or 0.
func (c Code) Op() Code { return c & maskOp }

// Object is the object, one of the Obj values, or 0.
func (c Code) Object() Code { return c & maskObject }

// Is compares type and number and ignores operation and object.
func (c Code) Is(d Code) bool { return c&(maskType|maskNumber) == d&(maskType|maskNumber) }

// In adds operation and object, each only where the code has none yet. Protocol errors stay as they are.
func (c Code) In(op, object Code) Code {
	if c == UnknownAPICall || c == APICallAuthRequired || c == APICallParseError {
		return c
	}
	if c.Op() == 0 {
		c |= op & maskOp
	}
	if c.Object() == 0 {
		c |= object & maskObject
	}
	return c
}

// String is the code as a hexadecimal number, as LINSTOR's documents write it.
func (c Code) String() string { return "0x" + strconv.FormatUint(uint64(c), 16) }

// HTTPStatus derives the status of a whole reply: the first error decides; without one it is ok.
func HTTPStatus(rcs []ApiCallRc, ok int) int {
	for _, rc := range rcs {
		if !rc.RetCode.IsError() {
			continue
		}
		switch n := rc.RetCode.Number(); {
		case rc.RetCode == APICallParseError:
			return http.StatusBadRequest
		case rc.RetCode == APICallAuthRequired, rc.RetCode.Is(FailSignInMissingCredentials):
			return http.StatusUnauthorized
		case rc.RetCode == UnknownAPICall:
			return http.StatusNotFound
		case n >= 300 && n < 400:
			return http.StatusNotFound
		case n >= 400 && n < 500, rc.RetCode.Is(FailSignIn):
			return http.StatusForbidden
		default:
			return http.StatusInternalServerError
		}
	}
	return ok
}
