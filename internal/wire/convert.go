package wire

import (
	"errors"
	"fmt"
	"strings"

	"holdfast/internal/model"
	"holdfast/internal/wire/pb"
)

// errUnknown is a message that a newer release invented; the receiver passes over it.
var errUnknown = errors.New("unknown message")

// encode makes the protobuf form. Text that isn't UTF-8 (a program's output, a file's name) loses the odd bytes: it must
// not end a session.
func encode(m Message) (*pb.Envelope, error) {
	switch m := m.(type) {
	case Hello:
		return &pb.Envelope{Body: &pb.Envelope_Hello{Hello: helloOut(m)}}, nil
	case Welcome:
		return &pb.Envelope{Body: &pb.Envelope_Welcome{Welcome: &pb.Welcome{Version: u(m.Version), Features: us(m.Features),
			Uname: u(m.Uname), BootId: u(m.BootID), HighestEpoch: m.HighestEpoch}}}, nil
	case Refused:
		return &pb.Envelope{Body: &pb.Envelope_Refused{Refused: &pb.Refused{Why: u(string(m.Why)), Text: u(m.Text),
			HighestEpoch: m.HighestEpoch}}}, nil
	case Desired:
		return &pb.Envelope{Body: &pb.Envelope_Desired{Desired: desiredOut(m)}}, nil
	case Report:
		return &pb.Envelope{Body: &pb.Envelope_Report{Report: reportOut(m)}}, nil
	case Ping:
		return &pb.Envelope{Body: &pb.Envelope_Ping{Ping: &pb.Ping{Nonce: m.Nonce}}}, nil
	case Pong:
		return &pb.Envelope{Body: &pb.Envelope_Pong{Pong: &pb.Pong{Nonce: m.Nonce}}}, nil
	}
	return nil, fmt.Errorf("encode message: %T is none", m)
}

// decode reads the protobuf form. What this release doesn't know is passed over; an unknown Phase is Working and an
// unknown Seed is NoSeed, since neither claims nor orders anything.
func decode(e *pb.Envelope) (Message, error) {
	switch b := e.Body.(type) {
	case *pb.Envelope_Hello:
		return helloIn(b.Hello), nil
	case *pb.Envelope_Welcome:
		w := b.Welcome
		return Welcome{Version: w.GetVersion(), Features: w.GetFeatures(), Uname: w.GetUname(), BootID: w.GetBootId(),
			HighestEpoch: w.GetHighestEpoch()}, nil
	case *pb.Envelope_Refused:
		r := b.Refused
		return Refused{Why: RefusedWhy(r.GetWhy()), Text: r.GetText(), HighestEpoch: r.GetHighestEpoch()}, nil
	case *pb.Envelope_Desired:
		return desiredIn(b.Desired), nil
	case *pb.Envelope_Report:
		return reportIn(b.Report), nil
	case *pb.Envelope_Ping:
		return Ping{Nonce: b.Ping.GetNonce()}, nil
	case *pb.Envelope_Pong:
		return Pong{Nonce: b.Pong.GetNonce()}, nil
	}
	if len(e.ProtoReflect().GetUnknown()) > 0 {
		return nil, errUnknown
	}
	return nil, errors.New("decode message: the frame is empty")
}

func helloOut(m Hello) *pb.Hello {
	return &pb.Hello{Order: orderOut(m.Order), ClusterId: u(string(m.ClusterID)), Version: u(m.Version),
		Features: us(m.Features), NodeName: u(m.NodeName), Claim: m.Claim, ClaimFingerprint: u(m.ClaimFingerprint),
		ClusterCa: m.ClusterCA}
}

func helloIn(p *pb.Hello) Hello {
	return Hello{Order: orderIn(p.GetOrder()), ClusterID: model.UUID(p.GetClusterId()), Version: p.GetVersion(),
		Features: p.GetFeatures(), NodeName: p.GetNodeName(), Claim: p.GetClaim(),
		ClaimFingerprint: p.GetClaimFingerprint(), ClusterCA: p.GetClusterCa()}
}

func orderOut(o model.Order) *pb.Order {
	return &pb.Order{Epoch: o.Epoch, Instance: u(string(o.Instance))}
}

func orderIn(p *pb.Order) model.Order {
	return model.Order{Epoch: p.GetEpoch(), Instance: model.UUID(p.GetInstance())}
}

// u makes valid UTF-8.
func u(s string) string { return strings.ToValidUTF8(s, "\ufffd") }

func us[S ~string](in []S) []string {
	return each(in, func(s *S) string { return u(string(*s)) })
}

func words[S ~string](in []string) []S {
	return each(in, func(s *string) S { return S(*s) })
}

// each converts a slice; none stays nil.
func each[A, B any](in []A, f func(*A) B) []B {
	if len(in) == 0 {
		return nil
	}
	out := make([]B, len(in))
	for i := range in {
		out[i] = f(&in[i])
	}
	return out
}

func ints(in []int) []int64                  { return each(in, func(n *int) int64 { return int64(*n) }) }
func intsIn(in []int64) []int                { return each(in, func(n *int64) int { return int(*n) }) }
func small(n uint32) uint8                   { return uint8(min(n, 255)) }
func deref[A, B any](f func(A) B) func(*A) B { return func(a *A) B { return f(*a) } }
